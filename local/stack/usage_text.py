"""The text that `make up` prints: how to use the stack with common tools."""

from local.stack.deploy import STACK_NAME
from local.stack.flows import FLOW_IDS
from local.stack.stack_files import Stack


def usage_text(stack: Stack) -> str:
    """Return commands to copy, for the AWS CLI and for boto3."""
    flow_id = stack.flow_ids[0] if stack.flow_ids else FLOW_IDS[0]
    return _USAGE.format(stack=stack, outputs=stack.outputs, flow_id=flow_id, stack_name=STACK_NAME) + _flows(stack)


def _flows(stack: Stack) -> str:
    if stack.flow_ids:
        return (
            f"\nFlows known to the relay and the simulator: {', '.join(stack.flow_ids)}."
            f"\nTo control the simulator, as the docs say:\n\n  export SIMULATOR_URL={stack.simulator_url}"
        )
    return _HOW_TO_CREATE_FLOWS.format(prefix=stack.outputs["FlowSecretPrefix"], stack_name=STACK_NAME)


_USAGE = """
The local stack is up. For the AWS CLI (for SQS, version 1 needs --endpoint-url; version 2 does not):

  export AWS_ENDPOINT_URL={stack.endpoint_url} AWS_DEFAULT_REGION={stack.region}
  export AWS_ACCESS_KEY_ID={stack.access_key_id} AWS_SECRET_ACCESS_KEY={stack.secret_access_key}

  # send a message
  aws sqs send-message --endpoint-url "$AWS_ENDPOINT_URL" --queue-url {outputs[IngressQueueUrl]} \\
    --message-body '{{"flow-id": "{flow_id}", "calls": [{{"client-identifier": "hello-1", \
"contact-numbers": ["910000000001"]}}]}}'

  # read its outcome record
  aws dynamodb get-item --table-name {outputs[OutcomesTableName]} \\
    --key '{{"call_id": {{"S": "{flow_id}/hello-1"}}}}'

  # read the failure queue, and the function's log
  aws sqs receive-message --endpoint-url "$AWS_ENDPOINT_URL" --queue-url {outputs[FailureQueueUrl]} \\
    --message-attribute-names All
  aws logs filter-log-events --log-group-name /sealed-relay/{stack_name} --query 'events[].message' --output text

For boto3:

  import boto3, json, pathlib
  stack = json.loads(pathlib.Path(".local/stack.json").read_text())
  session = boto3.Session(stack["access_key_id"], stack["secret_access_key"], region_name=stack["region"])
  sqs = session.client("sqs", endpoint_url=stack["endpoint_url"])
  dynamodb = session.client("dynamodb", endpoint_url=stack["endpoint_url"])
  sqs.send_message(QueueUrl=stack["outputs"]["IngressQueueUrl"], MessageBody=json.dumps({{"flow-id": "{flow_id}", \
"calls": [{{"client-identifier": "hello-2", "contact-numbers": ["910000000001"]}}]}}))
  dynamodb.get_item(TableName=stack["outputs"]["OutcomesTableName"], Key={{"call_id": {{"S": "{flow_id}/hello-2"}}}})
  sqs.receive_message(QueueUrl=stack["outputs"]["FailureQueueUrl"], MessageAttributeNames=["All"])

Gateway: {stack.gateway_base_url}
Dashboard and alarms of this stack: make dashboard
"""

_HOW_TO_CREATE_FLOWS = """
No flow is known yet. Create a secret for each flow, from a file, so that it is not in the shell's history:

  # flow.json: {{"security-id": "<64 letters or digits>", "public-key": "<PEM, with \\n for line ends>"}}
  aws secretsmanager create-secret --name {prefix}<flow id> --kms-key-id alias/{stack_name} \\
    --secret-string file://flow.json
"""
