"""A scene whose relay handles canaries: its real logs and metrics, and the search for leaks in them."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from sealed_relay.dependencies import Dependencies
from sealed_relay.kairos.seal import make_secret_text
from sealed_relay.observability.emitter import Telemetry
from tests.support import canaries
from tests.support.scene import Scene

SECRET_BYTES = 32
"""What only a secret text is made of: ids and nonces are shorter."""


@dataclass
class CanaryScene:
    """`said` tells all that was logged or printed so far, `secret_texts` those of the requests sealed so far."""

    scene: Scene
    telemetry: Telemetry
    said: Callable[[], str]
    secret_texts: list[str] = field(default_factory=list)

    def dependencies(self) -> Dependencies:
        return replace(self.scene.dependencies(observe=self.telemetry.observe), random_bytes=self._random_bytes)

    def run(self) -> None:
        """Invoke until the queue is empty or ten times."""
        for _ in range(10):
            if self.scene.ingress.next_visible_at is not None:
                self.scene.clock.now = max(self.scene.clock.now, self.scene.ingress.next_visible_at)
                self.scene.invoke(self.dependencies())
        self.telemetry.flush()

    def leaks(self) -> list[str]:
        """The canaries in what was said, put on record, or written beside bodies in the failure queue."""
        on_record = [canaries.text_of(item) for item in self.scene.table.items.values()]
        beside_bodies = [
            canaries.text_of(asdict(replace(failure, body=""))) for failure in self.scene.failures.published
        ]
        keys = [hashlib.sha256(text.encode()).digest()[:16].hex() for text in self.secret_texts]
        return canaries.found_in(self.said(), *on_record, *beside_bodies, beside=[*self.secret_texts, *keys])

    def bodies_of_failures(self) -> str:
        return "\n".join(failure.body for failure in self.scene.failures.published)

    def _random_bytes(self, count: int) -> bytes:
        drawn = os.urandom(count)
        if count == SECRET_BYTES:
            self.secret_texts.append(make_secret_text(lambda _: drawn))
        return drawn


CONTEXT: Any = SimpleNamespace(
    function_name="relay",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)
