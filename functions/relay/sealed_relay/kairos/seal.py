"""Calls of a flow into a sealed request. Pure: what is random comes in as a parameter."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sealed_relay.batch.plan import NONCE_BYTES
from sealed_relay.calls.message import DATE_LENGTH, Call, service_time
from sealed_relay.kairos.encryption import body_of, encrypt, make_secret_text, payload_of, wrap
from sealed_relay.kairos.flow import Flow
from sealed_relay.ledger.items import SealedRequest


def seal(
    request_id: str,
    flow: Flow,
    calls: Sequence[Call],
    random_bytes: Callable[[int], bytes],
    *,
    now: datetime,
    give_up_after: timedelta,
) -> SealedRequest:
    """Seal calls for the API. `random_bytes` gives that many bytes, fit for keys."""
    now_there = service_time(now)
    payload = payload_of(
        [call.payload(now_there) for call in calls],
        flow_id=flow.flow_id,
        security_id=flow.security_id,
        api_version=flow.api_version,
        nonce=random_bytes(NONCE_BYTES),
    )
    secret_text = make_secret_text(random_bytes)
    body = body_of(encrypt(payload, secret_text), wrap(secret_text, flow.public_key, flow.key_wrap), flow.flow_id)
    return SealedRequest(
        request_id=request_id,
        flow_id=flow.flow_id,
        endpoint=flow.endpoint,
        secret_version=flow.version,
        service_date=now_there[:DATE_LENGTH],
        body=body,
        client_identifiers=tuple(call.client_identifier for call in calls),
        not_after_ms=int(min(call.deadline(give_up_after) for call in calls).timestamp() * 1000),
    )
