"""Everything a relay needs, handed in by the composition root (`handler`) or by a test."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from sealed_relay.admission.control import Admission
from sealed_relay.ledger.call_records import Ledger
from sealed_relay.ledger.request_log import RequestLog
from sealed_relay.observability.events import Observe
from sealed_relay.ports import Failures, Flows, Gateway, Ingress


@dataclass(frozen=True, slots=True)
class Limits:
    """The API's limits on a request, and the relay's own patience."""

    max_calls: int
    max_body_bytes: int
    give_up_after: timedelta
    max_refusals: int = 16
    """How often a call's request may be answered with a passing failure before the call is rejected with it.

    With the backoff between, that is about an hour.
    """


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The relay's dependencies. `clock` tells seconds since 1970, `random_bytes` is fit for keys.

    `draw` gives a random number from 0 to 1; `executor` runs what may go on side by side.
    """

    ledger: Ledger
    requests: RequestLog
    admission: Admission
    flows: Flows
    gateway: Gateway
    failures: Failures
    ingress: Ingress
    limits: Limits
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    draw: Callable[[], float]
    executor: Executor
    observe: Observe

    def make_id(self) -> str:
        """A new random id of 128 bits, in hexadecimal."""
        return self.random_bytes(16).hex()
