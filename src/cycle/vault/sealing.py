"""Takes personal values out of facts on their way into the log, and opens them again for who may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Event, Recorded, StreamId
from cycle.aggregates.person import PersonAmended, PersonErased
from cycle.aggregates.personal import personal_values, without_personal
from cycle.leaf import canonical
from cycle.proofs.disclosure import SALT_BYTES, BadDisclosure, Opening
from cycle.vault.keys import KEY_BYTES, NONCE_BYTES, OutsideKey, RandomBytes, VaultError
from cycle.vault.shapes import SealedOpening, StoredOpening, VaultChange, VaultStore, WrappedKey

PREFIX = "data."
"""An opening names a field by its path in the leaf."""


class _Sealed(Struct):
    sealed: tuple[str, ...] = ()


_sealed = msgspec.json.Decoder(_Sealed).decode


class Vault:
    """The vault of one store.

    Args:
        key: gives the key outside the database when it is first needed; forgetting needs none.
        store: the vault's tables.
        random_bytes: makes salts, keys and nonces.
    """

    def __init__(self, key: Callable[[], OutsideKey], store: VaultStore, random_bytes: RandomBytes) -> None:
        self._key, self._store, self._random = key, store, random_bytes

    @cached_property
    def outside_key(self) -> OutsideKey:
        return self._key()

    def sealed(self, events: Iterable[Recorded[Event]]) -> tuple[tuple[Recorded[Event], ...], VaultChange]:
        """Facts as the log holds them, and what goes with them into the vault.

        Raises:
            VaultError: there are personal values and no key that opens this vault.
            LeafError: a value that no leaf could hold.
        """
        bare, keys, secrets = [], dict[StreamId, WrappedKey](), dict[StreamId, bytes]()
        openings: dict[tuple[StreamId, str], SealedOpening] = {}
        superseded, forgotten = list[tuple[StreamId, str]](), list[StreamId]()
        for event in events:
            if isinstance(event.data, PersonErased):
                forgotten.append(event.stream)
            if isinstance(event.data, PersonAmended):
                superseded += (gone := [(event.stream, str(f)) for f in event.data.superseded])
                # A save may set the same field twice; the vault keeps what holds at its end.
                openings = {place: each for place, each in openings.items() if place not in gone}
            opened = [Opening(self._random(SALT_BYTES), PREFIX + n, v) for n, v in personal_values(event.data).items()]
            if opened:
                if event.stream not in secrets:
                    secrets[event.stream] = self._secret_of(event, keys)
                for each in opened:
                    locked = self._locked(event, each, secrets[event.stream])
                    openings[event.stream, locked.field] = locked
                digests = tuple(sorted(each.digest() for each in opened))
                event = replace(event, data=without_personal(event.data), sealed=digests)  # noqa: PLW2901
            bare.append(event)
        return tuple(bare), VaultChange(tuple(keys.values()), superseded, tuple(openings.values()), forgotten)

    def _secret_of(self, event: Recorded[Event], keys: dict[StreamId, WrappedKey]) -> bytes:
        """The person's key; a new one where the vault has none."""
        wrapped = self._store.key(event.stream)
        if wrapped is not None:
            return self.outside_key.unwrapped(wrapped)
        secret = self._random(KEY_BYTES)
        bare = WrappedKey(event.stream, event.log, "", b"")
        keys[event.stream] = self.outside_key.wrapped(bare, secret, self._random)
        return secret

    def _locked(self, event: Recorded[Event], opening: Opening, secret: bytes) -> SealedOpening:
        field = opening.name.removeprefix(PREFIX)
        bare = SealedOpening(event.stream, field, event.version, event.log, event.id, b"")
        nonce = self._random(NONCE_BYTES)
        locked = AESGCM(secret).encrypt(nonce, opening.disclosure().encode(), _bound(bare))
        return replace(bare, sealed=nonce + locked)

    def opened(self, stored: StoredOpening) -> Opening:
        """An opening, which the leaf's digest confirms.

        Raises:
            VaultError: another key wrapped it, or something was changed.
        """
        sealed = stored.opening
        altered = VaultError("altered", stream=sealed.stream, field=sealed.field)
        secret = self.outside_key.unwrapped(stored.key)
        nonce, locked = sealed.sealed[:NONCE_BYTES], sealed.sealed[NONCE_BYTES:]
        try:
            opening = Opening.parse(AESGCM(secret).decrypt(nonce, locked, _bound(sealed)).decode())
        except (InvalidTag, BadDisclosure, ValueError) as error:
            raise altered from error
        if opening.name != PREFIX + sealed.field or opening.digest() not in _sealed(stored.leaf).sealed:
            raise altered
        return opening

    def holds_others(self, stream: StreamId, version: int, values: Mapping[str, str]) -> bool:
        """Whether a fact was recorded with other values than these, as far as the vault still holds them."""
        held = [each for each in self._store.openings(stream=stream) if each.opening.version == version]
        return any(self.opened(each).value != values.get(each.opening.field) for each in held)

    def rewrap(self, old: OutsideKey) -> int:
        """Wrap every key that ``old`` wraps by the key of today; returns how many.

        Raises:
            VaultError: a key is wrapped by neither; nothing is changed.
        """

        def turned(key: WrappedKey) -> WrappedKey:
            if key.key_id == self.outside_key.id:
                return key
            return self.outside_key.wrapped(key, old.unwrapped(key), self._random)

        return self._store.rewrap(turned)


def _bound(opening: SealedOpening) -> bytes:
    """What a ciphertext is bound to, so that it opens in no other place.

    The event's id stands for its index in the log, which is known only under the store's lock.
    """
    return canonical(["cycle-opening-1", opening.log, opening.stream, opening.version, opening.event, opening.field])
