"""The compose file: nobody starts it here, so whatever can be held without that is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from cycle.settings import unknown_variables
from cycle_adapters.http.serving import proxies
from cycle_adapters.sql.opening import parse
from tests.nats.server import BINARY
from tests.operations.test_deploy import DEPLOY, accepted

FILE = DEPLOY / "compose.yaml"
COMPOSE: Any = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("cycle:") and name != "prepare"}
CONTAINER = (DEPLOY / "Containerfile").read_text("utf-8")


def test_it_is_the_topology_that_the_page_tells_of() -> None:
    assert OURS.keys() == {"serve-1", "serve-2", "worker-1", "worker-2", "sealer"}
    assert SERVICES.keys() - OURS.keys() == {"prepare", "postgres", "proxy", "nats-1", "nats-2", "nats-3"}


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
    if name not in ("proxy", "prepare"):
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


def test_whoever_writes_into_a_volume_is_given_it() -> None:
    """The image of the database brings its folder along; others find one of root's."""
    given = {
        volume.lstrip("/"): owner
        for owner, volumes in re.findall(r"chown (\S+) ([^&]+)", SERVICES["prepare"]["command"][0])
        for volume in volumes.split()
    }
    assert SERVICES["prepare"]["volumes"] == [f"{volume}:/{volume}" for volume in given]
    writing = {
        volume.partition(":")[0]: service["user"]
        for name, service in SERVICES.items()
        for volume in service.get("volumes", ())
        if name not in ("prepare", "postgres", "proxy") and not volume.endswith(":ro")
    }
    assert writing == given


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


def test_the_nodes_of_nats_are_those_that_are_named_and_a_real_server_takes_their_command_line(tmp_path: Path) -> None:
    nodes = [name for name in SERVICES if name.startswith("nats-")]
    for each in OURS.values():
        given = each["environment"]
        if each["command"][0] != "seal":
            assert given["CYCLE_NATS"] == ",".join(f"nats://{node}:4222" for node in nodes)
            assert given["CYCLE_NATS_REPLICAS"] == str(len(nodes))
    for node in nodes:
        command = SERVICES[node]["command"]
        assert command[:2] == ["--name", node]
        assert command[-1] == ",".join(f"nats://{each}:6222" for each in nodes)
        ran = subprocess.run([BINARY, *command, "-t"], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert "flag" not in ran.stderr
        assert SERVICES[node]["volumes"] == [f"{node}:/data"]
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    assert {SERVICES[node]["image"].rpartition(":")[2].partition("-")[0] for node in nodes} == {
        version.split("v")[-1].strip()
    }


def test_the_version_is_the_one_that_is_built() -> None:
    from cycle import __version__

    assert {each["image"] for each in OURS.values()} == {f"cycle:{__version__.partition('.dev')[0]}"}
