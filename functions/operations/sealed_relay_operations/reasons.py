"""The relay's names of reasons. This function is deployed without the relay's package, so it repeats them.

A test compares each set with the relay.
"""

UNRESOLVED = "UNRESOLVED"
INVALID_MESSAGE = "INVALID_MESSAGE"
CLIENT_IDENTIFIER_REUSED = "CLIENT_IDENTIFIER_REUSED"
EXPIRED = "EXPIRED"
TOO_LARGE = "MAX_DATA_LIST_SIZE_EXCEEDED"
REDRIVEN = "REDRIVEN"
"""The reason given here to messages that SQS itself moved to the failure queue. The relay has no such reason."""

FAILURES = frozenset(
    {
        "EMPTY_CALL_LIST",
        "FAILURE",
        "FAILURE_FROM_GATEWAY",
        "INVALID_CONTACT_NUMBER",
        "INVALID_FORMAT",
        "INVALID_MANDATORY_PARAMETERS",
        "NO_DATA_AVAILABLE",
        "NO_MASK_AVAILABLE",
        "PHONE_NOT_WHITELISTED",
        "UNKNOWN_FLOW",
        CLIENT_IDENTIFIER_REUSED,
        EXPIRED,
        INVALID_MESSAGE,
        REDRIVEN,
        TOO_LARGE,
        UNRESOLVED,
    }
)
"""The reasons that entries of the failure queue have."""

PAUSES = frozenset(
    {
        "DID_NOT_MAPPED",
        "INSUFFICIENT_BALANCE",
        "INVALID_API_VERSION",
        "INVALID_FLOW_ID",
        "INVALID_FLOW_VERSION",
        "INVALID_GATEWAY_ID",
        "INVALID_SECURITY_ID",
        "IP_NOT_WHITELISTED",
        "NOT_SENT",
        "NO_ANSWER",
        "VALIDITY_EXPIRED",
        "WRONG_ADDRESS",
    }
)
"""The reasons for which the relay itself pauses. An operator's pause has another, so that people see who paused."""

WAITS = frozenset({"FLOW_SECRET_UNUSABLE", "OUT_OF_TIME", "RATE_LIMITED"})
"""Calls wait for these reasons although nothing is paused. A pause with one of them would be counted as such a wait."""
