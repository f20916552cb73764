"""``cycle export bundle --with-personal``: who may takes the openings along, and the log says so."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from cycle.aggregates.base import PLATFORM, Role
from cycle.aggregates.disclosure import PeopleDisclosed
from cycle.aggregates.terms import Purpose
from cycle.proofs.disclosure import Disclosed, Opening
from tests.cli.run import Cli
from tests.people import EVERYWHERE, admit
from tests.proofs.packing import laid, listed
from tests.vault.town import AWA, DIORO, LOG, SECRETS, Town

HANDED_OUT = ("people-disclosed", "bundle-exported")


@pytest.fixture
def cli(
    town: Town, tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """The command line on the database of a town in which Mara supervises and Adama audits."""
    admit(
        town.engine,
        ("mara", Role.SUPERVISING_AUTHORITY, EVERYWHERE),
        ("adama", Role.AUDITOR, EVERYWHERE),
        ("far", Role.SUPERVISING_AUTHORITY, "ML/Koulikoro"),
        ("far", Role.AUDITOR, "ML/Koulikoro"),
        ("operator-2", Role.OPERATOR, EVERYWHERE),
    )
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(key))
    monkeypatch.setenv("CYCLE_SEALS", str(tmp_path / "seals"))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(tmp_path / "seal.key"))
    found = Cli(town.url, capsys)
    found.ok("seal", "--new-key", "cycle.example.org")
    return found


def seal(cli: Cli) -> None:
    cli.ok("--actor", "operator-2", "seal", "--once")


def export(to: Path, actor: str = "mara", purpose: str | None = "auditing", commune: str = DIORO) -> list[str]:
    """What somebody says who wants a bundle."""
    wanted = ["--with-personal", purpose] if purpose else []
    return ["--actor", actor, "export", "bundle", "--commune", commune, "--to", str(to), *wanted]


def recorded(town: Town) -> list[str]:
    """What the platform log says was handed out."""
    return [topic for _, topic, *_ in town.engine.store.read(0, log=PLATFORM) if topic in HANDED_OUT]


def lines(bundle: Path) -> list[Disclosed]:
    found = (bundle / "disclosures.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Disclosed) for line in found]


@pytest.mark.parametrize(
    ("lang", "went_in", "beware", "held"),
    [
        ("fr", "3 ouvertures de 1 personne y figurent (audit)", "données personnelles", "événements : 3"),
        ("en", "3 openings of 1 person went in (audit)", "now holds personal data", "their events: 3"),
    ],
)
def test_openings_go_in_and_hold_and_that_is_recorded_and_told(
    town: Town, cli: Cli, tmp_path: Path, lang: str, went_in: str, beware: str, held: str
) -> None:
    town.record()
    seal(cli)
    ran = cli.ok(*export(tmp_path / "b"), lang=lang)
    assert went_in in ran.out
    assert beware in ran.err
    assert recorded(town) == list(HANDED_OUT)
    assert {Opening.parse(each.disclosure).value for each in lines(tmp_path / "b")} == set(SECRETS)
    verified = cli.ok("verify", str(tmp_path / "b"), lang=lang).out
    assert held in verified
    said = (tmp_path / "b" / "README.txt").read_text("utf-8")
    assert "les données personnelles remises avec ce lot" in said
    assert "disclosures.jsonl: the personal data handed out with this bundle" in said


def test_a_bundle_with_openings_is_for_its_owner_alone(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    for name in ("b", "b.zip"):
        cli.ok(*export(tmp_path / name))
        cli.ok(*export(tmp_path / f"bare-{name}", purpose=None))
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE((tmp_path / f"bare-{name}").stat().st_mode) & 0o044
        cli.ok("verify", str(tmp_path / name))


def test_the_record_says_of_how_many_people_up_to_which_size_and_what_for(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    town.record(replace(AWA, person="p-2", name="Issa", function=None))
    seal(cli)
    said = cli.ok("--json", *export(tmp_path / "b", purpose="payment")).json
    assert (said["openings"], said["people"], said["size"]) == (5, 2, 3)
    *_, (_, topic, schema, leaf) = town.engine.store.read(0, log=PLATFORM, types=[PeopleDisclosed.type])
    fact = town.engine.leaves[topic, schema](leaf)
    assert fact.data == PeopleDisclosed(DIORO, 2, 3, Purpose.PAYMENT)
    assert (fact.by.actor, fact.by.role) == ("mara", Role.SUPERVISING_AUTHORITY)
    assert cli.ok("--json", "verify", str(tmp_path / "b")).json["openings"] == 5


def test_without_the_option_nothing_personal_leaves(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    ran = cli.ok(*export(tmp_path / "b", purpose=None), lang="en")
    assert "opening" not in ran.out + ran.err
    assert lines(tmp_path / "b") == []
    assert recorded(town) == ["bundle-exported"]
    assert "personal" not in cli.ok("verify", str(tmp_path / "b"), lang="en").out


@pytest.mark.parametrize("actor", ["mayor-1", "far", "fanta", "nobody"])
@pytest.mark.parametrize("is_anything_kept", [True, False])
def test_who_may_not_takes_nothing_and_learns_nothing(
    town: Town, cli: Cli, tmp_path: Path, actor: str, is_anything_kept: bool
) -> None:
    """Who may see personal data may not export for that; who may both elsewhere may not here."""
    if is_anything_kept:
        town.record()
    seal(cli)
    before = set(tmp_path.iterdir())
    ran = cli(*export(tmp_path / "b", actor))
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert recorded(town) == []
    assert set(tmp_path.iterdir()) == before


def test_who_audits_may_too(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    cli.ok(*export(tmp_path / "b", "adama"))
    assert len(lines(tmp_path / "b")) == 3
    assert recorded(town) == list(HANDED_OUT)


def test_an_opening_that_was_changed_is_named_by_its_index(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    cli.ok(*export(tmp_path / "b"))
    honest = lines(tmp_path / "b")
    name = Opening.parse(honest[0].disclosure).name
    for other in (
        Opening(bytes(32), name, "Issa").disclosure(),
        honest[0].disclosure[:-1],
        honest[0].disclosure.swapcase(),
        "",
    ):
        changed = sorted([Disclosed(honest[0].index, other), *honest[1:]])
        files = {str(p.relative_to(tmp_path / "b")): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
        files["disclosures.jsonl"] = b"".join(each.line() + b"\n" for each in changed)
        as_of = msgspec.json.decode(files["manifest.json"])["as_of"]
        laid(listed(files, LOG, as_of=as_of), tmp_path / "changed")
        ran = cli("verify", str(tmp_path / "changed"), lang="en")
        assert ran.code == 1
        assert f"first wrong index {honest[0].index}: disclosures.jsonl, line " in ran.err


def test_who_is_forgotten_has_no_opening_and_old_bundles_and_new_ones_hold(
    town: Town, cli: Cli, tmp_path: Path
) -> None:
    awa = town.record()
    issa = town.record(replace(AWA, person="p-2", name="Issa", telephone=None, function=None))
    seal(cli)
    cli.ok(*export(tmp_path / "then"))
    town.forget(awa)
    # Of what is sealed already, and of what is sealed anew.
    cli.ok(*export(tmp_path / "between"))
    seal(cli)
    cli.ok(*export(tmp_path / "now"))
    assert [len(lines(tmp_path / name)) for name in ("then", "between", "now")] == [4, 1, 1]
    town.forget(issa)
    ran = cli.ok(*export(tmp_path / "nobody"), lang="en")
    assert "No opening went in" in ran.out
    assert "personal data" not in ran.err
    assert recorded(town) == [*HANDED_OUT * 3, "bundle-exported"]
    for name in ("then", "between", "now", "nobody"):
        cli.ok("verify", str(tmp_path / name), "--old", str(tmp_path / "then" / "checkpoint"))


def test_a_bundle_of_an_earlier_size_has_openings_of_its_own_leaves_only(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    town.record(replace(AWA, person="p-2", name="Issa"))
    said = cli.ok("--json", *export(tmp_path / "b")).json
    assert (said["size"], said["since"], said["openings"], said["people"]) == (2, 1, 3, 1)
    assert {each.index for each in lines(tmp_path / "b")} == {1}
    cli.ok("verify", str(tmp_path / "b"))


def test_the_platform_has_no_people(town: Town, cli: Cli, tmp_path: Path) -> None:
    town.record()
    seal(cli)
    assert "No opening went in" in cli.ok(*export(tmp_path / "b", commune="platform"), lang="en").out
    assert recorded(town) == ["bundle-exported"]


def test_a_vault_that_does_not_open_lets_nothing_out(
    town: Town, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.record()
    seal(cli)
    monkeypatch.delenv("CYCLE_VAULT_KEY")
    ran = cli(*export(tmp_path / "b"))
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    monkeypatch.setenv("CYCLE_VAULT_KEY", str(town.key))
    with town.engine.store.database.begin() as connection:
        connection.execute(
            text("UPDATE vault_openings SET sealed = :sealed WHERE field = 'name'"), {"sealed": b"x" * 60}
        )
    ran = cli(*export(tmp_path / "b"), lang="en")
    assert (ran.out, ran.err.count("\n")) == ("", 1)
    assert "was changed or damaged" in ran.err
    assert recorded(town) == []
    assert not (tmp_path / "b").exists()
