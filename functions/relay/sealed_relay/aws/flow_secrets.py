"""The flows' secrets in Secrets Manager, cached."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError, parse_flow

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEEP_SECONDS = 300.0
_NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class _Cached:
    flow: Flow
    until: float


class FlowSecrets:
    """Looks flows up by their secret's name, prefix and flow id. `clock` tells seconds.

    A cache of our own: Powertools' wraps every error in one type that drops its cause, and a flow without a secret
    must be told from a service that is down. A secret that is missing or unusable is asked for again each time.
    """

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._cache: dict[str, _Cached] = {}
        self._lock = threading.Lock()

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        """The flow, at most five minutes old, or asked for now; see `ports.Flows`."""
        with self._lock:
            cached = self._cache.get(flow_id)
        if cached and not fresh and self._clock() < cached.until:
            return cached.flow
        flow = parse_flow(flow_id, *self._fetch(flow_id))
        with self._lock:
            self._cache[flow_id] = _Cached(flow, self._clock() + _KEEP_SECONDS)
        return flow

    def _fetch(self, flow_id: str) -> tuple[str, str]:
        """The secret's text and its version."""
        try:
            found = self._client.get_secret_value(SecretId=f"{self._prefix}{flow_id}")
            return found["SecretString"], found["VersionId"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == _NOT_FOUND:
                raise UnknownFlowError(f"There is no secret for flow {flow_id}.") from error
            raise UnusableFlowError(f"Secrets Manager answered {code} for the secret of flow {flow_id}.") from error
        except BotoCoreError as error:
            raise UnusableFlowError(f"Secrets Manager could not be reached for flow {flow_id}.") from error
        except KeyError as error:
            raise UnusableFlowError(f"The secret of flow {flow_id} is binary; text is allowed.") from error
