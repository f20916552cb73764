"""What is deployed starts: each command line is one that cycle takes, each setting is one that there is."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from cycle.settings import unknown_variables
from cycle_adapters.cli.main import cli
from cycle_adapters.cli.settings import before_parsing

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")
HARD = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "MemoryDenyWriteExecute": "yes",
    "CapabilityBoundingSet": "",
}


class Twice(dict[str, str]):
    """A name that stands several times, as systemd lets it, keeps all its values."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)  # type: ignore[attr-defined]
        else:
            super().__setitem__(key, value)  # type: ignore[assignment]


def service(unit: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False, dict_type=Twice)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, "utf-8")
    return dict(parser["Service"])


def accepted(words: list[str]) -> None:
    """Parsed as it would be run, by the verb itself, up to running it."""
    asked = before_parsing([])
    with cli.make_context("cycle", list(words), obj=asked) as ctx:
        name, command, rest = cli.resolve_command(ctx, [*ctx._protected_args, *ctx.args])
        assert command is not None
        command.make_context(name, rest, parent=ctx)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_what_cycle_takes(unit: Path) -> None:
    program, *words = shlex.split(service(unit)["ExecStart"])
    assert program == "/opt/cycle/.venv/bin/cycle"
    accepted(words)


def test_a_command_line_that_cycle_does_not_take_is_found() -> None:
    for words in (["serve", "--no-such-option"], ["nothing"], ["serve", "--port", "x"]):
        with pytest.raises(click.UsageError):
            accepted(words)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened_and_runs_as_nobody_else(unit: Path) -> None:
    found = service(unit)
    assert HARD.items() <= found.items()
    assert found["User"] == ("cycle-sealer" if "sealer" in unit.stem else "cycle")


def test_the_key_that_signs_is_handed_to_the_sealer_alone() -> None:
    assert [unit.stem for unit in UNITS if "seal.key" in unit.read_text("utf-8")] == ["cycle-sealer"]


def test_every_setting_that_is_deployed_is_one() -> None:
    said = {
        name
        for file in DEPLOY.iterdir()
        for name in re.findall(r"^\s*(?:Environment=|ENV )?(CYCLE_\w+)=", file.read_text("utf-8"), re.MULTILINE)
    }
    assert {"CYCLE_DATABASE", "CYCLE_SEALS", "CYCLE_SEAL_KEY", "CYCLE_VAULT_KEY", "CYCLE_HOST"} <= said
    assert unknown_variables(dict.fromkeys(said, "x")) == {}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong_but_the_place_of_the_program(unit: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in ran.stderr.splitlines() if "is not executable" not in line]
    assert said == []


def test_the_container_runs_without_rights_and_says_how_it_is() -> None:
    lines = CONTAINER.splitlines()
    user = next(line.split()[1] for line in lines if line.startswith("USER "))
    assert user.partition(":")[0] not in ("0", "root")
    assert "/readyz" in CONTAINER[CONTAINER.index("HEALTHCHECK") :]
    # An image in the format of the OCI has none: podman leaves it out, and warns.
    assert "podman build --format docker" in CONTAINER
    assert "--require-hashes" in CONTAINER
    entry, arguments = (
        json.loads(next(line.partition(" ")[2] for line in lines if line.startswith(f"{word} ")))
        for word in ("ENTRYPOINT", "CMD")
    )
    assert entry == ["cycle"]
    accepted(arguments)
    first = re.findall(r"^#   podman run --rm .* cycle (.*)$", CONTAINER, re.MULTILINE)
    assert len(first) == 2
    for words in first:
        accepted(shlex.split(words))
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINER, re.MULTILINE)
    assert all((DEPLOY.parent / name).exists() for names in copied for name in names.split())


def test_a_proxy_writes_who_calls_anew() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert set(re.findall(r"X-Forwarded-For (\S+);", nginx)) == {"$remote_addr"}
    assert nginx.count("proxy_pass") == nginx.count("X-Forwarded-For")
    assert "proxy_buffering off;" in nginx
