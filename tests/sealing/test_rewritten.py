"""An event that was rewritten with its hash, so that every row holds, is named by whoever cannot go on with it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cycle.leaf import canonical
from cycle.proofs.rows import Stored
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.cli.run import Cli, Ran
from tests.sealing.edits import Database, rehashed
from tests.sealing.test_damage import damaged, one_line

Rewriting = Callable[[dict[str, Any]], object]


def about_nothing(key: str) -> Rewriting:
    """About a need or an action that there never was."""
    return lambda data: data.update({key: "ghost"})


REWRITTEN: dict[str, Rewriting] = {
    "need-amended": about_nothing("need"),
    "action-started": about_nothing("action"),
    "progress-reported": about_nothing("action"),
    "action-completed": about_nothing("action"),
    "action-carried-over": about_nothing("action"),
    "obstacle-resolved": about_nothing("obstacle"),
    "framework-resumed": about_nothing("stage"),
    "fact-corrected": lambda data: data.update(fact_version=10_000),
    "framework-proposed": lambda data: data.pop("policy"),
    "organisation-registered": about_nothing("form"),
}


def one_of(url: str, kind: str) -> Stored:
    store = SqlRecorder(open_database(url))
    with closing(store.stored(0, store.head().position)) as rows:
        found = next(each for each in rows if each.type == kind)
    store.close()
    return found


def rewritten(cli: Cli, kind: str, rewriting: Rewriting) -> Stored:
    """Rewrite the data of the first event of a kind."""
    at = one_of(cli.url, kind)

    def edit(database: Database, chance: Random) -> None:
        event = json.loads(at.leaf)
        rewriting(event["data"])
        database.put(rehashed(at, canonical(event)))

    damaged(cli, edit, at)
    return at


def does_not_follow(ran: Ran, at: Stored, why: str = "does not follow") -> None:
    one_line(ran, at)
    assert why in ran.err


@pytest.mark.parametrize("kind", REWRITTEN)
def test_what_does_not_follow_from_what_was_before_is_named(anywhere: Cli, kind: str) -> None:
    at = rewritten(anywhere, kind, REWRITTEN[kind])
    anywhere.ok("seal", "--once")
    anywhere.ok("verify")
    does_not_follow(anywhere("replay", at.log, lang="en"), at)


def test_the_first_that_misses_what_was_rewritten_before_it_is_named(anywhere: Cli) -> None:
    """A need under another name is one that could be: what speaks of it later is not."""
    at = rewritten(anywhere, "need-identified", about_nothing("need"))
    named = json.loads(anywhere("--json", "replay", at.log).err)["reasons"][0]
    assert (named["log"], named["code"]) == (at.log, "unfit")
    assert named["index"] > at.log_index


@pytest.mark.parametrize("verb", ["next", "replay", "rebuild", "frameworks"])
def test_every_verb_that_cannot_go_on_names_it(anywhere: Cli, verb: str) -> None:
    at = rewritten(anywhere, "fact-corrected", REWRITTEN["fact-corrected"])
    words = {"rebuild": ("rebuild",), "frameworks": ("show", "frameworks")}.get(verb, (verb, at.log))
    does_not_follow(anywhere(*words, lang="en"), at)


def test_it_is_told_in_french_and_to_programs(anywhere: Cli) -> None:
    at = rewritten(anywhere, "need-amended", REWRITTEN["need-amended"])
    assert "ne suit pas de ceux qui le précèdent" in anywhere("replay", at.log).err
    said = json.loads(anywhere("--json", "replay", at.log).err)
    assert said["code"] == "unreadable"
    assert (said["reasons"][0]["code"], said["reasons"][0]["index"]) == ("unfit", at.log_index)


def test_an_event_of_a_newer_release_is_named_as_such(anywhere: Cli) -> None:
    at = one_of(anywhere.url, "need-identified")

    def newer(database: Database, chance: Random) -> None:
        leaf = at.leaf.replace(b'"schema":%d' % at.schema, b'"schema":99')
        database.put(rehashed(at._replace(schema=99), leaf))

    damaged(anywhere, newer, at)
    does_not_follow(anywhere("replay", at.log, lang="en"), at, "update cycle")


def test_a_time_zone_that_is_none_is_told(anywhere: Cli) -> None:
    at = rewritten(anywhere, "commune-registered", about_nothing("zone"))
    ran = anywhere("next", at.log, lang="en")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "The time zone ghost of the commune is not known on this machine" in ran.err


def test_what_was_sealed_is_told_by_the_seals_that_the_environment_names(anywhere: Cli) -> None:
    anywhere.ok("seal", "--once")
    at = rewritten(anywhere, "need-amended", REWRITTEN["need-amended"])
    does_not_follow(anywhere("replay", at.log, lang="en"), at, "not the one that was sealed")
    (Path(os.environ["CYCLE_SEALS"]) / "registry" / "checkpoint").unlink()
    does_not_follow(anywhere("replay", at.log, lang="en"), at)


def test_where_the_seals_cannot_be_looked_at_the_event_is_named_all_the_same(anywhere: Cli) -> None:
    anywhere.ok("seal", "--once")
    at = rewritten(anywhere, "need-amended", REWRITTEN["need-amended"])
    (Path(os.environ["CYCLE_SEALS"]) / "verifier-key").write_text("no key")
    does_not_follow(anywhere("replay", at.log, lang="en"), at)
