"""What NATS answers when it does not take an event, in our words."""

from __future__ import annotations

import ssl
from concurrent.futures import CancelledError

from nats.errors import (
    AuthorizationError,
    MaxPayloadError,
    NoRespondersError,
    NoServersError,
)
from nats.errors import (
    TimeoutError as NoAnswer,
)
from nats.js.errors import APIError, ServiceUnavailableError

from cycle.failures import UNAVAILABLE, USAGE, Failure

FULL = frozenset({10002, 10023, 10028, 10047, 10054, 10077})
"""Limits of an account, a server or the stream: resources, memory, storage, a message, messages and bytes."""
WITHOUT = frozenset({10039, 10076})
"""JetStream is not enabled, for the account or at all."""
NO_STREAM = frozenset({10059, 10060})
"""No such stream, or another one takes the subject."""
MOVED = frozenset({10071})
"""The stream does not end where it was thought to end."""


class BadNats(Failure):
    """A setting about NATS cannot be used."""

    kind = "nats-settings"
    exit_code = USAGE


class NatsTrouble(Failure):
    """NATS does not do what is asked of it now; ``cause`` says why."""

    kind = "nats"
    code = "nats"
    exit_code = UNAVAILABLE


class Moved(NatsTrouble):
    """The stream is not where it was thought to be: somebody else publishes, deleted it or made it anew."""


def named(error: BaseException) -> NatsTrouble:
    """The trouble behind an exception of the client."""
    said = str(error).removeprefix("nats: ")
    match error:
        case NatsTrouble():
            return error
        case APIError(err_code=int(number), description=description):
            return answered(number, str(description))
        case ServiceUnavailableError():
            # The client's own, where nobody answers for JetStream.
            return NatsTrouble("no-jetstream", why="no responders")
        case AuthorizationError():
            return NatsTrouble("credentials", why="authorization violation")
        case MaxPayloadError():
            return NatsTrouble("too-large")
        case NoRespondersError():
            return NatsTrouble("no-jetstream", why="no responders")
        case NoServersError() | ConnectionError():
            return NatsTrouble("unreachable", why=said)
        case ssl.SSLError():
            return NatsTrouble("tls", why=error.reason or type(error).__name__)
        case NoAnswer() | TimeoutError() | CancelledError():
            return NatsTrouble("no-answer")
        case OSError():
            return NatsTrouble("unreachable", why=error.strerror or type(error).__name__)
    # The server's own words for what it does not allow: "permissions violation for publish to …".
    lower = said.lower()
    if "permissions violation" in lower:
        return NatsTrouble("permissions", why=said)
    if "authorization" in lower or "authentication" in lower:
        return NatsTrouble("credentials", why=said)
    return NatsTrouble("other", why=said or type(error).__name__)


def answered(number: int, description: str) -> NatsTrouble:
    """The trouble behind an error of JetStream, by its number."""
    if number in MOVED:
        return Moved("moved", why=description)
    if number in NO_STREAM:
        return Moved("no-stream", why=description)
    if number in FULL:
        return NatsTrouble("full", why=description)
    if number in WITHOUT:
        return NatsTrouble("no-jetstream", why=description)
    return NatsTrouble("other", why=f"{description} ({number})")
