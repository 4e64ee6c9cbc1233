"""An SNS topic and an EventBridge bus of the local stack, which pass on all that they get to the ingress queue."""

import json

from local.stack.deploy import STACK_NAME, Deployed
from local.stack.local_aws import LocalAws

_ACCOUNT_ID = "000000000000"  # MiniStack's
NAME = f"{STACK_NAME}-calls"
"""The name of the topic, of the bus and of its rule."""


def topic_arn(region: str) -> str:
    """The topic's ARN."""
    return f"arn:aws:sns:{region}:{_ACCOUNT_ID}:{NAME}"


def sending_topics_and_rules(region: str) -> str:
    """The value of the parameter `SendingTopicsAndRules`. Without it MiniStack drops what the topic gets."""
    return f"{topic_arn(region)},arn:aws:events:{region}:{_ACCOUNT_ID}:rule/{NAME}/{NAME}"


def make_topic_and_rule(aws: LocalAws, deployed: Deployed) -> None:
    """Make the topic, the bus and the rule. Call it after the first deployment."""
    session = aws.session()
    queue_url = deployed.outputs["IngressQueueUrl"]
    sqs = session.client("sqs", endpoint_url=aws.endpoint_url)
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.close()
    topics = session.client("sns", endpoint_url=aws.endpoint_url)
    topic = topics.create_topic(Name=NAME)["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    topics.close()
    # A bus of its own, so that the rule can take every event. What is no message then ends in the failure queue with a
    # reason: EventBridge drops an event that no rule takes without a word.
    buses = session.client("events", endpoint_url=aws.endpoint_url)
    buses.create_event_bus(Name=NAME)
    buses.put_rule(Name=NAME, EventBusName=NAME, EventPattern=json.dumps({"account": [_ACCOUNT_ID]}))
    buses.put_targets(Rule=NAME, EventBusName=NAME, Targets=[{"Id": "ingress-queue", "Arn": queue_arn}])
    buses.close()
