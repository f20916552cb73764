"""Where seals and keys are: options, the environment, and what is said when nothing is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cycle.proofs.note import Algorithm, MalformedKey, SigningKey, VerifierKey
from cycle.sealing import CannotSeal
from cycle.settings import KEY_FILE, SEALS
from cycle_adapters.options import option
from cycle_adapters.sealing.folder import Folder

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
A_PATH = click.Path(path_type=Path)
OTHERS = 0o007


def seals_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return option(SEALS, A_PATH)(command)


def key_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return option(KEY_FILE, A_PATH)(command)


def seals_of(database: str, given: Path | None = None) -> Path:
    """The folder of seals: the one given, else the one of the environment, else beside the file of the database.

    Raises:
        CannotSeal: a server has no place beside it.
    """
    if named := given or named_seals():
        return named
    path = file_of(database)
    if path is None:
        raise CannotSeal("where")
    return path.with_name(f"{path.name}.seals")


def named_seals() -> Path | None:
    """The folder that the environment names."""
    named = SEALS.given()
    return Path(named) if named else None


def folder_of(database: str, given: Path | None = None) -> Folder | None:
    """The seals that are named, which must be there; else those beside the database, if there are any."""
    try:
        folder = Folder(seals_of(database, given))
    except CannotSeal:
        return None
    return None if given is None and folder.is_new else folder


def file_of(database: str) -> Path | None:
    """The file of a SQLite database; None for a server."""
    try:
        url = make_url(database)
    except ArgumentError:
        return None
    return Path(url.database) if url.drivername == "sqlite" and url.database else None


def signing_key(path: Path | None, algorithm: Algorithm = Algorithm.ED25519) -> SigningKey:
    """The key in a file.

    Raises:
        CannotSeal: none is named, it is none, or everybody may read it.
    """
    if path is None:
        raise CannotSeal("no-key")
    try:
        if path.stat().st_mode & OTHERS:
            raise CannotSeal("key-open").about(path)
        key = SigningKey.parse(path.read_text("ascii").strip())
    except (OSError, ValueError, MalformedKey) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotSeal("bad-key", why=why or "?").about(path) from error
    if key.verifier.algorithm is not algorithm:
        raise CannotSeal("kind-of-key").about(path)
    return key


@contextmanager
def first_use(key_file: Path, folder: Folder) -> Iterator[None]:
    """A key begins one folder and no second one: two registries under one name would be a fork.

    Beside the key a file ``.used`` says where; where it cannot be written, nobody is kept from sealing.

    Raises:
        CannotSeal: the key began another folder, or this one before it was taken away.
    """
    used = key_file.with_name(f"{key_file.name}.used")
    if folder.is_new and used.exists():
        before = used.read_text("utf-8").strip()
        raise CannotSeal("key-used", folder=before).about(key_file)
    yield
    if not used.exists():
        with suppress(OSError):
            used.write_text(f"{folder.path.resolve()}\n", "utf-8")


def new_key(name: str, path: Path | None, algorithm: Algorithm = Algorithm.ED25519) -> tuple[VerifierKey, Path]:
    """Make a key and write it where only its owner reads it; a file that is there stays.

    Raises:
        CannotSeal: the name cannot be a key's, or the file cannot be made.
    """
    try:
        key = SigningKey(name, Ed25519PrivateKey.generate(), algorithm)
    except MalformedKey as error:
        raise CannotSeal("key-name", name=name) from error
    to = path or Path(f"{name.replace('/', '-')}.key")
    try:
        opened = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CannotSeal("key-not-made", why=error.strerror or "?").about(to) from error
    with open(opened, "w", encoding="ascii") as file:
        file.write(f"{key.secret()}\n")
        file.flush()
        os.fsync(file.fileno())
    return key.verifier, to


def verifier_key(text: str, algorithm: Algorithm = Algorithm.ED25519) -> VerifierKey:
    """A verifier key as it is written, or the file that holds it.

    Raises:
        CannotSeal: it is none of this kind.
    """
    try:
        key = VerifierKey.parse(key_text(text))
    except (OSError, ValueError, MalformedKey) as error:
        raise CannotSeal("bad-vkey", key=text) from error
    if key.algorithm is not algorithm:
        raise CannotSeal("bad-vkey", key=text)
    return key


def key_text(given: str) -> str:
    """A key as it is written, out of its file where a file is named."""
    path = Path(given)
    return (path.read_text("ascii") if path.is_file() else given).strip()
