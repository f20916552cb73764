"""Whatever people type is shown as text: in every text field of every form, and on every page that tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import NeedKind
from cycle.commands import COMMANDS
from cycle.forms.declared import Input, Kind, inputs_of
from cycle_adapters.http.pages_doing import OF_A_FRAMEWORK, OF_THE_COMMUNE
from tests.desk.filling import BLANK, Page, opened, send
from tests.desk.places import Desk, desk_at
from tests.engine.path import RICE

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</textarea></select><b>bold</b>",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "javascript:alert(1)",
    "\u202eevil\u202c\u2066hidden\u2069",
    "a" * 2_000,
)
TEXTS = (Kind.TEXT, Kind.PROSE, Kind.LINES, Kind.NUMBER, Kind.MONEY, Kind.DECIMAL, Kind.DAY)
FORMS = sorted({*OF_A_FRAMEWORK, *OF_THE_COMMUNE} - {"correct-fact"})


def texts(inputs: tuple[Input, ...], prefix: str = "") -> Iterator[str]:
    """The names of all fields into which something is typed; of lists of structs, those of the first row."""
    for each in inputs:
        name = prefix + each.name
        if each.parts:
            yield from texts(each.parts, f"{name}." if each.kind is Kind.GROUP else f"{name}.0.")
        elif each.kind in TEXTS:
            yield name


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk_at(f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'a.db'}", Stage.MONITORING) as desk:
        yield desk


def who_says(command: str) -> str:
    """An account that may."""
    return COMMANDS[command].roles[0].value


@pytest.mark.parametrize("command", FORMS)
def test_what_is_typed_into_a_form_comes_back_as_text(desk: Desk, command: str) -> None:
    page = opened(desk.client, f"{desk.base}/do/{command}{BLANK}", who_says(command))
    own = set(texts(inputs_of(COMMANDS[command]))) & set(page.fields)
    before = desk.position()
    for words in HOSTILE:
        for name in own:
            page.fields[name] = [words]
        page.fields["_on"], page.fields["_for"] = ['"><script>alert(1)</script>'], ['"><script>x']
        answer = send(desk.client, page, who_says(command))
        assert answer.status_code == 422
        assert_harmless(answer.text)
        again = Page(answer)
        for name in own:
            assert again.fields[name] == [words] or not page.fields[name][0].strip()
    assert desk.recorded(before) == []


OUR_SCRIPT = re.compile("/script/[0-9a-f]+/desk.js")


class Seen(HTMLParser):
    """The elements and attributes of a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and OUR_SCRIPT.fullmatch(dict(attrs).get("src") or ""):
            tag = "our-script"
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links.update(value or "" for name, value in attrs if name in ("href", "src", "action"))


OURS = {
    "a", "body", "button", "dd", "details", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "head",
    "header", "html", "input", "label", "legend", "li", "link", "main", "meta", "nav", "noscript", "ol", "option",
    "our-script", "pre", "code", "select", "small", "span", "summary", "table", "tbody", "td", "textarea", "th",
    "thead", "title", "p", "tr", "ul", "caption", "figure", "figcaption", "optgroup", "section",
}  # fmt: skip
DRAWN = {"svg", "title", "desc", "defs", "pattern", "g", "path", "rect", "circle", "line", "text", "tspan"}
PICTURE = re.compile(r'(?<=<figure class="picture">)<svg.*?</svg>', re.DOTALL)


def assert_is_drawing(answer: str) -> None:
    """Shapes and words, and nothing that acts or leads away."""
    for each in ElementTree.fromstring(answer).iter():
        assert each.tag.rpartition("}")[2] in DRAWN
        assert not [name for name in each.attrib if name.startswith("on") or name.endswith("href")]


def assert_harmless(page: str) -> None:
    """No element, no handler and no address came in with the words."""
    for drawing in PICTURE.findall(page):
        assert_is_drawing(drawing)
    seen = Seen(PICTURE.sub("", page))
    assert seen.tags <= OURS
    assert not {name for name in seen.attributes if name.startswith("on") or name == "style"}
    assert all(link.startswith(("/", "#")) for link in seen.links)
    assert "49 {" not in page


@pytest.mark.parametrize("words", HOSTILE)
def test_what_was_recorded_is_told_as_text_on_every_page(sqlite_url: str, words: str) -> None:
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        desk.way.say(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description=words), on=date(2026, 2, 1))
        paths = (
            "",
            "/history",
            "/history?after=25",
            "/replay",
            "/meeting?step=needs",
            "/do/amend-need",
            "/do/validate-needs",
        )
        for path in paths:
            page = desk.text(desk.base + path)
            assert_harmless(page)
            # What would turn the text around is not there where it is told.
            assert "\u202e" not in page
