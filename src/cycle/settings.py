"""Every setting, declared once: options, ``docs/configuration.md`` and ``cycle doctor`` follow from it.

What each is for stands in the catalogue: ``setting.<name>``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import NamedTuple

from cycle.catalogue import Language, text


class Settings(NamedTuple):
    """Which database, which language, whether a program listens, and as which account."""

    database: str
    language: Language
    json: bool
    actor: str


class Setting(NamedTuple):
    """One thing that whoever runs the machine can choose.

    ``variable`` and ``option`` say by what, "" where there is none; ``verbs`` take it (none named: all).
    """

    name: str
    variable: str = ""
    option: str = ""
    default: str = ""
    verbs: tuple[str, ...] = ()
    metavar: str = ""
    choices: tuple[str, ...] = ()

    def given(self, environment: Mapping[str, str] = os.environ) -> str:
        """What the environment says, else the default."""
        return environment.get(self.variable) or self.default

    def told(self, language: Language) -> str:
        """What it is for, and by which variable it is also said."""
        what = text(f"setting.{self.name}", language)
        return text("message.setting-told", language, "", what=what, variable=self.variable)


RUNNING = ("serve", "worker")
DATABASE = Setting("database", "CYCLE_DATABASE", "--database", "sqlite:///cycle.db", metavar="URL")
JSON = Setting("as_json", option="--json")
LANGUAGE = Setting("lang", option="--lang", choices=("fr", "en"))
# Not a name in the operating system: the log holds no names.
ACTOR = Setting("actor", "CYCLE_ACTOR", "--actor", "operator", metavar="REF")
TOKEN = Setting("token", "CYCLE_TOKEN")
ROLE = Setting("role", "CYCLE_ROLE", "--role", verbs=("do", "vault show"), metavar="ROLE")
SEALS = Setting("seals", "CYCLE_SEALS", "--seals", metavar="FOLDER",
                verbs=("seal", "verify", "export bundle", "export checkpoint", *RUNNING))  # fmt: skip
KEY_FILE = Setting("key_file", "CYCLE_SEAL_KEY", "--key-file", metavar="FILE",
                   verbs=("seal", "witness", "receipt", *RUNNING))  # fmt: skip
VAULT_KEY = Setting("vault_key", "CYCLE_VAULT_KEY", verbs=("do", "vault", "webhook", *RUNNING))
HOST = Setting("host", "CYCLE_HOST", "--host", "127.0.0.1", ("serve",), "TEXT")
PORT = Setting("port", "CYCLE_PORT", "--port", "8000", ("serve",))
DEFAULT_ADDRESS = f"http://{HOST.default}:{PORT.default}"
"""Where others call it, as long as nobody says otherwise."""
ADDRESS = Setting("address", "CYCLE_ADDRESS", verbs=("account invite", "nats refill", *RUNNING))
OIDC_ISSUER = Setting("oidc_issuer", "CYCLE_OIDC_ISSUER", verbs=("serve",))
OIDC_CLIENT_ID = Setting("oidc_client_id", "CYCLE_OIDC_CLIENT_ID", verbs=("serve",))
OIDC_CLIENT_SECRET_FILE = Setting("oidc_client_secret_file", "CYCLE_OIDC_CLIENT_SECRET_FILE", verbs=("serve",))
PROXIES = Setting("proxies", "CYCLE_PROXIES", verbs=("serve",))
METRICS_TOKEN = Setting("metrics_token", "CYCLE_METRICS_TOKEN", verbs=("serve",))
WEBHOOK_PORTS = Setting("webhook_ports", "CYCLE_WEBHOOK_PORTS", default="443,8443", verbs=RUNNING)
WEBHOOK_NETWORKS = Setting("webhook_networks", "CYCLE_WEBHOOK_NETWORKS", verbs=RUNNING)
NATS = Setting("nats", "CYCLE_NATS", verbs=("nats", "doctor", *RUNNING))
NATS_CREDENTIALS = Setting("nats_credentials", "CYCLE_NATS_CREDENTIALS", verbs=NATS.verbs)
NATS_CA = Setting("nats_ca", "CYCLE_NATS_CA", verbs=NATS.verbs)
NATS_CERTIFICATE = Setting("nats_certificate", "CYCLE_NATS_CERTIFICATE", verbs=NATS.verbs)
NATS_REPLICAS = Setting("nats_replicas", "CYCLE_NATS_REPLICAS", default="1", verbs=NATS.verbs, choices=("1", "3", "5"))
WORKER = Setting("worker_account", "CYCLE_WORKER", "--worker-account", "worker", ("nats refill", *RUNNING), "REF")
LOG = Setting("log_format", "CYCLE_LOG", "--log", verbs=RUNNING, choices=("json", "text"))
LOG_LEVEL = Setting("log_level", "CYCLE_LOG_LEVEL", "--log-level", "info", RUNNING,
                    choices=("debug", "info", "warning", "error"))  # fmt: skip
STOP_SECONDS = Setting("stop_seconds", "CYCLE_STOP_SECONDS", "--stop-seconds", "20", RUNNING)

SETTINGS = (
    DATABASE, LANGUAGE, JSON, ACTOR, TOKEN, ROLE, SEALS, KEY_FILE, VAULT_KEY, HOST, PORT, ADDRESS, OIDC_ISSUER,
    OIDC_CLIENT_ID, OIDC_CLIENT_SECRET_FILE, WORKER, LOG, LOG_LEVEL, STOP_SECONDS, PROXIES, METRICS_TOKEN,
    WEBHOOK_PORTS, WEBHOOK_NETWORKS, NATS, NATS_CREDENTIALS, NATS_CA, NATS_CERTIFICATE, NATS_REPLICAS,
)  # fmt: skip
BY_NAME = {setting.name: setting for setting in SETTINGS}
OURS = "CYCLE_"
"""What the variables of all settings begin with."""


def unknown_variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that look like ours and are none, each with the nearest one: a wrong letter is said, not ignored."""
    known = [setting.variable for setting in SETTINGS if setting.variable]
    strange = sorted(name for name in environment if name.startswith(OURS) and name not in known)
    return {name: (get_close_matches(name, known, 1, 0.0) or [""])[0] for name in strange}
