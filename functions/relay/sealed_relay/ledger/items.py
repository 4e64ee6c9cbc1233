"""How outcome records, requests and envelopes are spelled as items of the table. Pure.

    outcome record   key `flow-id/client-identifier`   one a call
    request          key `#request/<request id>`       small, changes: lease and answer
    envelope         key `#envelope/<request id>`      large, written once, left to TTL

DynamoDB charges an update by the size of the whole item: what is large is kept apart from what changes.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.kairos.answer import Answered
from sealed_relay.ledger.claim_rules import Record, StoredRequest, Tries
from sealed_relay.ports import KEY, Item, Value

_MAX_ACKNOWLEDGED = 16


@dataclass(frozen=True, slots=True)
class SealedRequest:
    """A request as it is stored before it is sent.

    `body` is the exact outer body, `client_identifiers` those of all its calls, `not_after_ms` the earliest
    deadline among them: past it the request is not sent again. `secret_version` is the flow secret that sealed it,
    `service_date` the service's date at that time, YYYY-MM-DD.
    """

    request_id: str
    flow_id: str
    endpoint: str
    secret_version: str
    service_date: str
    body: bytes
    client_identifiers: tuple[str, ...]
    not_after_ms: int


def request_key(request_id: str) -> str:
    """The key of a request's small item."""
    return f"#request/{request_id}"


def envelope_key(request_id: str) -> str:
    """The key of a request's envelope."""
    return f"#envelope/{request_id}"


@lru_cache(maxsize=16)  # the records of a batch are all written within a few of them
def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 in ISO 8601, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _milliseconds(iso_time: str) -> int:
    return round(datetime.fromisoformat(iso_time).timestamp() * 1000)


def outcome_attributes(outcome: Outcome, now_ms: int) -> dict[str, Value | None]:
    """What a change of a record says of the call's outcome; attributes that do not apply are removed."""
    # Never removed again: whatever comes of the call later, it may have been delivered already.
    unresolved: dict[str, Value | None] = {"unresolved_at_ms": now_ms} if outcome.status is Status.UNRESOLVED else {}
    return unresolved | {
        "status": outcome.status.value,
        "is_open": not outcome.status.is_final,
        "code": outcome.code,
        "reason": outcome.reason or None,
        "phonon_uuid": outcome.phonon_uuid or None,
        "updated_at": iso(now_ms),
    }


def record_of(item: Item) -> Record:
    """The outcome record in an item."""
    unresolved_at_ms = _int(item.get("unresolved_at_ms", 0))
    return Record(
        status=Status(str(item["status"])),
        request_id=str(item["request_id"]),
        message_id=str(item["message_id"]),
        content_hash=_bytes(item["content_hash"]),
        lease_expires_at_ms=_int(item["lease_expires_at_ms"]),
        updated_at_ms=_milliseconds(str(item["updated_at"])),
        tries=Tries(_int(item["attempts"]), _int(item["refusals"]), may_have_been_delivered=unresolved_at_ms > 0),
        unresolved_at_ms=unresolved_at_ms,
        acknowledged=tuple(str(item.get("acknowledged", "")).split()),
    )


def acknowledged_attribute(message_ids: Sequence[str]) -> str:
    """The latest of the messages that were acknowledged without an outcome of their own; their ids have no spaces."""
    return " ".join(message_ids[-_MAX_ACKNOWLEDGED:])


def stored_request_of(item: Item) -> StoredRequest:
    """The state of a stored request in its small item."""
    return StoredRequest(
        lease_id=str(item["lease_id"]),
        lease_expires_at_ms=_int(item["lease_expires_at_ms"]),
        is_answered="answer" in item,
        may_have_been_sent=item["may_have_been_sent"] is True,
        was_refused=item.get("was_refused") is True,
        envelope_expires_at=_int(item.get("envelope_expires_at", 0)),  # an earlier release wrote none
    )


def envelope_item(sealed: SealedRequest, expires_at: int) -> Item:
    """The large item. The body is mostly base64, which deflates by a quarter and inflates to the very same bytes."""
    return {
        KEY: envelope_key(sealed.request_id),
        "flow_id": sealed.flow_id,
        "endpoint": sealed.endpoint,
        "secret_version": sealed.secret_version,
        "service_date": sealed.service_date,
        "body": _deflate(sealed.body),
        "client_identifiers": _deflate(msgspec.json.encode(sealed.client_identifiers)),
        "not_after_ms": sealed.not_after_ms,
        "expires_at": expires_at,
    }


def sealed_request_of(item: Item) -> SealedRequest:
    """The request in its envelope item."""
    return SealedRequest(
        request_id=str(item[KEY]).removeprefix(envelope_key("")),
        flow_id=str(item["flow_id"]),
        endpoint=str(item["endpoint"]),
        secret_version=str(item["secret_version"]),
        service_date=str(item["service_date"]),
        body=zlib.decompress(_bytes(item["body"])),
        client_identifiers=msgspec.json.decode(
            zlib.decompress(_bytes(item["client_identifiers"])), type=tuple[str, ...]
        ),
        not_after_ms=_int(item["not_after_ms"]),
    )


def answer_attribute(answer: Answered, *, is_resend: bool) -> bytes:
    """An answer as it is stored; it holds client identifiers and `phonon-uuid`s, nothing that is secret."""
    return _deflate(msgspec.json.encode(_StoredAnswer(answer.code, is_resend, dict(answer.phonon_uuids))))


def answer_of(item: Item) -> tuple[Answered, bool]:
    """The answer in a request's item, and whether it answered a resend."""
    stored = msgspec.json.decode(zlib.decompress(_bytes(item["answer"])), type=_StoredAnswer)
    return Answered(stored.code, stored.phonon_uuids), stored.is_resend


class _StoredAnswer(msgspec.Struct, array_like=True):
    code: int
    is_resend: bool
    phonon_uuids: Mapping[str, str]


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_HUFFMAN_ONLY)
    return compressor.compress(data) + compressor.flush()


def _int(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise TypeError("an item of the table holds something else where a whole number belongs")


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError("an item of the table holds something else where bytes belong")
