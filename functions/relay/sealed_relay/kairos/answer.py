"""What can come of one POST to the gateway. Pure data: the gateway makes it, the relay acts on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LONGEST_UUID = 64


@dataclass(frozen=True, slots=True)
class Answered:
    """The API gave a verdict.

    `code` is its `api-response-code`. `phonon_uuids` maps the client identifier of each call listed
    in `call-details` to its `phonon-uuid`, "" where the API gave none. The API's message is left out
    on purpose: it may quote a contact number.
    """

    code: int
    phonon_uuids: Mapping[str, str] = field(default_factory=dict)

    def about(self, client_identifiers: Iterable[str]) -> "Answered":
        """The answer as far as it speaks of these calls: what else it lists is not worth keeping, nor bounded."""
        asked = set(client_identifiers)
        listed = {name: uuid[:_LONGEST_UUID] for name, uuid in self.phonon_uuids.items() if name in asked}
        return Answered(self.code, listed)


@dataclass(frozen=True, slots=True)
class NotSent:
    """The API certainly did not take the request: no byte of it left, or HTTP 429 turned it away."""

    detail: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The request may have been received, and no verdict came back: only a resend of the same bytes is safe."""

    detail: str


@dataclass(frozen=True, slots=True)
class WrongAddress:
    """Something answered that is not the API, so whether anything behind it took the request is unknown."""

    detail: str


Answer = Answered | NotSent | Ambiguous | WrongAddress
