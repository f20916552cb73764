"""The board: what needs the reader first, narrowed and page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from cycle.aggregates.base import Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import CommuneCode
from cycle.engine import Said
from cycle_adapters.http.pages_board import PER_PAGE
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.http.town import named
from tests.people import admit, by, sayer

LATER = datetime(2026, 5, 25, 9, tzinfo=UTC)
DAY = date(2026, 5, 20)


def founded(desk: Desk, number: int, region: str = "Koulikoro") -> str:
    """A framework in a commune of its own, in its first stage."""
    code = CommuneCode(f"ML-2-09-{number:02d}")
    for command in (
        RegisterCommune(commune=code, name=f"Commune {number:02d}", region=region, circle="Kati"),
        ProposeFramework(commune=code, title=f"Cadre {number:02d}"),
    ):
        receipt = desk.engine.execute(Said(command=command, by=sayer(command), on=DAY))
    return str(receipt.stream).partition("-")[2]


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """The plan of Dioro is over by ten days; three others have just begun."""
    with desk_at(sqlite_url, Stage.MONITORING, LATER) as desk:
        for number in (1, 2, 3):
            founded(desk, number)
        yield desk


def shown(page: str) -> list[str]:
    """The communes in the order of the board."""
    return re.findall(r'<h2><a href="[^"]*">([^<]+)</a>', page)


def test_what_is_late_comes_first_with_the_next_thing_to_do(desk: Desk) -> None:
    page = plain(desk.text("/", "facilitator"))
    assert shown(page) == ["Dioro", "Commune 01", "Commune 02", "Commune 03"]
    assert "plan échu depuis 10 jours" in page
    assert "fin du plan : 15 mai 2026, il y a 10 jours" in page
    assert f'{desk.base}/do/open-review?lang=fr">Ouvrir le bilan' in page
    assert "Prioritise" not in page


def test_it_is_narrowed_by_region_circle_sector_and_to_what_is_mine(desk: Desk) -> None:
    assert shown(desk.text("/?region=S%C3%A9gou", "facilitator")) == ["Dioro"]
    assert shown(desk.text("/?circle=Kati", "facilitator")) == ["Commune 01", "Commune 02", "Commune 03"]
    assert shown(desk.text("/?sector=rice", "facilitator")) == ["Dioro"]
    assert len(shown(desk.text("/?mine=true", "facilitator"))) == 4
    assert shown(desk.text("/?mine=true", "evaluator")) == []
    assert "Tout afficher" in desk.text("/?circle=Kati", "facilitator")


def test_the_form_of_the_board_is_sent_with_what_nobody_has_chosen(desk: Desk) -> None:
    """A browser sends every field, empty or not: narrowing by one of them was unreadable."""
    assert shown(desk.text("/?lang=fr&region=S%C3%A9gou&circle=&sector=", "facilitator")) == ["Dioro"]
    assert len(shown(desk.text("/?lang=fr&region=&circle=&sector=&mine=true", "facilitator"))) == 4


def test_who_has_nothing_to_do_hears_so_and_still_sees_how_things_stand(desk: Desk) -> None:
    page = plain(desk.text("/", "evaluator"))
    assert "Rien ne vous attend aujourd'hui" in page
    assert len(shown(page)) == 4
    assert "Proposer un nouveau cadre" not in page
    assert "On attend : " in page


def test_an_account_sees_its_own_places_only(desk: Desk) -> None:
    admit(desk.engine, ("moussa", Role.FACILITATOR, "ML/Koulikoro/Kati/ML-2-09-02"))
    assert shown(desk.text("/", "moussa")) == ["Commune 02"]
    assert desk.client.get(desk.base, headers=named("moussa")).status_code == 404


def test_sixty_frameworks_are_met_once_each_page_by_page(desk: Desk) -> None:
    for number in range(4, 60):
        founded(desk, number)
    met: list[str] = []
    path = "/?lang=en"
    while path:
        page = desk.text(path, "facilitator")
        found = shown(page)
        assert len(found) <= PER_PAGE
        met += found
        onward = re.search(r'href="([^"]+)">Next page', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert met == ["Dioro", *(f"Commune {number:02d}" for number in range(1, 60))]


@pytest.mark.parametrize("path", ["/?after=nonsense!", "/?region=%00"])
def test_what_cannot_be_read_of_an_address_is_a_page_that_says_so(desk: Desk, path: str) -> None:
    answer = desk.client.get(path, headers=named("facilitator"))
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_a_browser_keeps_the_board_of_what_is_followed_and_no_more(desk: Desk) -> None:
    second, third = (founded(desk, number) for number in (4, 5))
    path = f"/?followed={third}&followed={desk.base[12:]}&followed={third}&followed=nothing"
    page = desk.text(path, "facilitator")
    assert shown(page) == ["Dioro", "Commune 05"]
    assert "Cadres que vous suivez" in page
    assert '<form class="filters"' not in page
    # It is kept as the board: its other language is that of the board.
    assert 'href="/?lang=en"' in page
    admit(desk.engine, ("moussa", Role.FACILITATOR, "ML/Koulikoro/Kati/ML-2-09-04"))
    assert shown(desk.text(f"/?followed={second}&followed={third}", "moussa")) == ["Commune 04"]
    assert desk.client.get("/?followed=a%20b", headers=named("facilitator")).status_code == 422


def test_a_page_that_is_not_there_leads_to_the_board_by_a_link_and_by_no_address(desk: Desk) -> None:
    answer = desk.client.get("/frameworks/nowhere", headers=named("facilitator"))
    assert answer.status_code == 404
    assert "ni page de ce nom.</p>" in answer.text
    assert '<a href="/?lang=fr">Tous les cadres</a>' in answer.text


def test_a_suspended_framework_says_why_and_where_it_rests(desk: Desk) -> None:
    from cycle.aggregates.framework.anytime import Suspend

    desk.engine.execute(Said(command=Suspend(reason="Route coupée"), by=by(Role.MAYOR), on=DAY, target=desk.base[12:]))
    page = plain(desk.text(desk.base))
    assert "Route coupée" in page
    assert re.search(r'class="current" aria-current="step">suivi par le comité', page)
