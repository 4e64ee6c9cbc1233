"""What can come of one POST to the gateway. Pure data: the client makes it, the relay acts on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sealed_relay.calls.outcome import Reason
from sealed_relay.kairos.codes import Code, code_of


@dataclass(frozen=True, slots=True)
class Answered:
    """The API gave a verdict.

    `code` is its `api-response-code`, `meaning` its row of the code table. `phonon_uuids` maps the client identifier of
    each call listed in `call-details` to its `phonon-uuid`. `api_request_id` is the API's own name for the request,
    "" where it gave none. `is_contradicted`: its message says the call was accepted, and its code says otherwise.
    `is_list_trusted`: every entry of `call-details` has a name and a `phonon-uuid`. The API's message is left out: it
    may quote a number.
    """

    code: int
    phonon_uuids: Mapping[str, str] = field(default_factory=dict)
    api_request_id: str = ""
    is_contradicted: bool = False
    is_list_trusted: bool = True
    meaning: Code = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meaning", code_of(self.code))


@dataclass(frozen=True, slots=True)
class NotSent:
    """The API certainly did not take the request: no byte of it left, or HTTP 429 turned it away."""

    reason: ClassVar = Reason.NOT_SENT
    detail: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The request may have been received, and no verdict came back: only a resend of the same bytes is safe."""

    reason: ClassVar = Reason.NO_ANSWER
    detail: str


@dataclass(frozen=True, slots=True)
class WrongAddress:
    """Something that is not the API answered. Nobody knows whether something behind it took the request."""

    reason: ClassVar = Reason.WRONG_ADDRESS
    detail: str


Answer = Answered | NotSent | Ambiguous | WrongAddress
