"""Signatures of the Standard Webhooks specification: what a receiver verifies before it believes anything.

Source: https://github.com/standard-webhooks/standard-webhooks (symmetric signatures, ``v1``).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from hmac import digest

SECRET_BYTES = 32
PREFIX = "whsec_"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def new_secret(random_bytes: Callable[[int], bytes]) -> bytes:
    return random_bytes(SECRET_BYTES)


def written(secret: bytes) -> str:
    """The secret as it is handed over: ``whsec_`` and base64."""
    return PREFIX + b64encode(secret).decode()


def signature(secret: bytes, event: str, seconds: int, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA-256 over id, time and body."""
    signed = b"%b.%d.%b" % (event.encode(), seconds, body)
    return f"v1,{b64encode(digest(secret, signed, 'sha256')).decode()}"


def headers(secrets: Iterable[bytes], event: str, seconds: int, body: bytes) -> dict[str, str]:
    """What is sent with a body; while secrets rotate, each of them signs."""
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signature(secret, event, seconds, body) for secret in secrets),
    }
