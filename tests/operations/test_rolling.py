"""Processes that serve are restarted one after the other behind the proxy as it is deployed: nobody hears of it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from tests.operations.test_deploy import DEPLOY
from tests.postgres import lasting_port
from tests.trials.house import house
from tests.trials.load import Load, sending

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def configured(folder: Path, port: int, addresses: list[str]) -> Path:
    """What is deployed, at a port of this machine without TLS, before these servers; it writes below a folder."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    text = re.sub(r"\n    (listen|ssl_|server_name|add_header)[^\n]*", "", text)
    servers = "".join(f"server {each.partition('//')[2]} max_fails=0;" for each in addresses)
    text = re.sub(r"server 127\.0\.0\.1:8000 [^\n]*", servers, text)
    text = text.replace("server {", f"server {{\n    listen 127.0.0.1:{port};", 1)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    written = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    found = folder / "nginx.conf"
    found.write_text(
        f"{user} daemon off; pid {folder}/pid; error_log {folder}/errors;"
        f" events {{}} http {{ access_log {folder}/asked; {written}\n{text}\n}}"
    )
    return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def before(folder: Path, addresses: list[str]) -> Iterator[str]:
    """nginx before some servers; yields its address."""
    assert NGINX, "there is no nginx here: install it"
    port = lasting_port()
    process = subprocess.Popen([NGINX, "-c", str(configured(folder, port, addresses)), "-p", str(folder)])
    while not _answers(port):
        sleep(0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def test_each_is_restarted_in_turn_and_no_request_fails() -> None:
    with TemporaryDirectory(prefix="cycle-rolling-") as name, house(Path(name), 3, working=1) as town:
        folder = Path(name) / "nginx"
        folder.mkdir()
        with before(folder, town.addresses) as address:
            load = Load([address], town.tokens, town.frameworks, per_second=20)
            with sending(load):
                load.goes_on(10)
                for server in town.serving * 2:
                    assert server.stop() == 0
                    load.goes_on(10)
                    server.start()
                    load.goes_on(10)
        asked = (folder / "asked").read_text().splitlines()
        answers = {line.split('" ')[1].split()[0] for line in asked}
    assert load.refused == []
    assert answers <= {"201", "200"}
    assert {each.times for each in load.acknowledged} == {1}, "somebody had to send again"
