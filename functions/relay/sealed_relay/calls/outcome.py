"""What became of a call: the statuses of the outcome record, and the reasons that stand beside the API's codes."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The `status` of an outcome record."""

    SENDING = "SENDING"
    WAITING = "WAITING"
    ACCEPTED = "ACCEPTED"
    PRESUMED_ACCEPTED = "PRESUMED_ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNRESOLVED = "UNRESOLVED"

    @property
    def is_final(self) -> bool:
        """Nothing more happens to the call on account of this message."""
        return self not in (Status.SENDING, Status.WAITING)

    @property
    def is_delivered(self) -> bool:
        """The API has the call: it is never sent again."""
        return self in (Status.ACCEPTED, Status.PRESUMED_ACCEPTED)

    @property
    def is_failure(self) -> bool:
        """The call also goes to the failure queue."""
        return self.is_final and not self.is_delivered


class Reason(StrEnum):
    """Why a call or a message failed or waits, where no code of the API says so."""

    INVALID_MESSAGE = "INVALID_MESSAGE"
    UNKNOWN_FLOW = "UNKNOWN_FLOW"
    CLIENT_IDENTIFIER_REUSED = "CLIENT_IDENTIFIER_REUSED"
    EXPIRED = "EXPIRED"
    UNRESOLVED = "UNRESOLVED"
    NOT_SENT = "NOT_SENT"
    NO_ANSWER = "NO_ANSWER"
    WRONG_ADDRESS = "WRONG_ADDRESS"
    FLOW_SECRET_UNUSABLE = "FLOW_SECRET_UNUSABLE"  # noqa: S105 - a reason, not a secret
    OUT_OF_TIME = "OUT_OF_TIME"
    RATE_LIMITED = "RATE_LIMITED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended, or why it waits.

    `reason` is a code's name or a `Reason`. `api_request_id` is the API's own name for the request, to quote to Kairos.
    `detail` is one sentence for a person, without personal data.
    """

    status: Status
    reason: str = ""
    code: int | None = None
    phonon_uuid: str = ""
    detail: str = ""
    api_request_id: str = ""
