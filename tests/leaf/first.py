"""A program in which a thread decodes into a class that another one is still finding out about. Run by the tests."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import Any

from msgspec import Struct

from cycle import shapes

begun, go_on = Event(), Event()


def looked_at() -> type[int]:
    """What the type of a field is said to be: whoever asks is held up in the middle."""
    begun.set()
    assert go_on.wait(60)
    return int


class Inner(Struct):
    number: looked_at()  # type: ignore[valid-type]


class Outer(Struct):
    inner: Inner


class Told:
    """A lock that lets go on whom somebody waits for."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            go_on.set()
            self._lock.acquire()

    def __exit__(self, *raised: Any) -> None:
        self._lock.release()


def main() -> None:
    shapes._looking = Told()  # type: ignore[assignment]
    first = Thread(target=shapes.understood, args=(Outer,))
    first.start()
    assert begun.wait(60)
    print(shapes.decoder(Outer).decode(b'{"inner":{"number":1}}').inner.number)
    first.join()


if __name__ == "__main__":
    main()
