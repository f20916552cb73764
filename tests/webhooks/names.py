"""A real DNS server on this machine, whose names answer as the test says: each time anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread

import dns.message
import dns.query
import dns.rdatatype
import dns.rrset


class Names:
    """``answers[name]`` are the addresses that a name has the first time, the second time …; the last ones stay."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.port = 0

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text().rstrip("."), question.rdtype
        found = self.answers[name]
        if kind == dns.rdatatype.A:
            self.asked.append(name)
        now = found[0]
        if kind == dns.rdatatype.AAAA and len(found) > 1:
            found.pop(0)
        version = 4 if kind == dns.rdatatype.A else 6
        addresses = [each for each in now if ip_address(each).version == version]
        response = dns.message.make_response(query)
        if addresses:
            response.answer.append(dns.rrset.from_text(question.name, 0, "IN", dns.rdatatype.to_text(kind), *addresses))
        return response

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """As a stub resolver does: one question for each kind of address."""
        found: list[str] = []
        for kind in ("A", "AAAA"):
            response = dns.query.udp(dns.message.make_query(host, kind), "127.0.0.1", 10, self.port)
            found += [record.address for answer in response.answer for record in answer]
        if not found:
            raise OSError("no such name")
        return found


@contextmanager
def naming() -> Iterator[Names]:
    """A server that answers."""
    names = Names()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(names.answer(dns.message.from_wire(data)).to_wire(), self.client_address)

    with ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        names.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield names
        finally:
            server.shutdown()
            thread.join()
