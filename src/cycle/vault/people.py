"""Who may see what is sealed: the one place where personal values come out, each time recorded."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from cycle.access import SAYING, Forbidden
from cycle.aggregates.base import By, LogName
from cycle.aggregates.disclosure import DisclosePeople, DisclosePerson
from cycle.aggregates.person import PersonErased, person
from cycle.aggregates.terms import CommuneCode, PersonField, PersonId, Purpose
from cycle.commands import Said
from cycle.engine import Engine
from cycle.lookup import stream_of
from cycle.proofs.disclosure import Disclosed


class Shown(Struct, frozen=True):
    """Somebody's personal values, for the answer to one question and for nothing else."""

    person: PersonId
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Shown({self.person})"


def disclose(engine: Engine, by: By, person_id: PersonId, purpose: Purpose) -> Shown:
    """What is kept of somebody. That it was shown is recorded before it is.

    Raises:
        Refused: nobody is known so or is any more, or this role may not see it.
        VaultError: the vault does not open.
    """
    vault = engine.vault
    found = engine.store.vault.openings(stream=stream_of(person, person_id))
    values = {stored.opening.field: str(vault.opened(stored).value) for stored in found}
    fields = tuple(field for field in PersonField if field in values)
    command = DisclosePerson(person=person_id, fields=fields, purpose=purpose)
    engine.execute(Said(command=command, by=by, on=engine.today()))
    return Shown(person_id, {field.value: values[field] for field in fields})


class Openings(Struct, frozen=True):
    """The lines of ``disclosures.jsonl``, and of how many people they are."""

    lines: tuple[Disclosed, ...] = ()
    people: int = 0


def recipient(engine: Engine, actor: str, log: LogName) -> By:
    """An account in the role in which it may be handed the openings of a log, whether there are any or not.

    Raises:
        Forbidden: in none; that it was tried is recorded.
    """
    engine.door.refresh()
    path, zone = engine.door.home(log)
    try:
        role = engine.door.let(engine.door.now, actor, SAYING[DisclosePeople.type], path, zone=zone)
    except Forbidden as forbidden:
        engine.door.note(None, forbidden)
        raise
    assert role is not None
    return By(actor, role)


def openings(
    engine: Engine, log: LogName, by: By, *, size: int | None = None, purpose: Purpose = Purpose.AUDITING
) -> Openings:
    """The openings of the first ``size`` leaves of a commune's log (default: all).

    That they were handed out is recorded before they are; without any there is nothing to record.

    Raises:
        Refused: this role may not see them.
        VaultError: the vault does not open.
    """
    found = engine.store.vault.openings(log=log, size=size)
    lines = tuple(sorted(Disclosed(each.log_index, engine.vault.opened(each).disclosure()) for each in found))
    people = len({each.opening.stream for each in found})
    if lines:
        whole = engine.store.log_size(log) if size is None else size
        command = DisclosePeople(commune=CommuneCode(log), people=people, size=whole, purpose=purpose)
        engine.execute(Said(command=command, by=by, on=engine.today()))
    return Openings(lines, people)


def forget_again(engine: Engine) -> int:
    """Destroy what the vault holds of people whom the log says are forgotten; returns of how many.

    After a restore: an older vault comes back with its backup, the later erasures with the log.
    """
    erased = engine.store.read(0, types=[PersonErased.type])
    forgotten = {engine.leaves[topic, schema](leaf).stream for _, topic, schema, leaf in erased}
    back = forgotten & engine.store.vault.streams()
    if back:
        engine.store.vault.forget(back)
    engine.store.vault.clean()
    return len(back)
