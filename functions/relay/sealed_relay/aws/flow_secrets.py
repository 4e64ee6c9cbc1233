"""The flows' secrets in Secrets Manager, cached."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sealed_relay.bounded import BoundedDict
from sealed_relay.kairos.flow import Flow, UnknownFlowError, UnusableFlowError, parse_flow

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_CACHED_FLOWS = 1000
_KEEP_SECONDS = 300.0
_NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class _Cached:
    flow: Flow
    until: float


class FlowSecrets:
    """Looks flows up by the name of their secret: prefix and flow id. `clock` tells seconds.

    Powertools has a cache too, but it wraps every error in one type and drops the cause. The relay must tell a flow
    without a secret from a service that is down. A missing or unusable secret is not cached.
    """

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._cache: BoundedDict[str, _Cached] = BoundedDict(MAX_CACHED_FLOWS)
        self._lock = threading.Lock()

    def get(self, flow_id: str, *, fresh: bool = False) -> Flow:
        """The flow, from a cache of at most five minutes unless `fresh`; see `ports.Flows`."""
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
            raise UnusableFlowError(f"The secret of flow {flow_id} is binary; it must be text.") from error
