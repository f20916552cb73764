"""The compose file: nobody starts it here, so whatever can be held without that is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from cycle.settings import unknown_variables
from cycle_adapters.http.serving import proxies
from cycle_adapters.sql.opening import parse
from tests.operations.test_deploy import DEPLOY, accepted

FILE = DEPLOY / "compose.yaml"
COMPOSE: Any = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("cycle:")}
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")


def test_it_is_the_topology_that_the_page_tells_of() -> None:
    assert OURS.keys() == {"serve-1", "serve-2", "worker-1", "worker-2", "sealer"}
    assert SERVICES.keys() - OURS.keys() == {"postgres", "proxy"}


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="there is no docker-compose here")
def test_compose_itself_takes_it(tmp_path: Path) -> None:
    # It needs no engine for that. As JSON, for an old one does not know that a file may have a name.
    ran = subprocess.run(
        ["docker-compose", "-f", "-", "config", "--quiet"],
        input=re.sub(r"^name: .*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE),
        capture_output=True, text=True, cwd=DEPLOY, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_that_cycle_takes(name: str) -> None:
    accepted(OURS[name]["command"])


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting_and_holds_no_secret(name: str) -> None:
    given = OURS[name]["environment"]
    assert unknown_variables(given) == {}
    url = parse(given["CYCLE_DATABASE"])
    assert url.password is None
    assert url.query["passfile"].removeprefix("/run/secrets/") in OURS[name]["secrets"]  # type: ignore[union-attr]
    for value in given.values():
        if str(value).startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in OURS[name]["secrets"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_is_pinned_and_can_do_little(name: str) -> None:
    service = SERVICES[name]
    tag = service["image"].rpartition(":")[2]
    assert re.match(r"\d+\.\d+", tag), "an image is named by its version"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name != "proxy":
        assert service["user"].partition(":")[0] not in ("", "0", "root")
        assert "ports" not in service, "nobody reaches it from outside but through the proxy"


def test_everything_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        for kind in ("secrets", "networks"):
            assert set(service.get(kind, ())) <= COMPOSE[kind].keys()
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file()
        assert set(service.get("depends_on", ())) <= SERVICES.keys()
    used = {each for service in SERVICES.values() for each in service.get("secrets", ())}
    assert used == COMPOSE["secrets"].keys()
    assert all(each["file"].startswith("./secrets/") for each in COMPOSE["secrets"].values())


def test_keys_are_handed_to_whoever_needs_them_and_nobody_else() -> None:
    def has(secret: str) -> set[str]:
        return {name for name, each in SERVICES.items() if secret in each.get("secrets", ())}

    assert has("seal.key") == {"sealer"}
    assert has("vault.key") == {"serve-1", "serve-2", "worker-1", "worker-2"}
    assert has("postgres-password") == {"postgres"}


def test_who_serves_believes_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    for name in ("serve-1", "serve-2"):
        monkeypatch.setenv("CYCLE_PROXIES", OURS[name]["environment"]["CYCLE_PROXIES"])
        assert proxies() == ["127.0.0.1", "::1", address]
        assert "front" in OURS[name]["networks"]
    named = set(re.findall(r"(serve-\d):8000", (DEPLOY / "compose.Caddyfile").read_text("utf-8")))
    assert named == {"serve-1", "serve-2"}


def test_whatever_serves_nothing_is_not_asked_how_it_is() -> None:
    assert "HEALTHCHECK" in CONTAINER
    silent = {name for name, each in OURS.items() if each.get("healthcheck") == {"disable": True}}
    assert silent == {name for name, each in OURS.items() if each["command"][0] != "serve"}


def test_the_database_of_the_url_is_the_one_that_is_made() -> None:
    made = SERVICES["postgres"]["environment"]
    for name in OURS.keys() - {"sealer"}:
        url = make_url(OURS[name]["environment"]["CYCLE_DATABASE"])
        assert (url.host, url.database, url.username) == ("postgres", made["POSTGRES_DB"], made["POSTGRES_USER"])


def test_the_version_is_the_one_that_is_built() -> None:
    from cycle import __version__

    assert {each["image"] for each in OURS.values()} == {f"cycle:{__version__.partition('.dev')[0]}"}
