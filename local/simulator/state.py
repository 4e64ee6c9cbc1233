"""The simulator's state, in memory only. A new simulator knows no flow and has accepted nothing."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec

from local.simulator.audit import Audit
from local.simulator.faults import FaultQueue
from local.simulator.flows import Flow
from local.simulator.rate_window import RequestWindow


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The behaviour that the API's documentation leaves open, and the state of the account.

    Each default is the behaviour that is hardest for a client.
    """

    source_ips: tuple[str, ...] = ("127.0.0.1",)
    checksum_over_body: bool = True
    checksum_over_payload: bool = True
    refusal_leaves_checksum: bool = True
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 500
    # How many calls the account can still pay for. None: no limit.
    balance_calls: Annotated[int, msgspec.Meta(ge=0)] | None = None


@dataclass
class SimulatorState:
    """Hold `lock` while you read or change it. `now` returns an aware datetime."""

    now: Callable[[], datetime]
    chance: random.Random
    flows: dict[str, Flow] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    faults: FaultQueue = field(default_factory=FaultQueue)
    audit: Audit = field(default_factory=Audit)
    body_checksums: set[bytes] = field(default_factory=set)
    payload_checksums: set[bytes] = field(default_factory=set)
    admitted: RequestWindow = field(default_factory=RequestWindow)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Reset everything except the flows."""
        fresh = SimulatorState(self.now, self.chance)
        self.settings, self.faults, self.audit = fresh.settings, fresh.faults, fresh.audit
        self.body_checksums, self.payload_checksums = fresh.body_checksums, fresh.payload_checksums
        self.admitted = fresh.admitted
