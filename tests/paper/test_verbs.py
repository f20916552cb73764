"""Printing as a person does it, on the command line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import icalendar
import pytest

from cycle.aggregates.base import PLATFORM, Role
from cycle.demo.people import ADMINISTRATOR
from cycle.engine import Engine
from cycle.reading import Reader
from tests.cli.run import Cli
from tests.paper.pages import words_of
from tests.people import admit

PROGRAM = [sys.executable, "-c", "from cycle_adapters.cli.main import main; main()"]


def platform(cli: Cli) -> list[tuple[str, str]]:
    """Who did what of late, in the platform's log."""
    with Engine(cli.url) as engine:
        reader = Reader(engine, "awa")
        reader.catch_up()
        return [(f.recorded.by.actor, f.recorded.type) for f in reader.facts(PLATFORM)]


def test_a_plan_is_written_and_the_record_says_to_whom(demo: Cli, tmp_path: Path) -> None:
    to = tmp_path / "plan.pdf"
    assert demo.ok("export", "plan", "Dioro", "--to", str(to)).out == f"Plan négocié : écrit dans {to}\n"
    assert "Plan d'action trimestriel 2" in words_of(to.read_bytes())
    assert platform(demo)[-1] == ("awa", "paper-exported")
    first = to.read_bytes()
    ran = demo.ok("export", "plan", "Dioro", "--to", str(to), "--json", lang="en")
    assert ran.json["sheet"] == "plan"
    assert ran.json["path"] == str(to)
    demo.ok("export", "plan", "Dioro", "--to", str(to))
    assert to.read_bytes() == first


def test_an_earlier_plan_by_its_cycle_and_an_earlier_moment(demo: Cli, tmp_path: Path) -> None:
    to = tmp_path / "plan.pdf"
    demo.ok("export", "plan", "Dioro", "--cycle", "1", "--to", str(to))
    assert "Plan d'action trimestriel 1" in words_of(to.read_bytes())
    demo.ok("export", "plan", "Dioro", "--as-of", "2023-06-30", "--known-at", "2023-07-31", "--to", str(to))
    assert "tel que tenu au 30 juin 2023, tel que cru le 31 juillet 2023" in words_of(to.read_bytes())


def test_minutes_and_attendance_of_a_named_meeting(demo: Cli, tmp_path: Path) -> None:
    for sheet, title in (("minutes", "Minutes of meeting M-1"), ("attendance", "Attendance sheet, meeting M-1")):
        to = tmp_path / f"{sheet}.pdf"
        demo.ok("export", sheet, "Dioro", "--meeting", "M-1", "--to", str(to), lang="en")
        assert title in words_of(to.read_bytes())


def test_without_a_file_the_pages_go_where_somebody_waits_for_them(demo: Cli) -> None:
    command = [*PROGRAM, "--database", demo.url, "--lang", "en", "export", "plan", "Dioro"]
    ran = subprocess.run(command, capture_output=True, check=True)
    assert ran.stdout.startswith(b"%PDF")
    assert ran.stderr == b""


def test_a_terminal_gets_no_pdf(demo: Cli) -> None:
    master, terminal = pty.openpty()
    command = [*PROGRAM, "--database", demo.url, "--lang", "en", "export", "plan", "Dioro"]
    ran = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(terminal)
    os.close(master)
    assert ran.returncode == 1
    assert ran.stderr == b"a PDF is not for a terminal: name a file with --to\n"


def test_a_calendar_of_one_framework_of_a_region_and_of_everything(demo: Cli, tmp_path: Path) -> None:
    to = tmp_path / "days.ics"
    said = demo.ok("export", "ics", "--to", str(to), lang="en").out
    everything = icalendar.Calendar.from_ical(to.read_bytes()).walk("VEVENT")
    assert said == f"{len(everything)} days written to {to}\n"
    assert platform(demo)[-1] == ("awa", "calendar-exported")
    demo.ok("export", "ics", "--region", "Ségou", "--to", str(to))
    assert icalendar.Calendar.from_ical(to.read_bytes())["X-WR-CALNAME"].endswith("Ségou")
    demo.ok("export", "ics", "Dioro", "--to", str(to))
    own = icalendar.Calendar.from_ical(to.read_bytes()).walk("VEVENT")
    assert 0 < len(own) < len(everything)
    demo.ok("export", "ics", "--commune", "Dioro", "--to", str(to))
    assert len(icalendar.Calendar.from_ical(to.read_bytes()).walk("VEVENT")) == len(own)
    assert demo.ok("export", "ics", "--circle", "Nulle part", "--to", str(to), "--json").json["count"] == 0


def test_who_reads_a_region_exports_its_days_without_naming_it(demo: Cli, tmp_path: Path) -> None:
    with Engine(demo.url) as engine:
        admit(engine, ("binta", Role.FACILITATOR, "ML/Ségou/Macina"), administrator=ADMINISTRATOR)
    to = tmp_path / "days.ics"
    demo.ok("--actor", "binta", "export", "ics", "--to", str(to))
    places = {
        str(e["SUMMARY"]).rpartition("— ")[2] for e in icalendar.Calendar.from_ical(to.read_bytes()).walk("VEVENT")
    }
    assert places == {"Boky-Wèrè"}
    assert demo("--actor", "binta", "export", "ics", "--commune", "Dioro", "--to", str(to)).code == 1


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_cannot_be_printed_is_said_and_not_recorded(demo: Cli, tmp_path: Path, lang: str) -> None:
    before = platform(demo)
    to = str(tmp_path / "a.pdf")
    for arguments, code, words in (
        (("plan", "Dioro", "--cycle", "9"), 1, {"fr": "pas de plan du cycle 9", "en": "no plan of cycle 9"}),
        (("attendance", "Dioro"), 1, {"fr": "aucune rencontre n'est convoquée", "en": "no meeting is convened"}),
        (("minutes", "Dioro", "--meeting", "M-7"), 1, {"fr": "pas de rencontre M-7", "en": "no meeting M-7"}),
        (("plan", "Dioro", "--at", "1"), 1, {"fr": "rien n'en était enregistré", "en": "nothing of it was recorded"}),
        (("plan", "Nulle part"), 2, {"fr": "Nulle part", "en": "Nulle part"}),
    ):
        ran = demo("export", *arguments, "--to", to, lang=lang)
        assert ran.code == code
        assert words[lang] in ran.err
    ran = demo("export", "plan", "Dioro", "--to", str(tmp_path / "none" / "a.pdf"), lang=lang)
    assert ran.code == 4
    assert platform(demo) == before


def test_who_only_keeps_personal_data_carries_no_paper_out(demo: Cli, tmp_path: Path) -> None:
    with Engine(demo.url) as engine:
        admit(engine, ("dpo", Role.DATA_PROTECTION, "/"), administrator=ADMINISTRATOR)
    ran = demo("--actor", "dpo", "export", "plan", "Dioro", "--to", str(tmp_path / "a.pdf"))
    assert ran.code == 1
    assert not (tmp_path / "a.pdf").exists()
    assert platform(demo)[-1] == ("dpo", "attempt-refused")


def test_help_is_there_in_both_languages(cli: Cli) -> None:
    assert "le plan trimestriel à imprimer" in cli.ok("export", "--help").out
    assert "Which meeting, such as M-2" in cli.ok("export", "minutes", "--help", lang="en").out
    assert "Dossier des scellés" in cli.ok("export", "plan", "--help").out


def test_help_loads_neither_the_typesetter_nor_the_calendar() -> None:
    look = (
        "import sys\nfrom cycle_adapters.cli.main import main\n"
        "try:\n    main(['export', '--help'])\nexcept SystemExit:\n"
        "    print([m for m in ('typst', 'icalendar', 'segno') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("[]\n")


def test_a_text_with_nul_never_gets_as_far_as_paper(demo: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"title": "a\\u0000b", "sha256": "' + "0" * 64 + '", "bytes": 1, "media": "a/b"}')
    ran = demo("do", "attach-document", "--framework", "Dioro", "--data", str(tmp_path / "a.json"), lang="en")
    assert ran.code == 2
    assert "NUL" in ran.err
