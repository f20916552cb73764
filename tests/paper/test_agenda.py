"""Another agenda than the library that writes the file shows the same days, wherever it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cycle.aggregates.framework.meetings import ConveneMeeting
from cycle.aggregates.framework.state import Stage
from cycle.reading import Filters
from cycle_adapters.paper.calendar import calendar_ics
from tests.engine.path import ENDS, MET
from tests.engine.path import Path as Way
from tests.js.parties import says
from tests.paper.meeting import DUE, agreed, in_session, reader

LONG = 'Fête; "riz", 50 \\ 100: ɲɔ́gɔn 🎉 ' + "très " * 60
PLACES = ("Africa/Bamako", "Pacific/Kiritimati", "America/Los_Angeles")
"""Where it is still yesterday in one of them, it is tomorrow in another."""


@pytest.mark.parametrize("place", PLACES)
def test_the_days_of_a_plan_are_those_days_everywhere(way: Way, place: str) -> None:
    in_session(way, place="Préfecture; salle « Sɛ́gu », 1er étage")
    agreed(way, ["Acheter la décortiqueuse", LONG])
    data = calendar_ics(reader(way), Filters(framework=way.framework), "fr", of="Yèlèkèbougou")
    said = says("agenda.mjs", {"text": data.decode()}, TZ=place)
    found = {entry["uid"].removesuffix(f"-{way.framework}"): entry for entry in said["entries"]}
    assert said["name"] == "Cadres de concertation\u00a0: Yèlèkèbougou"
    for name, day in (("meeting-M-1", MET), ("action-A-1", DUE), ("plan-plan-1", ENDS)):
        entry = found[name]
        assert entry["all_day"]
        assert (entry["begins"], entry["ends"]) == (str(day), str(day + timedelta(days=1)))
        assert entry["shown"] == f"{day:%a %b %d %Y}"
    assert found["action-A-1"]["summary"] == "Échéance de l'action A-1\u00a0: Acheter la décortiqueuse — Dioro"
    assert found["action-A-2"]["summary"] == f"Échéance de l'action A-2\u00a0: {LONG} — Dioro"
    assert found["meeting-M-1"]["location"] == "Préfecture; salle « Sɛ́gu », 1er étage, Dioro"


def test_a_moment_is_the_same_moment_everywhere(way: Way) -> None:
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place="Mairie"), on=MET)
    text = calendar_ics(reader(way), Filters(framework=way.framework), "fr").decode()
    fact = way.engine.states.history(f"framework-{way.framework}")[-1]  # type: ignore[arg-type]
    said = [says("agenda.mjs", {"text": text}, TZ=place) for place in PLACES]
    # They stand where they say.
    assert len({each["here"] for each in said}) == len(PLACES)
    for each in said:
        [entry] = each["entries"]
        assert entry["said"] == f"{fact.recorded_at:%Y-%m-%dT%H:%M:%S}.000Z"
        assert -15 * 3600 in entry["reminders"]
