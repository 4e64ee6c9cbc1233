"""The cost of sealing beside its minimum: one RSA operation per request, and the encoding of the payload."""

import hashlib
import os
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from sealed_relay.calls.call import Call
from sealed_relay.calls.message import Message, read
from sealed_relay.kairos.seal import seal
from tests.bench.in_process.flows import flow_with_large_key
from tests.bench.in_process.messages import one_call_bodies

_SENT_AT = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
_SECRET_TEXT = b"x" * 60
_TIMES = 10
"""How often each is done at a stretch: an invocation of many flows seals one request after the other."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Median CPU seconds: of sealing, and of the minimum work for the same result."""

    seconds: float
    floor_seconds: float


def sealing_one(repeats: int = 101) -> Sealing:
    """One call, beside the bare RSA-4096 wrap of a secret text."""
    public_key = flow_with_large_key().public_key
    [call] = _calls(1)
    return _measured(
        {"sealing": _sealing([call]), "floor": lambda: public_key.encrypt(_SECRET_TEXT, PKCS1v15())}, repeats
    )


def sealing_many(calls: int = 500, repeats: int = 51) -> Sealing:
    """Many calls, beside JSON, base64, AES and base64 of the same payload, and the RSA wrap."""
    public_key = flow_with_large_key().public_key
    sealed = _calls(calls)
    payload = {"calls": [call.payload(call.start_time) for call in sealed]}

    def floor() -> None:
        text = b64encode(msgspec.json.encode(payload))
        pad = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(hashlib.sha256(_SECRET_TEXT).digest()[:16]), modes.ECB()).encryptor()  # noqa: S305 - the API's choice
        b64encode(encryptor.update(pad.update(text) + pad.finalize()) + encryptor.finalize())
        public_key.encrypt(_SECRET_TEXT, PKCS1v15())

    return _measured({"sealing": _sealing(sealed), "floor": floor}, repeats)


def _sealing(calls: list[Call]) -> Callable[[], object]:
    flow = flow_with_large_key()
    return lambda: seal("0" * 32, flow, calls, os.urandom, now=_SENT_AT, give_up_after=timedelta(hours=24))


def _calls(count: int) -> list[Call]:
    bodies = one_call_bodies(count, 250)
    return [call for body in bodies for call in read(Message("message", "receipt", body, _SENT_AT, 1))]


def _measured(subjects: Mapping[str, Callable[[], object]], repeats: int) -> Sealing:
    """Measure both in turn, so that disturbances of the machine affect both alike."""
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(repeats):
        for name, subject in subjects.items():
            began = time.process_time()
            for _ in range(_TIMES):
                subject()
            seconds[name].append((time.process_time() - began) / _TIMES)
    return Sealing(median(seconds["sealing"]), median(seconds["floor"]))
