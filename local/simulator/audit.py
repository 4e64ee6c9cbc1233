"""The simulator's audit: ids and counts, but never a contact number, a flow variable or a key."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from local.simulator.rate_window import RequestWindow
from local.simulator.reply import CallDetail


class Acceptance(msgspec.Struct, frozen=True, rename="kebab"):
    """One acceptance of a call."""

    phonon_uuid: str
    request_id: str


class AuditReport(msgspec.Struct, frozen=True, rename="kebab"):
    """Counts since the last reset. Each request is counted in exactly one of the two kinds of answers.

    `answered_by_code` counts complete API answers. `answered_without_verdict` counts the others, by what the client saw
    ("HTTP 429", "dropped", "truncated"). `calls_per_accepted_request` maps a number of accepted calls to the number of
    requests that had so many.
    """

    requests_received: int
    answered_by_code: dict[int, int]
    answered_without_verdict: dict[str, int]
    accepted_calls: int
    calls_accepted_more_than_once: int
    calls_per_accepted_request: dict[int, int]
    max_requests_in_60_seconds: int
    redirects_followed: int


class Audit:
    """Collects the counts of the report. `accepted` maps a call id to each acceptance of the call."""

    def __init__(self) -> None:
        self.accepted: dict[str, list[Acceptance]] = {}
        self._requests_received = 0
        self._by_code: Counter[int] = Counter()
        self._without_verdict: Counter[str] = Counter()
        self._calls_per_request: Counter[int] = Counter()
        self._window = RequestWindow()
        self._max_in_window = 0
        self._redirects_followed = 0

    def count_received(self, moment: datetime) -> None:
        """Count a request of any kind, also one that is refused."""
        self._requests_received += 1
        self._window.add(moment)
        self._max_in_window = max(self._max_in_window, self._window.count(moment))

    def record_accepted(self, flow_id: str, request_id: str, details: Sequence[CallDetail]) -> None:
        """Record the accepted calls of one request; at least one."""
        for call in details:
            acceptances = self.accepted.setdefault(f"{flow_id}/{call.client_identifier}", [])
            acceptances.append(Acceptance(call.phonon_uuid, request_id))
        self._calls_per_request[len(details)] += 1

    def count_code(self, code_number: int) -> None:
        """Count a complete API answer."""
        self._by_code[code_number] += 1

    def count_without_verdict(self, what_the_client_sees: str) -> None:
        """Count an answer that does not bring the API's verdict to the client."""
        self._without_verdict[what_the_client_sees] += 1

    def count_redirect_followed(self) -> None:
        """Count a client that followed a planned redirect."""
        self._redirects_followed += 1

    def report(self) -> AuditReport:
        """Return the counts so far."""
        return AuditReport(
            requests_received=self._requests_received,
            answered_by_code=dict(self._by_code),
            answered_without_verdict=dict(self._without_verdict),
            accepted_calls=sum(map(len, self.accepted.values())),
            calls_accepted_more_than_once=sum(len(times) > 1 for times in self.accepted.values()),
            calls_per_accepted_request=dict(self._calls_per_request),
            max_requests_in_60_seconds=self._max_in_window,
            redirects_followed=self._redirects_followed,
        )
