"""The tables of who signs in: every call one transaction, and what is used up is used up once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cycle.aggregates.base import PLATFORM
from cycle.aggregates.terms import TokenId
from cycle.identity.shapes import IdentityStore, KeptFactor, KeptToken, Session, Stage, Tried, place
from cycle.identity.throttle import after, waits
from cycle.vault.shapes import WrappedKey
from cycle_adapters.sql.beside import SqlBeside
from cycle_adapters.sql.schema import codes, factors, invitations, links, passwords, sessions, tokens, tries

LOCK = 0x4379_6964
"""Attempts are counted, and uncounted, one after the other: on SQLite every writer is."""


class SqlIdentities(SqlBeside, IdentityStore):
    """Identities on either database."""

    def password(self, account: str) -> str | None:
        with self._reading() as connection:
            query = select(passwords.c.encoded).where(passwords.c.account == account)
            return connection.execute(query).scalar_one_or_none()

    def keep_password(self, account: str, encoded: str) -> None:
        with self._writing() as connection:
            _put(connection, passwords, {"account": account}, {"encoded": encoded})

    def factor(self, account: str) -> KeptFactor | None:
        query = select(factors.c.key_id, factors.c.wrapped, factors.c.since).where(factors.c.account == account)
        with self._reading() as connection:
            found = connection.execute(query).first()
        return KeptFactor(WrappedKey(place(account), PLATFORM, found[0], bytes(found[1])), found[2]) if found else None

    def keep_factor(self, account: str, factor: KeptFactor, step: int, digests: Collection[bytes]) -> None:
        with self._writing() as connection:
            _forget(connection, account, codes)
            values = {"key_id": factor.sealed.key_id, "wrapped": factor.sealed.wrapped, "since": factor.since}
            _put(connection, factors, {"account": account}, values | {"step": step})
            connection.execute(insert(codes), [{"account": account, "digest": each} for each in digests])

    def use_step(self, account: str, step: int) -> bool:
        with self._writing() as connection:
            unused = (factors.c.account == account) & (factors.c.step < step)
            return connection.execute(update(factors).where(unused).values(step=step)).rowcount == 1

    def use_code(self, account: str, digest: bytes) -> bool:
        with self._writing() as connection:
            this = (codes.c.account == account) & (codes.c.digest == digest)
            return connection.execute(delete(codes).where(this)).rowcount == 1

    def forget_factor(self, account: str) -> None:
        with self._writing() as connection:
            _forget(connection, account, factors, codes)

    def begin(self, session: Session, instead_of: bytes | None = None) -> bool:
        with self._writing() as connection:
            if instead_of is not None:
                gone = connection.execute(delete(sessions).where(sessions.c.digest == instead_of)).rowcount == 0
                if gone:
                    return False
            values = {name: getattr(session, name) for name in Session.__struct_fields__} | {
                "stage": session.stage.value
            }
            connection.execute(insert(sessions).values(values))
        return True

    def session(self, digest: bytes) -> Session | None:
        with self._reading() as connection:
            found = connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
        if found is None:
            return None
        kept, account, since, stage, strong, begun, seen = found
        return Session(bytes(kept), account, since, Stage(stage), bool(strong), begun, seen)

    def open_sessions(self, begun: int, seen: int) -> int:
        open_ = (sessions.c.stage == Stage.IN.value) & (sessions.c.begun > begun) & (sessions.c.seen > seen)
        with self._reading() as connection:
            return connection.execute(select(func.count()).select_from(sessions).where(open_)).scalar_one()

    def see(self, digest: bytes, now: int) -> None:
        with self._writing() as connection:
            connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now))

    def end(self, digest: bytes) -> None:
        with self._writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def end_all(self, account: str) -> None:
        with self._writing() as connection:
            _forget(connection, account, sessions, invitations)

    def keep_token(self, token: TokenId, account: str, digest: bytes) -> None:
        with self._writing() as connection:
            connection.execute(insert(tokens).values(id=token, account=account, digest=digest))

    def token(self, token: TokenId) -> KeptToken | None:
        return next(iter(self._tokens(tokens.c.id == token)), None)

    def tokens(self) -> Sequence[KeptToken]:
        return self._tokens()

    def _tokens(self, *which: Any) -> list[KeptToken]:
        with self._reading() as connection:
            found = connection.execute(select(tokens).where(*which).order_by(tokens.c.id)).all()
        return [KeptToken(TokenId(id_), account, bytes(digest), used) for id_, account, digest, used in found]

    def use_token(self, token: TokenId, day: date) -> None:
        with self._writing() as connection:
            connection.execute(update(tokens).where(tokens.c.id == token).values(used_on=day))

    def forget_token(self, token: TokenId) -> None:
        with self._writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.id == token))

    def invite(self, account: str, digest: bytes, expires: int) -> None:
        with self._writing() as connection:
            _put(connection, invitations, {"account": account}, {"digest": digest, "expires": expires})

    def invited(self, digest: bytes, now: int) -> str | None:
        with self._reading() as connection:
            query = select(invitations.c.account).where(_holding(digest, now))
            return connection.execute(query).scalar_one_or_none()

    def accept(self, digest: bytes, now: int) -> str | None:
        with self._writing() as connection:
            used = delete(invitations).where(_holding(digest, now)).returning(invitations.c.account)
            return connection.execute(used).scalar_one_or_none()

    def link(self, issuer: str, subject: str, account: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(links).where(_at(issuer, account)))
            _put(connection, links, {"issuer": issuer, "subject": subject}, {"account": account})

    def unlink(self, issuer: str, account: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(links).where(_at(issuer, account)))

    def linked(self, issuer: str, subject: str) -> str | None:
        query = select(links.c.account).where(links.c.issuer == issuer, links.c.subject == subject)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    @contextmanager
    def _counting(self) -> Iterator[Connection]:
        with self._writing() as connection:
            if not self._is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            yield connection

    def attempt(self, names: Sequence[tuple[bytes, int]], now: int) -> int:
        with self._counting() as connection:
            found = [(name, free, _tried(connection, name)) for name, free in names]
            seconds = max(waits(tried, free, now) for _, free, tried in found)
            if not seconds:
                for name, _, tried in found:
                    counted = after(tried, now)
                    _put(connection, tries, {"name": name}, {"failures": counted.failures, "last": counted.last})
        return seconds

    def succeeded(self, forget: bytes, undo: bytes) -> None:
        with self._counting() as connection:
            connection.execute(delete(tries).where(tries.c.name == forget))
            some = (tries.c.name == undo) & (tries.c.failures > 0)
            connection.execute(update(tries).where(some).values(failures=tries.c.failures - 1))

    def sweep(self, sessions_before: int, seen_before: int, tried_before: int, now: int) -> None:
        with self._writing() as connection:
            over = or_(sessions.c.begun < sessions_before, sessions.c.seen < seen_before)
            connection.execute(delete(sessions).where(over))
            connection.execute(delete(invitations).where(invitations.c.expires <= now))
            connection.execute(delete(tries).where(tries.c.last < tried_before))

    def forget_account(self, account: str) -> None:
        with self._writing() as connection:
            _forget(connection, account, passwords, factors, codes, sessions, tokens, invitations, links)


def _put(connection: Connection, table: Table, key: Mapping[str, object], values: Mapping[str, object]) -> None:
    """A row instead of whatever stood under its key."""
    made = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
    connection.execute(made.values({**key, **values}).on_conflict_do_update(index_elements=list(key), set_=values))


def _forget(connection: Connection, account: str, *of: Table) -> None:
    for table in of:
        connection.execute(delete(table).where(table.c.account == account))


def _tried(connection: Connection, name: bytes) -> Tried | None:
    found = connection.execute(select(tries.c.failures, tries.c.last).where(tries.c.name == name)).first()
    return Tried(*found) if found else None


def _holding(digest: bytes, now: int) -> Any:
    return (invitations.c.digest == digest) & (invitations.c.expires > now)


def _at(issuer: str, account: str) -> Any:
    return (links.c.issuer == issuer) & (links.c.account == account)
