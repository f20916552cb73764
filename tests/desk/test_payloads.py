"""A hundred payloads in every text field of every command: none is run, all are shown as text, wherever it is."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import cycle
from typing import Any

import icalendar
import msgspec
import pytest
from fastapi.testclient import TestClient
from msgspec import inspect as types
from playwright.sync_api import Browser
from pyarrow import parquet
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from cycle.aggregates.base import EVENTS, By, Command, Event, LogName, Recorded, Role, StreamId
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.rulebook import PolicyPublished, PublishPolicy
from cycle.catalogue import LANGUAGES, Language, printable
from cycle.commands import COMMANDS
from cycle.engine import Engine
from cycle.examples import PATTERNS, example
from cycle.fields import bare
from cycle.forms.declared import Input, Kind, inputs_of
from cycle.identity.sessions import Sessions
from cycle.store import Receipt
from cycle.telling import sentence
from cycle_adapters.http.app import make_app
from cycle_adapters.http.pages import Pages
from cycle_adapters.http.saying import OF_A_FRAMEWORK, SAYABLE
from cycle_adapters.http.sign_in_pages import SigningIn
from tests.desk.conftest import PATIENCE
from tests.desk.filling import BLANK, Page, opened, send
from tests.desk.payloads import PAYLOADS, TOGETHER, chunks
from tests.desk.places import Desk, desk_at
from tests.desk.serving import at_an_address
from tests.desk.test_hostile import FORMS, assert_harmless, assert_is_drawing, texts, who_says
from tests.engine.path import Path as Way
from tests.engine.path import said
from tests.http.test_forced_browsing import Town, routes
from tests.http.town import API, WIDE, Named, key, named, rooms

SCRIPT = "<script>alert(1)</script>"
BACKWARDS = " ¦ ".join(reversed(PAYLOADS))
NEVER = ("/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/URI", "/EmbeddedFile", "/RichMedia", "/SubmitForm")
"""What a PDF does by itself, or with a click."""
OURS_OF_AGENDAS = {
    "UID", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "CATEGORIES", "STATUS",
    "TRANSP", "LOCATION",
}  # fmt: skip


def test_there_are_a_hundred() -> None:
    assert len(set(PAYLOADS)) == 100


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_at(f"sqlite:///{tmp_path_factory.mktemp('payloads') / 'a.db'}", Stage.MONITORING) as desk:
        yield desk


@pytest.mark.parametrize("command", FORMS)
def test_all_of_them_come_back_from_a_form_as_text(desk: Desk, command: str) -> None:
    page = opened(desk.client, f"{desk.base}/do/{command}{BLANK}", who_says(command))
    own = set(texts(inputs_of(COMMANDS[command]))) & set(page.fields)
    before = desk.position()
    for words in (TOGETHER, BACKWARDS):
        for name in own:
            page.fields[name] = [words]
        page.fields["_on"] = [words]
        answer = send(desk.client, page, who_says(command))
        assert answer.status_code == 422
        assert_harmless(answer.text)
        again = Page(answer)
        for name in own:
            # A decimal is written as its language writes it.
            assert bared(again.fields[name][0]) == bared(words), name
    assert desk.recorded(before) == []


def bared(words: str) -> str:
    """Without blanks, whatever steers, and the two ways of writing a decimal."""
    return "".join(printable(words).split()).replace(".", ",")


def hostile(kind: types.Type, words: str) -> Any:
    """A value of a type in which every free text is these words, whatever its length."""
    match bare(kind):
        case types.StrType(pattern=pattern):
            return PATTERNS.get(pattern or "", words)
        case types.StructType(cls=cls):
            return filled(cls, words)
        case types.VarTupleType(item_type=item):
            return (hostile(item, words),)
        case types.EnumType(cls=cls):
            return next(iter(cls))
        case types.DateType():
            return date(2026, 3, 2)
        case types.BoolType():
            return True
        case types.IntType() | types.DecimalType():
            return 1
        case _:
            return None


def filled(struct: type[Any], words: str) -> Any:
    """A struct whose texts are these words."""
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    return struct(**{field.name: hostile(field.type, words) for field in info.fields})


def recorded(data: Event) -> Recorded[Event]:
    return Recorded(
        data=data,
        occurred_on=date(2026, 1, 1),
        version=1,
        by=By(TOGETHER, Role.FACILITATOR, TOGETHER),
        causation=TOGETHER,
        command="c",
        correlation="k",
        id="e",
        log=LogName("ML-4-01-01"),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        schema=1,
        stream=StreamId("framework-1"),
        type=data.type,
    )


TOLD = """{% from 'facts.html' import fact %}
<main>{% for f in facts %}{{ fact(f, '/frameworks/x', true, say, word, pair, url) }}{% endfor %}</main>"""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(set(EVENTS) - {PolicyPublished.type}))
def test_a_fact_of_any_kind_is_told_as_text(name: str, language: Language) -> None:
    look = Pages()
    fact = recorded(filled(EVENTS[name], TOGETHER))
    told = {
        "position": 1, "fact": fact, "sentence": sentence(fact, language), "saw": [TOGETHER], "corrections": [TOGETHER],
        "corrected_by": [2],
    }  # fmt: skip
    page = look.page("problem.html", language, path="/", title=TOGETHER, detail=told["sentence"])
    assert_harmless(bytes(page.body).decode())
    of_facts = look._templates.from_string(TOLD)
    helps = {"say": lambda key, **more: TOGETHER, "word": str, "pair": lambda a, b: f"{a} {b}"}
    shown = of_facts.render(facts=[told], url=lambda path, **more: path, **helps)
    assert_harmless(shown)
    assert SCRIPT in Words(shown).said


class Words(HTMLParser):
    """What a page says to who reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said = ""
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.said += data


def poisoned(command: Command, names: Iterator[str], prose: Iterator[str]) -> Command:
    """A command whose free texts are payloads: as many of them as it takes."""

    def words(one: Input) -> Any:
        found = next(prose if one.most is None or one.most > 200 else names)
        return (found,) if one.kind is Kind.LINES else found

    if isinstance(command, PublishPolicy):
        return command
    of_text = [
        each
        for each in inputs_of(type(command))
        if each.kind in (Kind.TEXT, Kind.PROSE, Kind.LINES)
        and each.form == "text"
        and getattr(command, each.name, None)
        # Where a commune lies decides who may what; the rest of it is words.
        and not (isinstance(command, RegisterCommune) and each.name in ("region", "circle", "zone"))
    ]
    return msgspec.structs.replace(command, **{each.name: words(each) for each in of_text})


class Poisoned(Way):
    """The way of a framework on which everybody types payloads."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.names, self.prose = cycle(chunks(195)), cycle(chunks(1990))

    def _execute(self, command: Command, on: date, target: str | None = None) -> Receipt:
        return self.engine.execute(said(poisoned(command, self.names, self.prose), on, target))


@dataclass
class Poison:
    """A town full of payloads; ``told`` are the texts that were recorded."""

    town: Town
    told: list[str]


@pytest.fixture(scope="module")
def poison(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poison]:
    with Engine(f"sqlite:///{tmp_path_factory.mktemp('poison') / 'a.db'}") as engine:
        app = make_app(engine, Named(engine), rooms(engine), WIDE, SigningIn(engine, Sessions(engine)))
        with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
            town = Town(engine, client, Poisoned(engine))
            say_everything(town)
            yield Poison(town, [bytes(leaf).decode() for *_, leaf in engine.store.read(0)])


def say_everything(town: Town) -> None:
    """Every command with payloads in every text field, over HTTP; whatever comes of it."""
    for name in SAYABLE:
        command, kind = COMMANDS[name], types.type_info(COMMANDS[name])
        assert isinstance(kind, types.StructType)
        free = {field.encode_name: field.type for field in kind.fields if isinstance(bare(field.type), types.StrType)}
        for words in (*chunks(195), *chunks(1990)):
            data = example(command)
            data |= {n: words for n, t in free.items() if not getattr(bare(t), "pattern", None)}
            body: dict[str, Any] = {"occurred_on": "2026-03-02", "data": data}
            path = f"{API}/commands/{name}"
            if name in OF_A_FRAMEWORK:
                path = f"{API}/frameworks/{town.framework}/commands/{name}"
            else:
                body["target"] = words[:100]
            headers = key(**named(command.roles[0].value), **{"If-Match": '"1"'})
            answer = town.client.post(path, json=body, headers=headers)
            assert answer.status_code < 500, (name, answer.text)
            assert_is_data(answer)


def assert_is_data(answer: Any) -> None:
    """No browser takes it for a page."""
    assert re.fullmatch("application/((problem|schema)[+])?json", answer.headers["content-type"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    json.loads(answer.content)


def assert_is_stream(answer: Any) -> None:
    """Each message is data, and nothing that somebody typed begins one."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    fields = [line.partition(":") for line in answer.text.splitlines() if line]
    assert {name for name, _, _ in fields} <= {"", "data", "event", "id", "retry"}
    for name, _, words in fields:
        if name == "data":
            json.loads(words)


def assert_is_paper(content: bytes) -> None:
    """Pages that do nothing."""
    reader = PdfReader(io.BytesIO(content))
    numbers = {number for generation in reader.xref.values() for number in generation} | set(reader.xref_objStm)
    assert len(numbers) > 10
    for number in numbers:
        found = reader.get_object(number)
        if isinstance(found, DictionaryObject):
            assert not set(found) & set(NEVER), number


def assert_is_agenda(content: bytes, rows: int) -> None:
    """As many entries as there are days, each with the properties that are ours."""
    found = icalendar.Calendar.from_ical(content)
    events = found.walk("VEVENT")
    assert len(events) == rows
    assert all(set(event) <= OURS_OF_AGENDAS for event in events)
    assert {part.name for part in found.walk()} <= {"VCALENDAR", "VEVENT", "VALARM"}
    assert not found.errors


def assert_is_bundle(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert all(re.fullmatch(r"(schemas/)?[A-Za-z0-9][A-Za-z0-9._-]*", name) for name in names)
        for line in archive.read("leaves.jsonl").splitlines():
            json.loads(line)


def assert_is_table(answer: str) -> None:
    """Lines of as many cells as the heading names, and no cell that a spreadsheet would work out."""
    heading, *lines = csv.reader(io.StringIO(answer, newline=""), strict=True)
    for line in lines:
        assert len(line) == len(heading)
        assert not [cell for cell in line if cell[:1] in {"=", "+", "@", "\t", "\r"}]


def assert_is_parquet(answer: bytes) -> None:
    """A table of columns that are called as codes are."""
    names = parquet.read_table(io.BytesIO(answer)).column_names
    assert names
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)


def checks(town: Town) -> dict[str, Callable[[Any], None]]:
    """What is held of an answer, by its kind."""
    rows = town.client.get(f"{API}/calendar?limit=500", headers=named("auditor")).json()["items"]
    return {
        "text/html; charset=utf-8": lambda answer: assert_harmless(answer.text),
        "application/json": assert_is_data,
        "application/problem+json": assert_is_data,
        "application/schema+json": assert_is_data,
        "application/pdf": lambda answer: assert_is_paper(answer.content),
        "text/calendar; charset=utf-8": lambda answer: assert_is_agenda(answer.content, len(rows)),
        "text/csv; charset=utf-8; header=present": lambda answer: assert_is_table(answer.text),
        "image/svg+xml": lambda answer: assert_is_drawing(answer.text),
        "application/vnd.apache.parquet": lambda answer: assert_is_parquet(answer.content),
        "application/zip": lambda answer: assert_is_bundle(answer.content),
        "text/event-stream; charset=utf-8": assert_is_stream,
        "text/plain; charset=utf-8": lambda answer: None,
        "text/javascript; charset=utf-8": lambda answer: None,
        "text/css; charset=utf-8": lambda answer: None,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_opened_tells_it_as_text(poison: Poison, language: Language) -> None:
    town, seen = poison.town, set[str]()
    held = checks(town)
    for route in routes(town):
        if "GET" not in route.methods:
            continue
        for command in ("attach-document", "agree-plan", "identify-need") if "{command}" in route.path else ("",):
            path = f"{town.filled(route.path, command)}&lang={language}"
            answer = town.client.get(path, headers=named("awa"))
            assert answer.status_code < 500, (path, answer.text)
            if answer.status_code not in (302, 303):
                held[answer.headers["content-type"]](answer)
                seen.add(answer.headers["content-type"])
            assert "\r" not in answer.headers.get("location", "")
    assert {"text/html; charset=utf-8", "application/pdf", "text/calendar; charset=utf-8", "application/zip"} <= seen


def test_all_of_them_were_recorded_and_are_told_on_a_page(poison: Poison) -> None:
    """Or there was nothing to run."""
    town = poison.town
    leaves = "".join(poison.told)
    shown = ""
    for after in range(0, 400, 20):
        found = town.client.get(f"/frameworks/{town.framework}/history?after={after}", headers=named("auditor"))
        shown += Words(found.text).said
    for each in PAYLOADS:
        assert msgspec.json.encode(each).decode()[1:-1] in leaves.replace("\\u007f", "\x7f"), each
    told = bared(shown)
    assert [each for each in PAYLOADS if each.isascii() and bared(each) not in told] == []


def test_a_real_browser_runs_none_of_them(poison: Poison, browser: Browser) -> None:
    town, ran, strayed = poison.town, list[str](), list[str]()
    with at_an_address(town.engine) as address:
        context = browser.new_context(extra_http_headers=named("awa"), base_url=address)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: None if asked.url.startswith(address) else strayed.append(asked.url))
        base = f"/frameworks/{town.framework}"
        more = ("", "/history", "/replay", "/meeting", "/do/identify-need", "/do/amend-need", "/compare?from=1&to=999")
        for path in ("/", *(base + each for each in more), f"/requests/{town.request}"):
            page.goto(path)
            page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true }")
            others = 'script:not([src^="/script/"]), iframe, object, embed, [onerror], [onload]'
            assert page.locator(others).count() == 0
        context.close()
    assert (ran, strayed) == ([], [])
