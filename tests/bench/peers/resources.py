"""What the peers keep from one invocation to the next, made at import as Powertools' documentation does it.

The idempotency table holds the outcome too: Powertools stores what the idempotent function returns. So a call costs two
writes, a record before it is sent and its outcome after.
"""

import os
import time

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig
from botocore.config import Config

from sealed_relay.aws.flow_secrets import FlowSecrets

AT_ONCE = 16
"""Requests that the threaded and the asynchronous peer have under way, as the relay."""

_AWS = Config(
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=AT_ONCE,
    retries={"mode": "standard", "total_max_attempts": 4},
)
_NINETY_DAYS_SECONDS = 90 * 24 * 60 * 60

GATEWAY_BASE_URL = os.environ["GATEWAY_BASE_URL"]

flows = FlowSecrets(boto3.client("secretsmanager", config=_AWS), os.environ["FLOW_SECRET_PREFIX"], time.time)
store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE_NAME"], boto_config=_AWS)
idempotency = IdempotencyConfig(
    event_key_jmespath='["flow-id", calls[]."client-identifier"]',
    expires_after_seconds=_NINETY_DAYS_SECONDS,
    raise_on_no_idempotency_key=True,
)
