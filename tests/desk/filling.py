"""Filling in forms without a browser: what stands in the page is sent, as a browser without script would."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlencode

from httpx2 import Response
from starlette.testclient import TestClient

from tests.desk.dioro import Fill
from tests.http.town import named

HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

BLANK = "?need=&action="
"""Leads to a blank form also where it is chosen first what it is about."""


class Option(NamedTuple):
    value: str
    label: str


class Page(HTMLParser):
    """The form of a page: every field with what it holds, every choice with its options."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = defaultdict(list)
        self.options: dict[str, list[Option]] = defaultdict(list)
        self.boxes: dict[str, list[Option]] = defaultdict(list)
        self.action = ""
        self._labels: dict[str, str] = {}
        self._select = self._text = self._label = ""
        self._chosen = self._value = ""
        self._order: list[tuple[str, str]] = []
        self.text = response.text
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        match tag:
            case "form" if given.get("method") == "post":
                self.action = given["action"]
            case "input" if given.get("type") == "checkbox":
                self.boxes[name].append(Option(given["value"], given["id"]))
                if "checked" in given:
                    self.fields[name].append(given["value"])
            case "input" if name:
                self.fields[name].append(given.get("value", ""))
            case "textarea":
                self._text = name
                self.fields[name].append("")
            case "select":
                self._select, self._chosen = name, ""
            case "option":
                self._value = given.get("value", "")
                self.options[self._select].append(Option(self._value, ""))
                if "selected" in given:
                    self._chosen = self._value
            case "label":
                self._label = given.get("for", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.fields[self._select].append(self._chosen)
            self._select = ""
        elif tag == "textarea":
            self.fields[self._text][-1] = self.fields[self._text][-1].removeprefix("\n")
            self._text = ""
        elif tag == "label":
            self._label = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.fields[self._text][-1] += data
        elif self._select and self.options[self._select]:
            value, label = self.options[self._select][-1]
            self.options[self._select][-1] = Option(value, label + data.strip())
        elif self._label:
            self._labels[self._label] = self._labels.get(self._label, "") + data

    def chosen(self, name: str, words: str) -> str:
        """The value of the option whose label holds these words."""
        found = [each.value for each in self.options[name] if words.casefold() in each.label.casefold() and each.value]
        assert found, f"{name}: {words} is not offered among {[each.label for each in self.options[name]]}"
        return found[0]

    def ticked(self, name: str, words: str) -> str:
        found = [each.value for each in self.boxes[name] if words.casefold() in self._labels[each.label].casefold()]
        assert found, f"{name}: {words} is not offered"
        return found[0]

    def put(self, name: str, value: object) -> None:
        """Type something in, choose it, or tick it."""
        match value:
            case str() if name in self.options:
                self.fields[name] = [self.chosen(name, value)]
            case str():
                assert name in self.fields or name in self.boxes, f"there is no field {name}"
                self.fields[name] = [value]
            case list() if value and isinstance(value[0], dict):
                for number, row in enumerate(value):
                    for part, inner in row.items():
                        self.put(f"{name}.{number}.{part}", inner)
            case list() if name in self.boxes:
                self.fields[name] = [self.ticked(name, words) for words in value]
            case list():
                self.fields[name] = [self.chosen(name, words) for words in value]

    def body(self, **more: str) -> str:
        pairs = [(name, value) for name, values in self.fields.items() for value in values]
        return urlencode([*pairs, *more.items()])


def send(client: TestClient, page: Page, who: str, **more: str) -> Response:
    """Send the form of a page as it is now."""
    headers = named(who, **HEADERS)
    return client.post(page.action, content=page.body(**more), headers=headers, follow_redirects=False)


def said(client: TestClient, page: Page, who: str, **more: str) -> Response:
    """The same, by the script of the page: it asks for JSON."""
    headers = named(who, **HEADERS, Accept="application/json")
    return client.post(page.action, content=page.body(**more), headers=headers, follow_redirects=False)


def opened(client: TestClient, address: str, who: str) -> Page:
    """A page that is there."""
    found = client.get(address, headers=named(who))
    assert found.status_code == 200, found.text
    return Page(found)


def filled(client: TestClient, base: str, fill: Fill) -> Page:
    """The form of a step, filled in; a list that is too short is made longer by its button."""
    page = opened(client, f"{base}/do/{fill.command}", fill.who)
    for name, value in fill.fields.items():
        wanted = len(value) if isinstance(value, list) and value and isinstance(value[0], dict) else 0
        while wanted > int(page.fields.get(f"_rows.{name}", ["0"])[0] or 0):
            page = Page(send(client, page, fill.who, _add=name))
        page.put(name, value)
    page.fields["_on"] = [fill.on]
    if len(page.options.get("_role", ())):
        page.fields["_role"] = [fill.role]
    if fill.about:
        page.fields["_target"] = [page.chosen("_target", fill.about)]
    return page


def done(client: TestClient, base: str, fill: Fill) -> Response:
    """A step done, checks confirmed: the page that says so."""
    page = filled(client, base, fill)
    answer = send(client, page, fill.who)
    if answer.status_code == 200:
        answer = send(client, Page(answer), fill.who, _checked="yes")
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["location"], headers=named(fill.who))
