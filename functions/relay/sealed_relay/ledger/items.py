"""How records, requests and envelopes are spelled as items of the table. Pure.

    outcome record   key `flow-id/client-identifier`   one a call
    request          key `#request/<request id>`       small, changes: lease and answer
    envelope         key `#envelope/<request id>`      large, written once, left to TTL

DynamoDB charges an update by the size of the whole item, so what is large is kept apart from what changes.
"""

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from sealed_relay.calls.outcome import Outcome, Status
from sealed_relay.kairos.conclusive import Finding
from sealed_relay.kairos.seal import SealedRequest
from sealed_relay.kairos.verdict import ConclusiveAnswer
from sealed_relay.ledger.claim_rules import Record, StoredRequest, Tries
from sealed_relay.ports import KEY, Item, Value


def request_key(request_id: str) -> str:
    """The key of a request's small item."""
    return f"#request/{request_id}"


def envelope_key(request_id: str) -> str:
    """The key of a request's envelope."""
    return f"#envelope/{request_id}"


def text_for_event(text: str) -> str:
    """The text with quotes, backslashes and percent signs in percent-encoding.

    An EventBridge pipe puts it between quotes and escapes nothing. See `OutcomePipe` in template.yaml.
    """
    return text.replace("%", "%25").replace('"', "%22").replace("\\", "%5C")


@lru_cache(maxsize=16)  # the records of a batch are all written within a few milliseconds
def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 in ISO 8601, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _milliseconds(iso_time: str) -> int:
    return round(datetime.fromisoformat(iso_time).timestamp() * 1000)


def outcome_attributes(outcome: Outcome, now_ms: int) -> dict[str, Value | None]:
    """An outcome as attributes of a changed record. An attribute that does not apply is None, which removes it."""
    attributes: dict[str, Value | None] = {
        "status": outcome.status.value,
        "is_open": not outcome.status.is_final,
        "code": outcome.code,
        "reason": outcome.reason or None,
        "phonon_uuid": outcome.phonon_uuid or None,
        "api_request_id": outcome.api_request_id or None,
        "updated_at": iso(now_ms),
    }
    if outcome.status is Status.UNRESOLVED:  # it is never removed: a later outcome does not change this one
        attributes["may_have_been_delivered"] = True
    return attributes


def record_of(item: Item) -> Record:
    """The outcome record in an item."""
    code = item.get("code")
    return Record(
        outcome=Outcome(
            Status(str(item["status"])),
            str(item.get("reason", "")),
            _int(code) if code is not None else None,
            str(item.get("phonon_uuid", "")),
            api_request_id=str(item.get("api_request_id", "")),
        ),
        request_id=str(item["request_id"]),
        message_id=str(item["message_id"]),
        content_hash=_bytes(item["content_hash"]),
        lease_expires_at_ms=_int(item["lease_expires_at_ms"]),
        updated_at_ms=_milliseconds(str(item["updated_at"])),
        tries=Tries(_int(item["attempts"]), _int(item["refusals"]), item.get("may_have_been_delivered") is True),
    )


def stored_request_of(item: Item) -> StoredRequest:
    """The state of a stored request in its small item."""
    return StoredRequest(
        lease_id=str(item["lease_id"]),
        lease_expires_at_ms=_int(item["lease_expires_at_ms"]),
        is_answered="answer" in item,
        may_have_been_sent=item["may_have_been_sent"] is True,
        was_refused=item.get("was_refused") is True,
        unclear_answers=_int(item.get("unclear_answers", 0)),
        envelope_expires_at=_int(item["envelope_expires_at"]),
    )


def envelope_item(sealed: SealedRequest, expires_at: int) -> Item:
    """The large item. The body is mostly base64, which deflates by a quarter and inflates to the very same bytes."""
    return {
        KEY: envelope_key(sealed.request_id),
        "flow_id": sealed.flow_id,
        "endpoint": sealed.endpoint,
        "secret_version": sealed.secret_version,
        "first_start_time": sealed.first_start_time,
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
        first_start_time=str(item["first_start_time"]),
        body=zlib.decompress(_bytes(item["body"])),
        client_identifiers=msgspec.json.decode(
            zlib.decompress(_bytes(item["client_identifiers"])), type=tuple[str, ...]
        ),
        not_after_ms=_int(item["not_after_ms"]),
    )


class _StoredAnswer(msgspec.Struct, array_like=True):
    finding: Finding
    code: int | None
    phonon_uuids: Mapping[str, str]
    api_request_id: str
    detail: str = ""


def answer_attribute(answer: ConclusiveAnswer) -> bytes:
    """An answer as it is stored; it holds client identifiers and ids of the API, nothing that is secret."""
    stored = _StoredAnswer(answer.finding, answer.code, answer.phonon_uuids, answer.api_request_id, answer.detail)
    return _deflate(msgspec.json.encode(stored))


def answer_of(item: Item) -> ConclusiveAnswer | None:
    """The answer in a request's item; None where there is none yet."""
    if "answer" not in item:
        return None
    stored = msgspec.json.decode(zlib.decompress(_bytes(item["answer"])), type=_StoredAnswer)
    return ConclusiveAnswer(stored.finding, stored.code, stored.phonon_uuids, stored.api_request_id, stored.detail)


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_HUFFMAN_ONLY)
    return compressor.compress(data) + compressor.flush()


def _int(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise TypeError("An item of the table holds another type where a whole number belongs.")


def _bytes(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise TypeError("An item of the table holds another type where bytes belong.")
