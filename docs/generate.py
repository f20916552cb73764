"""Writes the reference pages that come from the code: run by ``make docs``, checked by a test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from msgspec import structs
from transitions.extensions import GraphMachine

from cycle import catalogue
from cycle.access import ACTING, ACTIONS, READERS, READING, SAYING, Action
from cycle.aggregates.base import Role
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.framework.table import MOVES, NONE, TABLE, Row
from cycle.commands import COMMANDS
from cycle.contracts import Schema, freeze, frozen, name_of
from cycle.exports.columns import Column
from cycle.exports.figures import Part, columns
from cycle.exports.tables import TABLES
from cycle.policy import Policy, Rule, sample
from cycle.projections.all import PROJECTIONS
from cycle.settings import SETTINGS, Setting
from cycle.timings.pictures.all import PICTURES
from cycle_adapters.exports.attributes import OF_EVERY_EVENT, SHAPES
from cycle_adapters.exports.ocel import OCEL_COLUMNS
from cycle_adapters.exports.xes import COLUMNS as XES_COLUMNS
from cycle_adapters.files.publishing import COLUMNS as SCDL_COLUMNS
from cycle_adapters.http import limits
from cycle_adapters.http.problems import PROBLEMS, URN
from cycle_adapters.http.saying import OF_A_FRAMEWORK, SAYABLE

DOCS = Path(__file__).parent
FILES = (
    ("/frameworks/{id}/plan.pdf?cycle=", "the plan to print; the newest when left out", "export-paper"),
    ("/frameworks/{id}/attendance.pdf?meeting=", "the sheet to sign; of the meeting that is convened", "export-paper"),
    ("/frameworks/{id}/minutes.pdf?meeting=", "the minutes; of the last meeting that has ended", "export-paper"),
    ("/calendar.ics", "meetings and deadlines, filtered as lists are", "export-calendar"),
    ("/timings/pictures/{picture}.svg", f"how long it takes, drawn: {', '.join(PICTURES)}", "timings"),
    ("/timings/pictures/{picture}", "what the picture shows", "timings"),
    ("/logs/{log}/checkpoint", "what was signed of a log, or of the `registry`: a note", "export-checkpoint"),
    ("/logs/{log}/inclusion?index=&size=", "that a leaf stands at an index", "export-checkpoint"),
    ("/logs/{log}/consistency?from=&to=", "that a log only grew", "export-checkpoint"),
    ("/logs/{log}/bundle", "the log with its proofs and a verifier: a .zip", "export-bundle"),
    ("/timings/{metric}/rows?by=&cohort=&about=", "the durations or cases behind the figures", "timings"),
    ("/timings/{metric}/figures.csv", "the figures as a file; `.parquet` too", "timings"),
    ("/timings/{metric}/rows.csv", "what is behind them as a file; `.parquet` too", "timings"),
    ("/report.pdf?by=", "the evaluator's report, filtered as lists are", "export-paper"),
    ("/policies", "every version of every policy, with its digest", ""),
    ("/policies/{policy}?version=", "one version in full; the newest when left out", ""),
)
"""Whatever is no list and no command."""
HEADER = "<!-- Written by `make docs` from the code: change the code, not this page. -->\n\n"


def state_table() -> str:
    """``docs/state-table.md``: every command of a framework, where it may be said, what it needs."""
    lines = [
        "# The state table\n",
        "One framework is one aggregate with one table: `src/cycle/aggregates/framework/table.py`.",
        "A command that stays keeps the framework in its stage. A guard that fails refuses, with its",
        "reason; `cycle next` shows them all. Guards look at the framework and at the day; what a",
        "command says is judged beside them: it names what exists, and its numbers and days can be.\n",
        "```mermaid",
        diagram(),
        "```\n",
        "| from | command | in words | who | refused unless | to |",
        "|---|---|---|---|---|---|",
        *(_row(row) for row in TABLE),
    ]
    return HEADER + "\n".join(lines) + "\n"


def diagram() -> str:
    """The moves between stages as a Mermaid picture, drawn by ``transitions``."""
    machine = GraphMachine(
        states=[_node(s) for s in (NONE, *Stage)],
        initial=NONE,
        auto_transitions=False,
        graph_engine="mermaid",
    )
    for name, source, dest in sorted(MOVES, key=_in_table_order):
        if source != dest:
            machine.add_transition(name, _node(source), _node(dest))
    lines = machine.get_combined_graph().source.splitlines()
    unwanted = ("---", "State Machine", "classDef", "Class ")
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.strip().startswith(unwanted))


def _node(stage: str) -> str:
    """Mermaid reads a hyphen as the beginning of an arrow."""
    return stage.replace("-", "_")


def _in_table_order(move: tuple[str, str, str]) -> tuple[int, int, int]:
    stages = [NONE, *(stage.value for stage in Stage)]
    names = [row.command.type for row in TABLE]
    return stages.index(move[1]), stages.index(move[2]), names.index(move[0])


def _row(row: Row) -> str:
    stages = ", ".join(stage.value if stage else "—" for stage in row.stages)
    label = catalogue.text(f"command.{row.command.type}", "en")
    roles = ", ".join(role.value for role in row.command.roles)
    guards = "; ".join(_first_line(guard.__doc__) for guard in row.guards) or "what it says can be"
    to = ", ".join(stage.value for stage in row.to) or "stays"
    return f"| {stages} | `{row.command.type}` | {label} | {roles} | {guards} | {to} |"


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0].rstrip(".")


def policy_page(policy: Policy) -> str:
    """``docs/policy.md``: the articles of the policy that ships."""
    lines = [
        f"# The sample policy: {policy.name}\n",
        f"{policy.title.en} · {policy.title.fr}. Digest `{policy.digest}`.\n",
        "| article | rule | value | effect | source | why |",
        "|---|---|---|---|---|---|",
    ]
    for name in Policy.__struct_fields__:
        rule = getattr(policy, name)
        if isinstance(rule, Rule):
            value = ", ".join(rule.value) if isinstance(rule.value, tuple) else rule.value
            lines.append(
                f"| {rule.article} | `{name.replace('_', '-')}` | {value} | {rule.effect} | {rule.source} "
                f"| {rule.why.en} |"
            )
    return HEADER + "\n".join(lines) + "\n"


def access() -> str:
    """``docs/access.md``: the roles, and who may do what, out of the declarations."""
    intro = (DOCS / "access-intro.md").read_text("utf-8")
    lines = ["## Roles\n", "| role | in words |", "|---|---|"]
    lines += [f"| `{role}` | {catalogue.text(f'role.{role}', 'en')} |" for role in Role]
    lines += [
        "\n## Who may say which command\n",
        "| command | in words | roles | takes two | not by |",
        "|---|---|---|---|---|",
    ]
    for name, action in SAYING.items():
        two = "yes" if COMMANDS[name].seconds else ""
        words = catalogue.text(f"command.{name}", "en")
        lines.append(f"| `{name}` | {words} | {_roles(action.roles)} | {two} | {_roles(action.apart)} |")
    lines += ["\n## Who may read what\n", "| what | roles |", "|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {_readers(action)} |" for name, action in READING.items()]
    lines += ["\n## Who may do what else\n", "| act | roles |", "|---|---|"]
    lines += [f"| {name} | {_readers(action)} |" for name, action in ACTING.items()]
    return HEADER + intro + "\n" + "\n".join(lines) + "\n"


def _roles(roles: Iterable[Role]) -> str:
    return ", ".join(role.value for role in roles)


def _readers(action: Action) -> str:
    return "anybody" if action.anybody else _EVERY.get(frozenset(action.roles)) or _roles(action.roles)


def api() -> str:
    """``docs/api.md``: the walk-through, then every address, problem and limit out of the declarations."""
    intro = (DOCS / "api-intro.md").read_text("utf-8")
    lines = ["## Lists\n", "| address | fields of a row |", "|---|---|"]
    lines += [
        f"| `GET /{name.replace('_', '-')}` | {', '.join(projection.row.__struct_fields__)} |"
        for name, projection in PROJECTIONS.items()
    ]
    lines += ["\n## Files, proofs, rules\n", "| address | gives | for |", "|---|---|---|"]
    lines += [
        f"| `GET {path}` | {what} | {_roles(ACTIONS[act].roles) if act else 'anybody'} |" for path, what, act in FILES
    ]
    lines += ["\n## Commands\n", "| address | in words | fields | roles |", "|---|---|---|---|"]
    for name, command in ((name, COMMANDS[name]) for name in SAYABLE):
        where = "/frameworks/{id}/commands/" if name in OF_A_FRAMEWORK else "/commands/"
        fields = ", ".join(f.encode_name + ("" if f.required else "?") for f in structs.fields(command))
        notes = " · takes two people" if command.seconds else ""
        notes += " · `If-Match` needed" if command.binds else ""
        words = catalogue.text(f"command.{name}", "en") + notes
        lines.append(f"| `POST {where}{name}` | {words} | {fields} | {_roles(command.roles)} |")
    lines += ["\n## Problems\n", "| status | type | what it says |", "|---|---|---|"]
    lines += [
        f"| {status} | `{URN}{code}` | {catalogue.template(f'problem.{code}', 'en', 'title')} |"
        for code, status in PROBLEMS.items()
    ]
    account, address, following = limits.Limits().account, limits.Limits().address, limits.Limits().following
    lines += [
        "\n## Limits\n",
        "| what | how much |",
        "|---|---|",
        f"| one account | {account.per_second:g} requests a second, {account.burst} at once |",
        f"| one address | {address.per_second:g} requests a second, {address.burst} at once |",
        f"| a body | {limits.BODY_BYTES:,} bytes, {limits.JSON_DEPTH} levels deep |",
        f"| request line and headers | {limits.HEADER_BYTES:,} bytes |",
        f"| a connection without a request | {limits.KEEP_ALIVE_SECONDS} seconds |",
        f"| requests worked on at the same time | {limits.THREADS} |",
        f"| sheets being set at the same time | {limits.Limits().printing} |",
        f"| bundles being written at the same time | {limits.Limits().bundling} |",
        f"| questions about everything as of a past moment at the same time | {limits.Limits().past} |",
        f"| following the log at the same time | {following.each} streams and waiting requests of one account, "
        f"{following.most} of all |",
        f"| waiting for a position | {limits.Limits().wait_seconds:g} seconds, {limits.Limits().waiting} requests |",
    ]
    return HEADER + intro + "\n" + "\n".join(lines) + "\n"


def configuration() -> str:
    """``docs/configuration.md``: every setting, by which option and variable it is said."""
    lines = [
        "# Configuration\n",
        "An option goes before a variable, a variable before the default. `cycle doctor` says which variables",
        "are set; one that begins with `CYCLE_` and is none of these is warned of by every verb. The language",
        "is that of `LC_ALL`, `LC_MESSAGES` or `LANG` unless `--lang` says it. Keys and tokens are never",
        "values of settings: a setting names the file that holds one.\n",
        "| variable | option | default | what for | à quoi ça sert | verbs |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_setting(each) for each in SETTINGS]
    return HEADER + "\n".join(lines) + "\n"


def _setting(setting: Setting) -> str:
    variable, option, default = (
        f"`{each}`" if each else "—" for each in (setting.variable, setting.option, setting.default)
    )
    choices = f" ({', '.join(setting.choices)})" if setting.choices else ""
    words = " | ".join(catalogue.text(f"setting.{setting.name}", language) for language in ("en", "fr"))
    verbs = ", ".join(f"`{verb}`" for verb in setting.verbs) or "all"
    return f"| {variable} | {option}{choices} | {default} | {words} | {verbs} |"


def schemas() -> str:
    """``docs/schemas.md``: which schemas of events there are, and with which release each came."""
    intro = (DOCS / "schemas-intro.md").read_text("utf-8")
    lines: list[str] = []
    known: dict[str, list[str]] = {}
    for release, types in _releases():
        new = [name for name in types if name not in known]
        more = {name: sorted(set(types[name]) - set(known[name])) for name in types if name in known}
        lines += [f"\n## {release}\n"]
        lines += [f"- New: {_listed(new)}." if new else "- Nothing new."]
        lines += [
            f"- `{name}`: {_listed(fields)} more, which may be absent." for name, fields in more.items() if fields
        ]
        known |= types
    lines += ["\n## All of them\n", "| type | schema | what happened | data; `?`: may be absent |", "|---|---|---|---|"]
    lines += [_schema(*kind, json.loads(written)) for kind, written in frozen().items()]
    return HEADER + intro + "\n".join(lines) + "\n"


def _releases() -> Iterable[tuple[str, dict[str, list[str]]]]:
    """Types with their fields, release by release; last, what is not released yet."""
    files = sorted((DOCS.parent / "tests" / "corpus").glob("types-*.txt"), key=_numbers)
    for file in files:
        lines = (line.split() for line in file.read_text("utf-8").splitlines())
        yield file.stem.removeprefix("types-"), {name_of(name, int(schema)): fields for name, schema, *fields in lines}
    now = {name_of(*kind): list(_root(json.loads(written))["properties"]) for kind, written in frozen().items()}
    yield "Not released yet", now


def releases() -> str:
    """``src/cycle/releases.json``: with which release each schema came, of those that are released."""
    found: dict[str, str] = {}
    for release, types in list(_releases())[:-1]:
        found |= dict.fromkeys((name for name in types if name not in found), release)
    return json.dumps(dict(sorted(found.items())), indent=0) + "\n"


def _numbers(file: Path) -> list[int]:
    return [int(part) for part in file.stem.removeprefix("types-").split(".")]


def _root(schema: Schema) -> Schema:
    found: Schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


def _schema(type: str, number: int, schema: Schema) -> str:
    root = _root(schema)
    fields = ", ".join(f if f in root["required"] else f"{f}?" for f in root["properties"]) or "—"
    words = " ".join(root.get("description", "").split())
    return f"| [`{type}`](../src/cycle/schemas/{name_of(type, number)}.json) | {number} | {words} | {fields} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


OF_A_QUESTION = {
    "figures of durations": ("M1", Part.FIGURES),
    "figures of shares": ("M7", Part.FIGURES),
    "rows of M7: actions": ("M7", Part.ROWS),
    "rows of M8: promises": ("M8", Part.ROWS),
    "rows of M9: needs": ("M9", Part.ROWS),
    "rows of M10: meetings": ("M10", Part.ROWS),
    "rows of M11: months of recording": ("M11", Part.ROWS),
}
"""What the files of one question hold; the rows of durations are those of the table `durations`."""


def dictionary() -> str:
    """``docs/dictionary.md``: every column of every table that is exported, out of the declarations."""
    intro = [
        "# The data dictionary\n",
        "Every column of the tables that [exports](exports.md) hold. `dictionary.csv` in each export says the same,",
        "and tells the attributes of its event logs too. Behind them stand the files of one question: `cycle timings",
        "--format csv`, and the links of the evaluator's page.\n",
    ]
    tables = [(table.name, table.columns) for table in TABLES]
    tables += [(name, columns(metric, part)) for name, (metric, part) in OF_A_QUESTION.items()]
    logs = [("OCEL: every event", OF_EVERY_EVENT), ("OCEL: columns of the SQLite form", OCEL_COLUMNS)]
    logs += [(f"OCEL: object of type {thing}", shape.columns) for thing, shape in SHAPES.items()]
    logs += [("XES", XES_COLUMNS), ("deliberations (SCDL)", SCDL_COLUMNS)]
    return (
        HEADER + "\n".join([*intro, *(line for name, own in (*tables, *logs) for line in _columns(name, own))]) + "\n"
    )


def _columns(name: str, columns: Iterable[Column]) -> Iterable[str]:
    yield f"## {name}\n"
    yield "| column | type | unit | source | meaning | signification |"
    yield "|---|---|---|---|---|---|"
    for column in columns:
        unit = catalogue.text(f"unit.{column.unit}", "en") if column.unit else ""
        words = " | ".join(column.words(language).replace("|", "/") for language in ("en", "fr"))
        yield f"| `{column.name}` | {column.kind} | {unit} | {column.source} | {words} |"
    yield ""


_EVERY = {frozenset(READERS): "every role but operator", frozenset(Role) - {Role.ACCOUNT_HOLDER}: "every role"}
PAGES = {
    "access.md": access,
    "api.md": api,
    "configuration.md": configuration,
    "dictionary.md": dictionary,
    "schemas.md": schemas,
    "state-table.md": state_table,
    "policy.md": lambda: policy_page(sample()),
    "../src/cycle/releases.json": releases,
}

if __name__ == "__main__":
    freeze()
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
