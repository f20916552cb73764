"""Reads what was exported, as its receiver would."""

from __future__ import annotations

import csv
import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pyarrow.parquet

XES = "{http://www.xes-standard.org/}"


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def manifest(folder: Path) -> Any:
    """The manifest, once every file is what it says."""
    found = json.loads((folder / "manifest.json").read_bytes())
    names = {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert set(found["files"]) == names
    for name, said in found["files"].items():
        data = (folder / name).read_bytes()
        assert (said["bytes"], said["sha256"]) == (len(data), sha256(data).hexdigest()), name
    return found


def columns(folder: Path) -> dict[str, set[str]]:
    """Every column of every file, as it stands in the file itself."""
    return {path.name: set(_columns(path)) for path in folder.iterdir() if path.name != "manifest.json"}


def _columns(path: Path) -> list[str]:
    match path.suffix:
        case ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                return next(csv.reader(file))
        case ".parquet":
            return list(pyarrow.parquet.read_schema(path).names)
        case ".xlsx":
            return _of_workbook(path)
        case ".json":
            return _of_ocel(json.loads(path.read_bytes()))
        case ".sqlite":
            return _of_sqlite(path)
        case ".xes":
            return _of_xes(path)
        case other:
            raise AssertionError(f"what is {other}?")


def _of_workbook(path: Path) -> list[str]:
    book = openpyxl.load_workbook(path, read_only=True)
    heads = {sheet.title: next(sheet.iter_rows(values_only=True)) for sheet in book.worksheets[2:]}
    return [f"{title}.{name}" for title, names in heads.items() for name in names]


def _of_ocel(log: Any) -> list[str]:
    found = {
        f"{each['type']}.{attribute['name']}"
        for kind in ("events", "objects")
        for each in log[kind]
        for attribute in each["attributes"]
    }
    declared = {
        f"{each['name']}.{attribute['name']}"
        for kind in ("eventTypes", "objectTypes")
        for each in log[kind]
        for attribute in each["attributes"]
    }
    assert found <= declared
    keys = {key for each in (*log["events"], *log["objects"]) for key in each}
    keys |= {key for each in (*log["events"], *log["objects"]) for link in each["relationships"] for key in link}
    return [*declared, *(keys - {"attributes", "relationships"})]


def _of_sqlite(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = []
    for table in tables:
        names = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
        found += [name if name.startswith("ocel_") else f"{table}.{name}" for name in names]
    database.close()
    return found


def _of_xes(path: Path) -> list[str]:
    found = []
    log = ElementTree.parse(path).getroot()
    for where, elements in (("log", [log]), ("trace", log.iter(f"{XES}trace")), ("event", log.iter(f"{XES}event"))):
        for element in elements:
            found += [f"{where}.{child.get('key')}" for child in element if child.get("key") and len(child) == 0]
    return found
