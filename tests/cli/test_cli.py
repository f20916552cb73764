"""Every verb, in both languages, for people and for programs; every exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path as File

import pytest

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle_adapters.cli.settings import language_of
from tests.cli.run import Cli
from tests.engine.path import Path

WHAT = ("frameworks", "plan", "obstacles", "needs", "commitments", "attendance", "requests", "calendar", "audit")


def test_help_answers_without_loading_the_engine() -> None:
    program = (
        "import sys\nfrom cycle_adapters.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'fastapi', 'eventsourcing', 'psycopg', 'uvicorn'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "heavy: []" in out
    assert "rebuild" in out


def test_the_language_is_asked_for_or_that_of_the_locale_or_french() -> None:
    assert language_of("en", {"LANG": "fr_FR.UTF-8"}) == "en"
    assert language_of(None, {"LC_ALL": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}) == "en"
    assert language_of(None, {"LANG": "bm_ML.UTF-8"}) == "fr"
    assert language_of(None, {}) == "fr"


def test_from_nothing_to_a_proposal(cli: Cli) -> None:
    cli.begin()
    assert "wocat-pact-1" in cli.ok("policy", "publish").out
    commune = ("--set", "commune=ML-4-01-01", "--set", "name=Dioro", "--set", "region=Ségou", "--set", "circle=Ségou")
    assert "La commune de Dioro est enregistrée" in cli.ok("do", "register-commune", *commune).out
    receipt = cli.ok(
        "--json", "do", "propose-framework", "--set", "commune=ML-4-01-01", "--set", "title=Cadre", "--key", "k-1"
    ).json
    assert [line["type"] for line in receipt["events"]] == ["framework-proposed"]
    again = cli.ok(
        "--json", "do", "propose-framework", "--set", "commune=ML-4-01-01", "--set", "title=Cadre", "--key", "k-1"
    )
    assert again.json == receipt
    other = cli("do", "propose-framework", "--set", "commune=ML-4-01-01", "--set", "title=Autre", "--key", "k-1")
    assert (other.code, "a déjà servi" in other.err) == (3, True)
    refused = cli("do", "prioritise-sectors", "--framework", "dioro", "--set", "sectors=rice")
    assert refused.code == 1
    assert "il en faut au moins 2 (wocat-pact-1, article 1)" in refused.err
    assert refused.err.count("\n") == 1
    as_json = cli("--json", "do", "prioritise-sectors", "--framework", "Dioro", "--set", "sectors=rice")
    said = json.loads(as_json.err)
    assert said["code"] == "refused"
    assert said["reasons"][0]["code"] == "too-few-sectors"
    assert "at least 2" in said["reasons"][0]["text"]["en"]


def test_fields_come_from_a_file_from_stdin_and_from_the_command_line(
    cli: Cli, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.begin()
    data = tmp_path / "commune.json"
    data.write_text('{"commune":"ML-4-01-01","name":"X","region":"Ségou","circle":"Ségou"}')
    out = cli.ok(
        "do", "register-commune", "--data", str(data), "--set", "name=Dioro", "--set", "aliases=Djoro,Dyoro"
    ).out
    assert "Dioro" in out
    assert cli("do", "register-commune", "--data", str(tmp_path / "none.json")).code == 2
    data.write_text("[1]")
    assert cli("do", "register-commune", "--data", str(data)).code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("do", "prioritize-sectors"), "prioritise-sectors"),
        (("do", "suspend", "--set", "raison=x"), "n'a pas de champ raison ; il y a : reason"),
        (("do", "suspend", "--set", "reason"), "écrivez --set champ=valeur"),
        (("do", "suspend", "--set", "reason=x"), "demande --framework"),
        (("do", "suspend", "--framework", "Dioro"), "Il manque à suspend : reason"),
        (
            (
                *("do", "register-commune", "--framework", "Dioro", "--set", "commune=ML-4-01-01"),
                *(f"--set={field}=R" for field in ("name", "region", "circle")),
            ),
            "retirez --framework",
        ),
        (("do", "follow-up-deliberation", "--id", "x"), "Il n'y a pas de verbe follow-up-deliberation"),
        (("do", "suspend", "--framework", "Nulle-Part", "--set", "reason=x"), "Nulle-Part"),
        (("next", "Nulle-Part"), "cycle show frameworks"),
        (("show", "nothing"), "QUOI ne peut pas être nothing ; il faut : frameworks"),
        (("diff", "Dioro", "--from", "31/12/2024", "--to", "9"), "un jour comme 2026-03-31"),
        (("fly",), "Il n'y a pas de verbe fly"),
        (("policy", "show", "nothing"), "cycle policy list"),
        (("policy", "check", "no-such-file.json"), "no-such-file.json"),
        (("rebuild", "nothing"), "audit"),
        (("show", "frameworks", "--region", "Segu"), "Il n'y a pas de région Segu"),
        (("show", "frameworks", "extra"), "Il y a un mot de trop : extra ; voir : cycle show --help"),
        (("next",), "Il manque ID"),
    ],
)
def test_wrong_usage_says_what_to_write(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    cli.begin()
    cli.ok("policy", "publish")
    ran = cli(*arguments)
    assert ran.code == 2
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_database_that_cannot_be_used_is_unavailable(cli: Cli) -> None:
    cli.url = "sqlite:///no/such/folder/a.db"
    ran = cli("show", "frameworks")
    assert (ran.code, "créez-le" in ran.err) == (4, True)


def test_commands_and_their_fields_can_be_looked_up(cli: Cli) -> None:
    assert "agree-plan" in cli.ok("do").out
    assert "Period" not in cli.ok("do", "agree-plan", "--fields").out
    out = cli.ok("do", "agree-plan", "--fields", lang="en").out
    assert "Window of the plan" in out
    assert "by: facilitator" in out
    assert cli.ok("--json", "do", "agree-plan", "--fields").json["$defs"]["AgreePlan"]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("what", WHAT)
def test_show_tells_people_and_programs(demo: Cli, what: str, language: str) -> None:
    assert demo.ok("show", what, lang=language).out
    rows = demo.ok("--json", "show", what).json
    assert all(isinstance(value, list) for value in rows.values())


def test_next_explains_itself_in_every_stage_it_is_in(demo: Cli) -> None:
    """In French, so that a facilitator knows whom to call."""
    rows = demo.ok("--json", "show", "frameworks").json["frameworks"]
    stages = {row["stage"]: row["framework"] for row in rows}
    assert len(stages) >= 4
    for stage, identity in stages.items():
        out = demo.ok("next", identity, "--all").out
        assert "Ce qui est possible maintenant" in out
        found = demo.ok("--json", "next", identity).json
        assert found["stage"] == stage
        for option in found["options"]:
            for reason in option["reasons"]:
                assert reason["text"]["fr"]
                assert reason["help"]["fr"]
        refused = [option for option in found["options"] if not option["allowed"]]
        assert not refused or "Qui peut lever ce point" in out
    assert set(stages) <= {stage.value for stage in Stage}


def test_replay_tells_the_history_of_a_commune_and_its_state(demo: Cli) -> None:
    out = demo.ok("replay", "Dioro").out
    assert "La commune de Dioro est enregistrée" in out
    assert "État qui en résulte" in out
    lines = [json.loads(line) for line in demo.ok("--json", "replay", "Dioro").out.splitlines()]
    assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)
    early = demo.ok("--json", "replay", "Dioro", "--at", str(lines[10]["position"])).out.splitlines()
    assert len(early) == 11
    held = demo.ok("--json", "replay", "Dioro", "--as-of", "2023-02-01").out.splitlines()
    known = demo.ok("--json", "replay", "Dioro", "--known-at", "2023-02-01T00:00:00Z").out.splitlines()
    assert 0 < len(known) <= len(held) < len(lines)


def test_show_as_of_a_past_moment(demo: Cli) -> None:
    now = demo.ok("--json", "show", "frameworks", "--commune", "Dioro").json["frameworks"][0]
    then = demo.ok("--json", "show", "frameworks", "--commune", "Dioro", "--as-of", "2023-04-01").json["frameworks"]
    assert then[0]["framework"] == now["framework"]
    assert then[0]["cycle"] < now["cycle"]
    head = demo.ok("--json", "show", "frameworks", "--at", "1000000").json
    assert head == demo.ok("--json", "show", "frameworks").json


def test_the_audit_trail_of_a_framework_as_of_a_day_is_a_part_of_the_one_of_today(demo: Cli) -> None:
    now = demo.ok("--json", "show", "audit", "--framework", "Dioro").json["audit_trail"]
    then = demo.ok("--json", "show", "audit", "--framework", "Dioro", "--as-of", "2023-04-01").json["audit_trail"]
    assert 0 < len(then) < len(now)
    assert {row["stream"] for row in then} == {row["stream"] for row in now}
    assert then == [row for row in now if row["occurred_on"] <= "2023-04-01"]


def test_places_are_named_and_found_as_of_the_same_moment_as_the_rows(demo: Cli) -> None:
    programme = ("--id", "Dioro", "--role", "programme")
    demo.ok("do", "rename-commune", *programme, "--set=name=Joro", "--set=since=2026-01-01", "--on", "2026-01-01")
    moved = ("--set=region=San", "--set=circle=Tominian", "--set=since=2026-01-01", "--on", "2026-01-01")
    demo.ok("do", "change-parent", *programme, *moved)
    assert "Joro" in demo.ok("show", "frameworks", "--circle", "Tominian").out
    before = ("--as-of", "2025-12-31")
    assert "Dioro" in demo.ok("show", "frameworks", "--circle", "Ségou", *before).out
    assert "Joro" not in demo.ok("show", "frameworks", *before).out
    assert "Dioro" in demo.ok("show", "frameworks", "--commune", "Joro", *before).out


def test_what_a_rule_only_warns_of_is_said_when_it_is_recorded(cli: Cli) -> None:
    with Engine(cli.url) as engine:
        framework = Path(engine).to(Stage.MEETING)
    meeting = ("--set=held_on=2026-02-09", "--set=place=Mairie")
    ran = cli.ok("do", "convene-meeting", "--framework", framework, "--on", "2026-02-08", *meeting)
    said = " ".join(ran.out.split())
    assert "Attention : Le délai de convocation est de 1 jour, 7 sont d'usage" in said
    assert "Qui peut lever ce point : facilitateur/facilitatrice ou maire." in said


def test_a_refusal_names_who_can_lift_it(cli: Cli) -> None:
    with Engine(cli.url) as engine:
        framework = Path(engine).to(Stage.ADJUSTMENT)
    refused = cli("do", "next-meeting", "--framework", framework)
    assert refused.code == 1
    assert "n'a pas d'issue ; responsable : Coopérative Benkadi" in refused.err
    assert "Qui peut lever ce point : " in refused.err


def test_a_second_call_says_that_no_quorum_was_asked_for(cli: Cli) -> None:
    with Engine(cli.url) as engine:
        framework = Path(engine).to(Stage.MEETING)
    at = ("--framework", framework, "--on", "2026-02-16")
    cli.ok("do", "convene-meeting", *at, "--set=held_on=2026-02-16", "--set=place=Mairie")
    cli.ok("do", "adjourn-meeting", *at, "--set=reason=no-quorum", "--set=explanation=Pluie")
    cli.ok("do", "convene-meeting", *at, "--set=held_on=2026-02-16", "--set=place=Mairie")
    out = cli.ok("do", "open-meeting", *at, '--set=attendance=[{"member":"MB-1","men":1}]').out
    assert "1 membre présent ; deuxième convocation, le quorum de 2 membres n'est pas exigé" in out


def test_the_frameworks_are_listed_with_what_is_late_and_what_comes_next(demo: Cli) -> None:
    out = demo.ok("show", "frameworks").out
    assert "Retards" in out.splitlines()[0]
    assert "Clore l'identification des besoins" in out or "Ouvrir le bilan" in out
    assert "échéances dépassées en tout" in out
    late = demo.ok("--json", "show", "frameworks").json["overdue"]
    assert all(each["days"] > 0 for each in late)
    then = demo.ok("--json", "show", "frameworks", "--as-of", "2023-05-01").json["overdue"]
    assert all(each["day"] < "2023-05-01" for each in then)


def test_diff_tells_what_changed(demo: Cli) -> None:
    out = demo.ok("diff", "Dioro", "--from", "2023-03-01", "--to", "2023-06-01").out
    assert "Faits entre les deux" in out
    assert "→" in out
    back = demo.ok("diff", "Dioro", "--from", "2023-06-01", "--to", "2023-03-01").out
    assert "(pas encore là)" in back
    assert "soldé" not in back
    assert back.splitlines()[0] == out.splitlines()[0]
    same = demo.ok("--json", "diff", "Dioro", "--from", "2023-03-01", "--to", "2023-03-01").json
    assert same == {"facts": [], "changes": []}


def test_diff_does_not_call_a_meeting_that_is_over_settled(demo: Cli) -> None:
    out = " ".join(demo.ok("diff", "Dioro", "--from", "2023-06-01", "--to", "2023-12-01").out.split())
    assert "Rencontre : M-1, 25 avril 2023 (close) → (il n'y en a plus)" in out


def test_diff_says_what_became_of_a_promise(cli: Cli) -> None:
    with Engine(cli.url) as engine:
        framework = Path(engine).to(Stage.PLAN)
    at = ("--framework", framework, "--on", "2026-02-20")
    pledge = ("--set=member=MB-2", "--set=ledger=approach", "--set=nature=cash", "--set=worth.amount_xof=5000")
    for _ in range(2):
        cli.ok("do", "pledge-contribution", *at, *pledge)
    before = cli.ok("--json", "replay", framework).out.splitlines()[-1]
    cli.ok("do", "waive-contribution", *at, "--set=contribution=C-1", "--set=reason=x")
    cli.ok("do", "record-renege", *at, "--set=contribution=C-2", "--set=reason=x")
    moments = ("--from", str(json.loads(before)["position"]), "--to", "9999")
    out = cli.ok("diff", framework, *moments).out
    assert "→ abandonnée d'un commun accord" in out
    assert "→ non tenue" in out


def test_rebuild_changes_nothing_that_is_right(demo: Cli) -> None:
    before = demo.ok("--json", "show", "commitments").out
    assert "Reconstruit" in demo.ok("rebuild").out
    assert demo.ok("--json", "rebuild", "plans").json["rebuilt"] == ["plans"]
    assert demo.ok("--json", "show", "commitments").out == before


def test_filters_by_place_and_sector(demo: Cli) -> None:
    def communes(*filters: str) -> set[str]:
        rows = demo.ok("--json", "show", "frameworks", *filters).json["frameworks"]
        return {row["commune"] for row in rows}

    assert communes("--circle", "macina") == {"ML-4-02-01"}
    assert communes("--commune", "bokywere") == {"ML-4-02-01"}
    assert len(communes("--region", "Segou")) == 6
    assert communes("--region", "Koulikoro") == set()
    assert communes("--sector", "rice") <= communes()


def test_hostile_text_does_not_reach_the_terminal(cli: Cli) -> None:
    cli.begin()
    cli.ok("policy", "publish")
    name = "Dioro\u001b[31m\u0007\u202eevil\u2066"
    commune = ("--set", "commune=ML-4-01-01", "--set", f"name={name}", "--set", "region=R", "--set", "circle=C")
    cli.ok("do", "register-commune", *commune)
    cli.ok("do", "propose-framework", "--set", "commune=ML-4-01-01", "--set", f"title=Cadre\u001b[2J{'é' * 150}")
    for verb in (("show", "frameworks"), ("replay", "ML-4-01-01"), ("next", "ML-4-01-01")):
        out = cli.ok(*verb).out
        assert "\u001b" not in out
        assert "\u0007" not in out
        assert "\u202e" not in out


def test_policies_are_listed_shown_checked_and_published(cli: Cli, tmp_path: File) -> None:
    assert "article" in cli.ok("policy", "show").out
    document = cli.ok("--json", "policy", "show").out
    path = tmp_path / "policy.json"
    path.write_text(document)
    assert "valable" in cli.ok("policy", "check", str(path)).out
    cli.begin()
    cli.ok("policy", "publish", str(path))
    taken = cli("policy", "publish", str(path))
    assert (taken.code, "numéro de version suivant" in taken.err) == (1, True)
    path.write_text(document.replace('"version":1', '"version":2'))
    cli.ok("policy", "publish", str(path))
    assert [p["version"] for p in cli.ok("--json", "policy", "list").json] == [1, 2]
    path.write_text(document.replace("sectors_min", "sektors_min"))
    broken = cli("policy", "check", str(path))
    assert (broken.code, "sektors_min" in broken.err) == (2, True)


def test_demo_fills_an_empty_log_only(cli: Cli) -> None:
    done = cli.ok("--json", "demo", "--frameworks", "1", "--cycles", "1").json
    assert done["frameworks"] == 1
    again = cli("demo")
    assert (again.code, "démonstration remplit un journal vide" in again.err) == (3, True)
