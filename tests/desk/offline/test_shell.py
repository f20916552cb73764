"""What a browser is given once and keeps: the script, its texts, the worker, and how much that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from cycle.aggregates.framework.state import Stage
from cycle.catalogue import LANGUAGES, Language, keys, template
from cycle_adapters.http.pages import Pages
from cycle_adapters.http.pages_shell import ALSO, texts, trimmed
from tests.desk.places import Desk, desk_at
from tests.desk.test_every_page import FIRST_LOAD, fetched_by
from tests.http.town import named

SCRIPTS = {each.name: each.read_text("utf-8") for each in (files("cycle_adapters.http") / "scripts").iterdir()}
STATES = {"waiting", "sending", "recorded", "refused", "conflict", "signed-out", "behind"}


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        yield desk


def said() -> set[str]:
    """The texts that the scripts say."""
    found: set[str] = set()
    for script in SCRIPTS.values():
        for words in re.findall(r"say\(([^()]*)", script):
            found |= set(re.findall(r'"([a-z-]+)"', words))
        found |= (
            set(re.findall(r'does = "two".*\? "([a-z-]+)" : "([a-z-]+)"', script)[0]) if "does =" in script else set()
        )
    return found


def test_the_script_says_what_the_catalogue_has_and_nothing_is_there_for_nothing() -> None:
    wanted = {each for each in said() if each not in STATES} | {f"state-{state}" for state in STATES}
    assert wanted == keys("offline") | set(ALSO)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_can_fill_every_text_in(language: Language) -> None:
    for code in keys("offline"):
        words = re.sub(r"\{\w+\|[^|{}]*\|[^|{}]*\}|\{\w+\}", "", template(f"offline.{code}", language))
        assert not set("{}[]|") & set(words), code
    assert b'"skip"' not in texts(language)


def test_no_script_makes_markup_of_words() -> None:
    for name, script in SCRIPTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script), (
            name
        )


def test_what_travels_is_what_is_written_without_its_comments() -> None:
    for name, script in SCRIPTS.items():
        # No text goes over several lines, so that no line of one is taken for a comment.
        assert all(line.count("`") % 2 == 0 for line in script.splitlines()), name
        assert not re.search(r"^\s*//|/\*|^\s", trimmed(script).decode(), re.MULTILINE), name


def test_what_is_kept_for_a_year_is_called_by_what_it_holds(desk: Desk) -> None:
    version = Pages().shell.version
    for name in (*SCRIPTS, "texts-fr.json", "texts-en.json", "commands-fr.json"):
        answer = desk.client.get(f"/script/{version}/{name}")
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    # A page that was kept for long asks for what is no more: it is given what there is, and asks again.
    older = desk.client.get("/script/000000000000/desk.js")
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    for name in ("nothing.js", "..%2Fpages.py", "style.css"):
        assert desk.client.get(f"/script/{version}/{name}").status_code == 404


def test_the_worker_names_all_that_it_keeps_and_it_is_there_for_nobody_in_particular(desk: Desk) -> None:
    worker = desk.client.get("/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "worker-src 'self'" in worker.headers["content-security-policy"]
    kept = re.findall(r'"(/[^"]+)"', worker.text.partition("serve(")[2])
    assert len(kept) == len(SCRIPTS) + 3 * len(LANGUAGES) + 1
    for address in kept:
        answer = desk.client.get(address)
        assert answer.status_code == 200, address
        assert answer.content == desk.client.get(address, headers=named("awa")).content


def test_a_page_says_for_whom_it_was_made(desk: Desk) -> None:
    page = desk.client.get(desk.base, headers=named("awa"))
    assert page.headers["cycle-account"] == "awa"
    assert 'data-account="awa"' in page.text
    assert "cycle-account" not in desk.client.get("/outbox").headers


def loaded(*names: str) -> set[str]:
    """The modules that come with these."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += re.findall(r'^(?:import|} from).*"\./(\w+\.js)"', SCRIPTS[name], re.MULTILINE)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_load_is_small_with_all_that_a_page_runs(desk: Desk, language: Language) -> None:
    shell = f"/script/{Pages().shell.version}"

    def size(path: str) -> int:
        return fetched_by(desk.client, path)

    pages = {
        f"{desk.base}?lang={language}": loaded("desk.js", "worker.js"),
        f"{desk.base}/do/identify-need?lang={language}": loaded("desk.js", "forms.js", "worker.js"),
        f"{desk.base}/meeting?step=attendance&lang={language}": loaded("desk.js", "forms.js", "worker.js"),
        f"/outbox?lang={language}": loaded("desk.js", "outbox_page.js", "worker.js"),
    }
    for path, modules in pages.items():
        first = sum(size(each) for each in (path, "/style.css", "/sw.js", f"{shell}/texts-{language}.json"))
        first += sum(size(f"{shell}/{name}") for name in modules)
        assert first <= FIRST_LOAD, f"{path}: {first}"
