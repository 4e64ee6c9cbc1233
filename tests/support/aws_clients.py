"""An administrator's clients of the local AWS, each made when it is first asked for."""

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


class AwsClients:
    """The clients that tests use; `close` ends their connections."""

    def __init__(self, session: boto3.Session, endpoint_url: str) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._closing = ExitStack()

    def close(self) -> None:
        self._closing.close()

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client = self._session.client("dynamodb", endpoint_url=self._endpoint_url)
        self._closing.callback(client.close)
        return client

    @cached_property
    def functions(self) -> "LambdaClient":
        client = self._session.client("lambda", endpoint_url=self._endpoint_url)
        self._closing.callback(client.close)
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client = self._session.client("logs", endpoint_url=self._endpoint_url)
        self._closing.callback(client.close)
        return client

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        client = self._session.client("secretsmanager", endpoint_url=self._endpoint_url)
        self._closing.callback(client.close)
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client = self._session.client("sqs", endpoint_url=self._endpoint_url)
        self._closing.callback(client.close)
        return client
