"""What holds of the shares of any history, late records and corrections among them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from cycle.catalogue import LANGUAGES, Language, text
from cycle.history import Cutoffs
from cycle.timings.shares import SHARES
from tests.timings.looking import cases, counts, parts, walk_of

SEEDS = st.integers(0, 24)
LATER = st.integers(0, 60)
MANY = settings(max_examples=60, deadline=None)


@MANY
@given(SEEDS, st.data())
def test_a_later_look_never_changes_what_is_over(seed: int, data: st.DataObject) -> None:
    """What had its day, or ended, or was closed by a day is the same on every later day."""
    history = walk_of(seed)
    known = sorted({fact.recorded.occurred_on for fact in history})
    day = data.draw(st.sampled_from(known)) + timedelta(days=data.draw(LATER))
    later = day + timedelta(days=data.draw(LATER))
    after = {(each.action, each.agreed.event): each for each in cases("M7", history, later)}
    for each in cases("M7", history, day):
        if each.closed:
            # Its own day may still be to come.
            assert structs.replace(after[each.action, each.agreed.event], due=each.due) == each
        elif each.ended:
            known_later = after[each.action, each.agreed.event]
            assert (known_later.ended, known_later.outcome) == (each.ended, each.outcome)
    needs = {each.need: each for each in cases("M9", history, later)}
    for each in cases("M9", history, day):
        if each.planned:
            assert (needs[each.need].planned, needs[each.need].waited) == (each.planned, each.waited)
        if each.completed:
            assert needs[each.need].completed == each.completed
    met = {each.meeting: each.held for each in cases("M10", history, later)}
    for each in cases("M10", history, day):
        assert met[each.meeting] == each.held


@pytest.mark.parametrize("metric", SHARES)
@MANY
@given(SEEDS)
def test_shares_lie_between_none_and_all_and_each_case_leads_to_facts(metric: str, seed: int) -> None:
    history = walk_of(seed)
    on = max(fact.recorded.occurred_on for fact in history)
    known = {fact.recorded.id: fact.recorded for fact in Cutoffs(as_of=on).cut(history)}
    for case in cases(metric, history, on):
        for part in SHARES[metric].parts(case):
            assert 0 <= part.part <= part.of
            assert part.code in SHARES[metric].codes
        for count in SHARES[metric].counts(case):
            assert count.many >= 0
            assert count.code in SHARES[metric].counted
        for mark in case.marks:
            assert (known[mark.event].version, known[mark.event].occurred_on) == (mark.version, mark.on)


@MANY
@given(SEEDS)
def test_what_was_agreed_and_what_was_added_are_all_actions_and_every_end_adds_up(seed: int) -> None:
    history = walk_of(seed)
    on = max(fact.recorded.occurred_on for fact in history)
    found = cases("M7", history, on)
    counted = counts("M7", found)
    assert counted.get("agreed", 0) + counted.get("added", 0) == len(found)
    sums = parts("M7", found)
    for about in ("agreed", "added"):
        ends = [sums[name] for name in sums if name.endswith(f"/{about}") and not name.startswith("completed-by")]
        assert sum(part for part, _ in ends) == (ends[0][1] if ends else 0), "each has one of four ends"


@MANY
@given(SEEDS)
def test_every_fact_of_a_framework_has_one_lag(seed: int) -> None:
    history = walk_of(seed)
    on = max(fact.recorded.occurred_on for fact in history)
    held = Cutoffs(as_of=on).cut(history)
    found = cases("M11", history, on)
    assert sum(each.facts for each in found) == len(held)
    spans = [range(each.first.version, each.last.version + 1) for each in found]
    assert sum(map(len, spans)) == len(held), "the versions from the first to the last are those facts"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_share_and_count_has_its_words(language: Language) -> None:
    for metric, measure in SHARES.items():
        assert text(f"timing-means.{metric}", language)
        for code in measure.codes:
            assert text(f"share.{metric}-{code}", language)
        for code in measure.counted:
            assert text(f"share-count.{metric}-{code}", language)
