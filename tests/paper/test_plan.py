"""The plan on paper: what it says, and that nothing that somebody typed is more than text."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from cycle.access import Forbidden
from cycle.aggregates.base import Role
from cycle.aggregates.framework.adjustment import ActionAdded, AdjustPlan, OpenReview
from cycle.aggregates.framework.obstacles import AgreeSolution, CommunicateObstacle, RaiseObstacle
from cycle.aggregates.framework.plan import AgreePlan
from cycle.aggregates.framework.proposals import ProposeAction, RankActions
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import ActionId, NeedId, ObstacleId, ReviewKind, Window
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.reading import PlaceUnknown
from cycle_adapters.paper.basis import CannotPrint
from tests.access.places import two_communes
from tests.engine.path import ENDS, FISH, MET, RICE
from tests.engine.path import Path as Way
from tests.paper.meeting import DUE, agreed, in_session, reader, received, with_pledges
from tests.paper.pages import A4, bare, boxes_of, fonts_of, pages_of, places_of, right_of, sizes_of, words_of
from tests.paper.printing import plan_pdf
from tests.people import admit

EARLY = datetime(2026, 3, 1, 8, 30, 15, 123456, tzinfo=UTC)
BAMBARA = "Dɔ̀nkili bɛ́ɛ : kɛ́nɛ, ɲɔ́gɔn, ŋɔ́mi, jɛ̂kafɔ̌ — Ɛ Ɔ Ɲ Ŋ"
NKO = "ߒߞߏ ߞߊ߲ ߛߓߍ߫ ߘߐߞߏ ߇߉"
HOSTILE = (
    '#panic("run") #{ 1 + 1 }',
    "$ x^2 $ *gras* _italique_ = Titre",
    '@ref <label> // /* */ ``` #import "@preview/x:1.0.0"',
    '\\u{1F4A9} \\ ~ #read("/etc/passwd") #sys.inputs',
    '</svg><script>alert("1")</script> {{7*7}} %s {0}',
)


def test_a_plan_says_who_does_what_by_when_and_with_what(way: Way) -> None:
    received(way)
    pdf = plan_pdf(reader(way), way.framework, "fr")
    said = words_of(pdf)
    assert sizes_of(pdf) == {A4[::-1]}
    for words in (
        "Plan d'action trimestriel 1",
        "Dioro (cercle de Ségou, région de Ségou)",
        "Cadre de Dioro",
        "du 16 février 2026 au 15 mai 2026",
        "le 16 février 2026, rencontre M-1, par consensus",
        "wocat-pact, version 1",
        "Acheter la décortiqueuse",
        "N-1 Une décortiqueuse",
        "Coopérative Benkadi (MB-2)",
        "10 mai 2026",
        "50 000 F CFA 20 000 F CFA",
        "12 sacs (en nature) —",
        "8 jours (travail) —",
        "PACT (MB-4) 30 000 F CFA",
        "Pour la démarche elle",
        "Rien de ce journal n'est encore scellé : ce papier ne fait pas témoin.",
    ):
        assert words in said


def test_cash_and_kind_are_never_added(way: Way) -> None:
    received(way)
    said = words_of(plan_pdf(reader(way), way.framework, "en"))
    totals = said.partition("Totals")[2]
    assert "Cash 155,000 XOF 20,000 XOF" in totals
    assert "In kind, in sacs 12 sacs 0 sacs" in totals
    assert "Labour, in jours 8 jours 0 jours" in totals


def test_a_plan_without_pledges_says_so(way: Way) -> None:
    way.to(Stage.PLAN)
    assert "Nothing is pledged yet." in words_of(plan_pdf(reader(way), way.framework, "en"))


def test_the_obstacles_that_it_answers_stand_with_their_solution(way: Way) -> None:
    way.to(Stage.MONITORING)
    obstacle = ObstacleId("O-1")
    way.say(RaiseObstacle(description="La piste est coupée", severity=3), on=MET)
    way.say(CommunicateObstacle(obstacle=obstacle, members=(RICE,)), on=MET)
    way.say(AgreeSolution(obstacle=obstacle, solution="Une pirogue", responsible=FISH, due_on=DUE), on=MET)
    way.say(OpenReview(kind=ReviewKind.MID_TERM), on=MET)
    add = ActionAdded(description="Louer la pirogue", obstacles=(obstacle,), responsible=FISH, due_on=DUE)
    way.say(AdjustPlan(causes=("La piste",), added=(add,)), on=MET)
    said = words_of(plan_pdf(reader(way), way.framework, "fr"))
    assert "Version 2, réajusté pour : La piste" in said
    assert "O-1 (gravité 3) : La piste est coupée — solution : Une pirogue" in said
    assert "Louer la pirogue O-1 La piste est coupée" in said


def test_who_has_left_signs_no_more(way: Way) -> None:
    way.to(Stage.PLAN)
    before = words_of(plan_pdf(reader(way), way.framework, "en")).partition("Signatures")[2]
    way.say(WithdrawMember(member=FISH, reason="Dissoute"), on=MET)
    after = words_of(plan_pdf(reader(way), way.framework, "en")).partition("Signatures")[2]
    assert "Coopérative Jigiya" in before
    assert "Coopérative Jigiya" not in after


def test_an_adjusted_plan_keeps_the_order_of_the_meeting_and_what_was_dropped_is_gone(way: Way) -> None:
    in_session(way)
    for description in ("Un", "Deux", "Trois"):
        propose = ProposeAction(description=description, needs=(NeedId("N-1"),), responsible=RICE, due_on=DUE)
        way.say(propose, on=MET)
    first, second, third = (ActionId(f"A-{n}") for n in (1, 2, 3))
    way.say(RankActions(ranked=(third, second, first)), AgreePlan(window=Window(MET, ENDS)), on=MET)
    way.start_monitoring()
    way.say(OpenReview(kind=ReviewKind.MID_TERM), on=MET)
    add = ActionAdded(description="Quatre", needs=(NeedId("N-1"),), responsible=FISH, due_on=DUE)
    way.say(AdjustPlan(causes=("Retard",), added=(add,), dropped=(second,)), on=MET)
    said = words_of(plan_pdf(reader(way), way.framework, "fr"))
    found = [said.find(words) for words in ("A-3 Trois", "A-1 Un", "A-4 Quatre")]
    assert found == sorted(found)
    assert found[0] > 0
    assert "Deux" not in said


def test_two_hundred_actions_go_on_under_the_same_heads(way: Way) -> None:
    in_session(way)
    agreed(way, (f"Action numéro {n} du plan" for n in range(1, 201)))
    pdf = plan_pdf(reader(way), way.framework, "fr")
    pages = pages_of(pdf)
    assert len(pages) > 5
    held = [page for page in pages if "Action numéro" in page]
    assert all(page.count("Qui contribue") == 1 for page in held)
    assert [n for n in range(1, 201) if f"Action numéro {n} du plan" not in " ".join(pages)] == []
    assert [f"Page {n} sur {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)


@pytest.mark.parametrize("typed", HOSTILE)
def test_markup_and_code_are_text(way: Way, typed: str) -> None:
    in_session(way, typed)
    agreed(way, [typed])
    assert bare(typed) in bare(words_of(plan_pdf(reader(way), way.framework, "fr")))


def test_a_word_that_no_column_holds_ends_inside_its_column(way: Way) -> None:
    in_session(way)
    agreed(way, ["W" * 2000])
    pdf = plan_pdf(reader(way), way.framework, "fr")
    (_, next_column, _), *_ = places_of(pdf, "N-1 Une")
    assert bare(words_of(pdf)).count("W") == 2000
    assert right_of(pdf, "W") < next_column


def test_long_words_of_french_are_divided_as_french_divides_them(way: Way) -> None:
    in_session(way)
    agreed(way, ["anticonstitutionnellement " * 20])
    said = words_of(plan_pdf(reader(way), way.framework, "fr"))
    assert said.count("anticonstitutionnellement") == 20


def test_what_turns_the_direction_of_writing_is_taken_out_and_the_rest_stays(way: Way) -> None:
    in_session(way)
    agreed(way, ["avant\u202eaprès\u2066 fin", "مرحبا"])
    pdf = plan_pdf(reader(way), way.framework, "fr")
    assert "avant après fin" in words_of(pdf)
    assert boxes_of(pdf) == 0
    assert fonts_of(pdf) == {"LibertinusSerif", "DejaVuSansMono"}


def test_what_no_font_has_is_named_and_the_foot_says_what_that_means(way: Way) -> None:
    in_session(way)
    agreed(way, ["Fête 🎉 du riz"])
    for language, words in (("fr", "remplace un signe"), ("en", "stands for a sign")):
        pdf = plan_pdf(reader(way), way.framework, language)  # type: ignore[arg-type]
        assert "Fête [U+1F389] du riz" in words_of(pdf)
        assert words in words_of(pdf)
        assert boxes_of(pdf) == 0


def test_a_sheet_with_letters_alone_says_nothing_of_signs(way: Way) -> None:
    in_session(way)
    agreed(way, ["Fête du riz"])
    assert "U+" not in words_of(plan_pdf(reader(way), way.framework, "fr"))


def test_nko_has_its_letters_and_tones(way: Way) -> None:
    in_session(way)
    agreed(way, [NKO])
    pdf = plan_pdf(reader(way), way.framework, "fr")
    assert boxes_of(pdf) == 0
    assert fonts_of(pdf) == {"LibertinusSerif", "NotoSansNKo"}
    assert "U+" not in words_of(pdf)


def test_bambara_has_its_letters_and_tones_in_the_font_of_the_page(way: Way) -> None:
    in_session(way)
    agreed(way, [BAMBARA])
    pdf = plan_pdf(reader(way), way.framework, "fr")
    assert "Ɛ Ɔ Ɲ Ŋ" in words_of(pdf)
    assert boxes_of(pdf) == 0
    # What it lacked would come out of another one.
    assert fonts_of(pdf) == {"LibertinusSerif"}


def test_the_pdf_is_dated_by_the_log_and_not_by_the_machine(sqlite_url: str) -> None:
    with Engine(sqlite_url, clock=lambda: EARLY) as engine:
        way = Way(engine)
        way.to(Stage.PLAN)
        made = PdfReader(io.BytesIO(plan_pdf(reader(way), way.framework, "fr"))).metadata
        assert made.creation_date == made.modification_date == EARLY.replace(microsecond=0)


def test_the_same_log_makes_the_same_bytes(way: Way) -> None:
    way.to(Stage.PLAN)
    first = plan_pdf(reader(way), way.framework, "fr")
    # The record of an export goes to the platform's log, not to the commune's.
    admit(way.engine, ("somebody", Role.AUDITOR, "/"))
    assert plan_pdf(reader(way, "somebody"), way.framework, "fr") == first
    assert plan_pdf(reader(way), way.framework, "en") != first


def test_a_plan_as_it_was(way: Way) -> None:
    with_pledges(way)
    then = reader(way).facts("ML-4-01-01")[-1].position
    way.start_monitoring()
    way.say(OpenReview(kind=ReviewKind.MID_TERM), on=MET)
    add = ActionAdded(description="Louer", needs=(NeedId("N-1"),), responsible=FISH, due_on=DUE)
    way.say(AdjustPlan(causes=("Retard",), added=(add,)), on=MET)
    assert "Version 2, réajusté pour : Retard" in words_of(plan_pdf(reader(way), way.framework, "fr"))
    said = words_of(plan_pdf(reader(way), way.framework, "fr", cutoffs=Cutoffs(at=then)))
    assert "Version 1 Règles" in said
    assert f"État position {then} du journal" in said.replace("\u202f", " ")
    both = Cutoffs(as_of=date(2026, 2, 16), known_at=datetime(2100, 1, 1, tzinfo=UTC))
    said = words_of(plan_pdf(reader(way), way.framework, "en", cutoffs=both))
    assert "As of held on 16 February 2026, believed on 1 January 2100 00:00 UTC" in said


@pytest.mark.parametrize(
    ("cutoffs", "cycle", "words"),
    [
        (Cutoffs(), None, "aucun plan n'est encore convenu"),
        (Cutoffs(at=1), None, "rien n'en était enregistré à ce moment"),
    ],
)
def test_what_is_not_there_is_not_printed(way: Way, cutoffs: Cutoffs, cycle: int | None, words: str) -> None:
    way.to(Stage.MEETING)
    with pytest.raises(CannotPrint) as refused:
        plan_pdf(reader(way), way.framework, "fr", cycle=cycle, cutoffs=cutoffs)
    assert words in refused.value.told("fr")


def test_a_cycle_without_a_plan_names_those_that_have_one(way: Way) -> None:
    way.to(Stage.PLAN)
    assert plan_pdf(reader(way), way.framework, "fr", cycle=1) == plan_pdf(reader(way), way.framework, "fr")
    with pytest.raises(CannotPrint) as refused:
        plan_pdf(reader(way), way.framework, "fr", cycle=7)
    assert refused.value.told("en") == "there is no plan of cycle 7; there is one of: 1"


def test_the_plan_of_another_territory_is_not_there(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine:
        _, koula = two_communes(engine)
        way = Way(engine)
        with pytest.raises((PlaceUnknown, Forbidden)):
            plan_pdf(reader(way, "fanta"), koula, "fr")


def test_no_font_and_no_package_is_looked_for_outside(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    way.to(Stage.PLAN)
    before = plan_pdf(reader(way), way.framework, "fr")
    for name in ("HOME", "XDG_DATA_HOME", "TYPST_FONT_PATHS", "TYPST_PACKAGE_PATH", "SOURCE_DATE_EPOCH"):
        monkeypatch.setenv(name, "/nowhere" if name != "SOURCE_DATE_EPOCH" else "1")
    assert plan_pdf(reader(way), way.framework, "fr") == before
    assert not re.search(rb"@preview", before)
