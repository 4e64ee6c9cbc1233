"""The text that `make up` prints: how to use the stack with common tools."""

import shlex

from local.stack.deploy import STACK_NAME
from local.stack.flows import FLOW_IDS
from local.stack.stack_files import Stack
from local.stack.topic_and_rule import NAME, topic_arn


def usage_text(stack: Stack) -> str:
    """Return commands to copy, for the AWS CLI and for boto3, and the variables of `stack.env`."""
    flow_id = stack.flow_ids[0] if stack.flow_ids else FLOW_IDS[0]
    variables = "".join(f"  {name}={shlex.quote(value)}\n" for name, value in stack.variables().items())
    names = {"flow_id": flow_id, "stack_name": STACK_NAME, "topic_arn": topic_arn(stack.region), "bus_name": NAME}
    return _USAGE.format(stack=stack, variables=variables, **names) + _flows(stack)


def _flows(stack: Stack) -> str:
    if stack.flow_ids:
        return f"\nFlows known to the relay and the simulator: {', '.join(stack.flow_ids)}."
    return _HOW_TO_CREATE_FLOWS.format(stack_name=STACK_NAME)


_USAGE = """
The local stack is up. Set its addresses and keys in this shell, for the AWS CLI and for the examples in the docs:

  . .local/stack.env

  # send a message; to "$URGENT_QUEUE_URL" if it must overtake a backlog
  aws sqs send-message --queue-url "$INGRESS_QUEUE_URL" --message-body \\
    '{{"flow-id": "{flow_id}", "calls": [{{"client-identifier": "hello-1", "contact-numbers": ["910000000001"]}}]}}'

  # the same through SNS, and through EventBridge
  aws sns publish --topic-arn {topic_arn} \\
    --message '{{"flow-id": "{flow_id}", "calls": [{{"client-identifier": "hello-sns", \
"contact-numbers": ["910000000001"]}}]}}'
  aws events put-events --entries '[{{"EventBusName": "{bus_name}", "Source": "orders", \
"DetailType": "Call wanted", "Detail": "{{\\"flow-id\\": \\"{flow_id}\\", \\"calls\\": [{{\\"client-identifier\\": \
\\"hello-event\\", \\"contact-numbers\\": [\\"910000000001\\"]}}]}}"}}]'

  # read its outcome record
  aws dynamodb get-item --table-name "$OUTCOMES_TABLE_NAME" --key '{{"call_id": {{"S": "{flow_id}/hello-1"}}}}'

  # read the failure queue, and the function's log
  aws sqs receive-message --queue-url "$FAILURE_QUEUE_URL" --message-attribute-names All
  aws logs filter-log-events --log-group-name /sealed-relay/{stack_name} --query 'events[].[message]' --output text

For boto3, in .venvs/dev/bin/python:

  import boto3, json, pathlib
  stack = json.loads(pathlib.Path(".local/stack.json").read_text())
  session = boto3.Session(stack["access_key_id"], stack["secret_access_key"], region_name=stack["region"])
  sqs = session.client("sqs", endpoint_url=stack["endpoint_url"])
  dynamodb = session.client("dynamodb", endpoint_url=stack["endpoint_url"])
  sqs.send_message(QueueUrl=stack["outputs"]["IngressQueueUrl"], MessageBody=json.dumps({{"flow-id": "{flow_id}", \
"calls": [{{"client-identifier": "hello-2", "contact-numbers": ["910000000001"]}}]}}))
  dynamodb.get_item(TableName=stack["outputs"]["OutcomesTableName"], Key={{"call_id": {{"S": "{flow_id}/hello-2"}}}})
  sqs.receive_message(QueueUrl=stack["outputs"]["FailureQueueUrl"], MessageAttributeNames=["All"])

The variables that .local/stack.env sets:

{variables}
Gateway: {stack.gateway_base_url}
Dashboard and alarms of this stack: make dashboard
Pauses and queues of this stack: make status
"""

_HOW_TO_CREATE_FLOWS = """
No flow is known yet. Create a secret for each flow, from a file, so that it is not in the shell's history:

  # flow.json: {{"security-id": "<64 letters or digits>", "public-key": "<PEM, with \\n for line ends>"}}
  aws secretsmanager create-secret --name "$FLOW_SECRET_PREFIX<flow id>" --kms-key-id alias/{stack_name} \\
    --secret-string file://flow.json
"""
