"""A wire that breaks: it hands bytes on between a reader and a server, and cuts them off in the middle of anything."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from random import Random
from threading import Thread

AT_ONCE = struct.pack("ii", 1, 0)
"""A close that throws away what is on its way: a wire that is cut, and no end of a conversation."""


class Cutting:
    """Stands before a server; of each connection no more bytes arrive at the reader than chance allows.

    ``cuts`` of them are cut; those after them hold, so that every test comes to an end.
    """

    def __init__(self, address: str, chance: Random, cuts: int, most_bytes: int) -> None:
        host, _, port = address.rpartition("/")[2].partition(":")
        self._server, self._chance, self._most = (host, int(port)), chance, most_bytes
        self.left = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Cutting:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        # Who waits to accept is not woken by a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                reader, _ = self._listener.accept()
                limit = self._chance.randrange(self._most) if self.left else None
                try:
                    server = socket.create_connection(self._server)
                except ConnectionError:
                    # It was killed, and may come back.
                    reader.close()
                    continue
                self.left -= limit is not None
                Thread(target=_hand_on, args=(reader, server, None), daemon=True).start()
                Thread(target=_hand_on, args=(server, reader, limit), daemon=True).start()


def _hand_on(source: socket.socket, to: socket.socket, limit: int | None) -> None:
    """Hand on so many bytes, then cut both ends."""
    left = limit
    with suppress(OSError):
        while left is None or left > 0:
            data = source.recv(65_536 if left is None else min(left, 65_536))
            if not data:
                break
            to.sendall(data)
            left = None if left is None else left - len(data)
    for each in (source, to):
        with suppress(OSError):
            if limit is not None:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            each.shutdown(socket.SHUT_RDWR)
        each.close()
