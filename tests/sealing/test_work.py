"""When the sealer works: every minute, at once after binding decisions, with no right to write, beside a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url

from cycle.aggregates.base import EVENTS
from cycle.sealing import BINDING, EVERY_SECONDS, SealRefused, SealsUnavailable
from cycle.store import RECORDED_AT_HOLE, Append, Unavailable
from cycle_adapters.sealing import sealer as sealer_module
from cycle_adapters.sealing import tree as tree_module
from cycle_adapters.sealing.beside import Work, sealing
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Seal, Sealer
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.proofs.sealing import KEY
from tests.sealing.logs import Clock, Teller, sealer
from tests.sealing.test_sealer import changed, unlocked
from tests.store.saves import save

ROOT = Path(__file__).parents[2]


class Script:
    """A wait that nobody waits for: each time the next thing happens, and time goes on as it says."""

    def __init__(self, clock: Clock, *happenings) -> None:  # type: ignore[no-untyped-def]
        self._clock, self._happenings = clock, list(happenings)
        self.asked: list[float] = []

    def wait(self, timeout_seconds: float) -> bool:
        self.asked.append(timeout_seconds)
        if not self._happenings:
            self._clock.seconds += timeout_seconds
            return False
        self._clock.seconds += 1
        self._happenings.pop(0)()
        return True


class Heard:
    """What was told, and when to stop."""

    def __init__(self, after: int) -> None:
        self.said: list[object] = []
        self._after = after

    def tell(self, said: Seal | Unavailable | SealsUnavailable) -> None:
        self.said.append(said)

    def is_enough(self) -> bool:
        return len(self.said) >= self._after


def test_what_is_binding_is_declared_by_names_of_events() -> None:
    assert {"deliberation-recorded", "plan-agreed", "framework-dissolved"} == BINDING
    assert EVENTS.keys() >= BINDING


def test_an_idle_log_is_sealed_every_minute(store: SqlRecorder, tmp_path: Path) -> None:
    clock, heard = Clock(), Heard(3)
    script = Script(clock)
    sealer(store, tmp_path / "seals", clock).run(script, clock.elapsed, heard.is_enough, heard.tell)
    assert heard.said == [Seal(0, (), 0)] * 3
    assert all(EVERY_SECONDS - 3 < each <= EVERY_SECONDS for each in script.asked)


def test_a_binding_decision_is_sealed_at_once_and_others_with_the_minute(store: SqlRecorder, tmp_path: Path) -> None:
    clock, heard, teller = Clock(), Heard(2), Teller(store)
    decided = save("framework-x", key="decided")
    agreed = replace(decided.leaves[0], topic="plan-agreed")
    agreed = replace(agreed, state=agreed.state.replace(b"progress-reported", b"plan-agreed"))
    positions: list[int] = []

    def others_write() -> None:
        teller.tell(3)
        positions.append(store.head().position)

    def decide() -> None:
        store.append(Append((_with_uuid(agreed),), "decided", decided.digest))

    script = Script(clock, others_write, others_write, decide)
    sealer(store, tmp_path / "seals", clock).run(script, clock.elapsed, heard.is_enough, heard.tell)
    first, second = heard.said
    assert isinstance(first, Seal)
    assert isinstance(second, Seal)
    assert first.position == 0
    assert second.position == store.head().position == positions[-1] + 1
    assert len(script.asked) == 3, "the decision did not wait for its minute, the others did"
    assert clock.seconds < EVERY_SECONDS


def test_what_was_looked_at_is_not_looked_at_again(
    store: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy minute would be read from its beginning at each of its events."""
    clock, heard, teller = Clock(), Heard(2), Teller(store)
    looked: list[tuple[int, int | None]] = []
    read = store.read

    def noted(after: int, limit: int | None = None, *, up_to: int | None = None, **more: Any) -> Any:
        looked.append((after, up_to))
        return read(after, limit, up_to=up_to, **more)

    monkeypatch.setattr(store, "read", noted)
    script = Script(clock, *[lambda: teller.tell(3)] * 3)
    sealer(store, tmp_path / "seals", clock).run(script, clock.elapsed, heard.is_enough, heard.tell)
    begun, ended = [after for after, _ in looked], [up_to for _, up_to in looked]
    assert begun == [0, *ended[:-1]]
    assert len(looked) == 3
    assert ended[-1] == store.head().position


def _with_uuid(leaf):  # type: ignore[no-untyped-def]
    identity = "0185958b-1c00-7000-8000-000000000001"
    state = leaf.state.replace(leaf.id.encode() + b'"', identity.encode() + b'"', 1)
    hole = state.index(RECORDED_AT_HOLE.encode())
    return replace(leaf, id=identity, state=state, hole=hole)


def test_a_database_that_is_away_is_waited_for(
    store: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, heard = Clock(), Heard(2)
    Teller(store).tell(3)
    working = sealer(store, tmp_path / "seals", clock)
    real = store.head
    answers = iter([Unavailable("no-server", "x")])

    def head():  # type: ignore[no-untyped-def]
        for error in answers:
            raise error
        return real()

    monkeypatch.setattr(store, "head", head)
    working.run(Script(clock), clock.elapsed, heard.is_enough, heard.tell)
    assert isinstance(heard.said[0], Unavailable)
    assert isinstance(heard.said[1], Seal)
    assert heard.said[1].position == real().position


def test_a_full_disk_loses_nothing_and_the_next_seal_goes_on(
    store: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller = Teller(store)
    teller.tell(20)
    working = sealer(store, tmp_path / "seals")
    working.seal()
    for name, place in (("publish", sealer_module), ("publish", tree_module), ("append", tree_module)):
        for fails_at in range(1, 6):
            teller.tell(2)
            real, calls = getattr(place, name), iter(range(1, 1000))

            def full(*arguments, _real=real, _calls=calls, _at=fails_at):  # type: ignore[no-untyped-def]
                if next(_calls) == _at:
                    raise OSError(28, "No space left on device")
                return _real(*arguments)

            with monkeypatch.context() as patch:
                patch.setattr(place, name, full)
                with suppress(SealsUnavailable):
                    working.seal()
            assert working.seal().position == store.head().position
    # Another process finds it whole.
    assert sealer(store, tmp_path / "seals").seal(whole=True).position == store.head().position


def test_reading_is_all_that_it_may_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    writer = SqlRecorder(open_database(postgres_url))
    Teller(writer).tell(30)
    url = make_url(postgres_url)
    role = f"sealer_{url.database}"
    address = {"host": url.host, "port": url.port, "dbname": url.database}
    with psycopg.connect(user=url.username, autocommit=True, **address) as connection:  # type: ignore[arg-type]
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT SELECT ON events, receipts, alembic_version TO {role}")
    store = SqlRecorder(open_database(url.set(username=role).render_as_string()))
    done = sealer(store, tmp_path / "seals").seal()
    assert done.position == writer.head().position
    work = Work(store, Sealer(store, Folder(tmp_path / "seals"), KEY, Clock().now), lambda said: work.stop())
    work.run()
    with pytest.raises(Unavailable, match="permission denied for table events"):
        store.append(save("framework-y"))
    store.close()
    writer.close()


def test_a_server_seals_beside_its_work(
    store: SqlRecorder, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Teller(store).tell(5)
    key = tmp_path / "key"
    key.write_text(KEY.secret())
    key.chmod(0o600)
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    with sealing(store, database_url, "en"):
        pass
    assert not (tmp_path / "seals").exists(), "no key, no seal"
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    with (
        sealing(store, database_url, "en"),
        pytest.raises(SealsUnavailable, match="another sealer"),
        sealing(store, database_url, "en"),
    ):
        pass
    assert Folder(tmp_path / "seals").checkpoint(None) is not None


def test_a_refusal_beside_a_server_is_said_and_the_server_goes_on(
    store: SqlRecorder,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Teller(store).tell(5)
    sealer(store, tmp_path / "seals").seal()
    unlocked(store)
    changed(store, "DELETE FROM events WHERE position = 6")
    key = tmp_path / "key"
    key.write_text(KEY.secret())
    key.chmod(0o600)
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    with sealing(store, database_url, "fr"):
        pass
    assert "REFUSÉ, rien n'a été signé" in capsys.readouterr().err
    with pytest.raises(SealRefused):
        sealer(store, tmp_path / "seals").seal()


def test_the_program_stops_when_it_is_told_to(sqlite_url: str, tmp_path: Path) -> None:
    store = SqlRecorder(open_database(sqlite_url))
    Teller(store).tell(5)
    store.close()
    key = tmp_path / "key"
    key.write_text(KEY.secret())
    key.chmod(0o600)
    command = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()"]
    environment = {**os.environ, "CYCLE_DATABASE": sqlite_url, "CYCLE_SEAL_KEY": str(key)}
    started = subprocess.Popen(
        [*command, "--lang", "en", "seal"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert started.stderr is not None
    assert "logs have a new head" in started.stderr.readline()
    started.send_signal(signal.SIGTERM)
    _, rest = started.communicate(timeout=60)
    assert (started.returncode, rest) == (0, "")
