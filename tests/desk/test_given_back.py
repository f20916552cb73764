"""A session that ends while somebody types takes nothing with it: the form is given back, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from httpx2 import Response

from cycle.aggregates.framework.state import Stage
from tests.desk.filling import HEADERS, Page, opened, said, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import NEED, need, plain
from tests.desk.test_hostile import HOSTILE, assert_harmless
from tests.http.town import named


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        yield desk


def by_nobody(desk: Desk, page: Page, **more: str) -> Response:
    """A form that is sent after the session has ended."""
    return desk.client.post(page.action, content=page.body(**more), headers=HEADERS, follow_redirects=False)


def test_a_form_is_given_back_to_who_signs_in_and_goes_on(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    kept = by_nobody(desk, page)
    assert kept.status_code == 401
    assert "Rien n'a été enregistré" in plain(kept.text)
    still = by_nobody(desk, Page(kept))
    assert (still.status_code, Page(still).action) == (401, Page(kept).action)
    back = send(desk.client, Page(kept), "awa")
    assert back.status_code == 200
    again = Page(back)
    assert {name: again.fields[name] for name in page.fields} == dict(page.fields)
    assert again.action.partition("?")[0] == page.action.partition("?")[0]
    assert desk.recorded(before) == []
    assert send(desk.client, again, "awa").status_code == 303
    assert desk.recorded(before) == ["need-identified"]


def test_it_is_given_back_as_a_form_whatever_was_sent_with_it(desk: Desk) -> None:
    """Neither what would have been recorded nor a check that was confirmed is: it is looked at again."""
    before, page = desk.position(), opened(desk.client, f"{desk.base}/do/agree-plan", "awa")
    page.fields["window.starts_on"] = ["2026-03-03"]
    kept = Page(by_nobody(desk, page, _checked="yes"))
    assert kept.fields["_checked"] == ["yes"]
    for headers in (named("awa", **HEADERS), named("awa", **HEADERS, Accept="application/json")):
        back = desk.client.post(kept.action, content=kept.body(), headers=headers)
        assert back.status_code == 200
        assert "_checked" not in Page(back).fields
        assert Page(back).fields["window.starts_on"] == ["2026-03-03"]
    assert desk.recorded(before) == []


def test_every_kind_of_form_is_given_back(desk: Desk) -> None:
    proposal = opened(desk.client, "/do/propose-framework?lang=en", "awa")
    proposal.fields["title"] = ["Cadre"]
    page = opened(desk.client, f"{desk.base}/meeting?step=attendance", "awa")
    page.fields["_came.1"], page.fields["attendance.1.women"] = ["yes"], ["7"]
    version = desk.engine.framework(desk.way.framework).version - 1
    correction = opened(desk.client, f"{desk.base}/do/correct-fact?fact_version=2", "awa")
    correction.fields["reason"] = [f"Compté deux fois {version}"]
    for sent, name, value in (
        (proposal, "title", "Cadre"),
        (page, "attendance.0.women", "7"),
        (correction, "reason", correction.fields["reason"][0]),
    ):
        kept = Page(by_nobody(desk, sent))
        back = send(desk.client, kept, "awa")
        assert (back.status_code, Page(back).fields[name]) == (200, [value])


def test_what_is_given_back_is_text(desk: Desk) -> None:
    for words in HOSTILE:
        page = need(desk, words)
        page.fields['"><script>alert(1)</script>'] = [words]
        kept = by_nobody(desk, page)
        assert_harmless(kept.text)
        assert Page(kept).fields["description"] == [words]
        assert_harmless(send(desk.client, Page(kept), "awa").text)


def test_a_form_is_given_back_to_who_may_say_it_and_from_here_only(desk: Desk) -> None:
    kept = Page(by_nobody(desk, need(desk)))
    assert send(desk.client, kept, "evaluator").status_code == 403
    elsewhere = {**named("awa"), **HEADERS, "Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert desk.client.post(kept.action, content=kept.body(), headers=elsewhere).status_code == 403
    assert desk.client.post(kept.action, content=b"a=%ff", headers=named("awa", **HEADERS)).status_code == 415


def test_a_script_hears_that_it_is_nobody_and_keeps_its_form_itself(desk: Desk) -> None:
    page = need(desk)
    answer = desk.client.post(page.action, content=page.body(), headers={**HEADERS, "Accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert NEED not in answer.text
    assert said(desk.client, page, "awa").status_code == 201
