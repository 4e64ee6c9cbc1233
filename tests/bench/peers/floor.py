"""A function that does nothing but import boto3 and create the clients that the relay has."""

from typing import Any

import boto3
from botocore.config import Config

AWS = Config(
    connect_timeout=2, read_timeout=5, max_pool_connections=32, retries={"mode": "standard", "total_max_attempts": 4}
)
CLIENTS = [boto3.client(name, config=AWS) for name in ("secretsmanager", "sqs", "dynamodb")]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, list[Any]]:  # noqa: ARG001 - as Lambda calls it
    """Handle nothing."""
    return {"batchItemFailures": []}
