"""Grants, sealed in a store."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.grants import Grants, Held, Key
from oidc_adapters.stores.records import (
    AsyncRecords,
    AtOnce,
    Found,
    MemoryRecords,
    Times,
    at_once,
)
from oidc_core import codec
from oidc_core.machine.grants import Guards
from oidc_core.model.connection import Connection
from oidc_core.model.grants import GrantRecord
from oidc_core.wire.errors import StoreFailure, UsageError
from tests.unit.machine.grants_records import record

SECRET = "a sealing secret of 32 octets or so"
OTHER = "another secret of 32 octets or more"
CONNECTION = Connection("https://op.example", "client", "", "", "")
KEY = Key.of("id-1", CONNECTION)
UTC = 1_700_000_000


def a_store() -> MemoryRecords:
    return MemoryRecords(clock=FrozenClock(UTC), elapsed=lambda: 5.0)


def kept(records: MemoryRecords, grants: Grants, new: GrantRecord | None = None) -> GrantRecord:
    first = record() if new is None else new
    assert at_once(grants.create(AtOnce(records), KEY, first))
    return first


def read(records: AsyncRecords, grants: Grants, key: Key = KEY) -> Held:
    return at_once(grants.read(records, key))


def refused(records: MemoryRecords, grants: Grants, key: Key = KEY) -> StoreFailure:
    with pytest.raises(StoreFailure) as caught:
        read(AtOnce(records), grants, key)
    return caught.value


def test_a_grant_is_read_as_it_was_written() -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    first = kept(records, grants)

    held = read(AtOnce(records), grants)

    assert held.record == first
    assert held.times == (5, UTC)


def test_nothing_is_read_where_nothing_is() -> None:
    assert read(AtOnce(a_store()), Grants(a_store(), SECRET)) == Held(None, a_store().times())


def test_a_value_shows_nothing_of_its_grant() -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    kept(records, grants)
    found = records.read(KEY.name)
    assert found is not None
    for part in ("refresh-1", "access-1", "alice", "op.example"):
        assert part not in found.value


def test_a_value_is_good_for_its_own_key_client_and_provider_alone() -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    kept(records, grants)
    found = records.read(KEY.name)
    assert found is not None
    other = Key.of("id-2", CONNECTION)
    assert records.create(other.name, found.version, found.value, UTC + 60)
    assert refused(records, grants, other).code == "seal_invalid"
    for foreign in (
        CONNECTION._replace(client_id="another"),
        CONNECTION._replace(issuer="https://other.example"),
    ):
        assert refused(records, grants, Key.of("id-1", foreign)).code == "seal_invalid"


def test_a_value_of_an_earlier_release_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    first = kept(records, grants)
    monkeypatch.setattr("oidc_core.codec.GRANT", codec.GRANT + 1)
    assert read(AtOnce(records), grants, Key.of("id-1", CONNECTION)).record == first


def test_no_two_keys_have_one_label() -> None:
    """A client's name may have spaces (RFC 6749 appendix A.1)."""
    spaced = CONNECTION._replace(client_id="https://op.example client")
    first = Key.of("id-1", spaced._replace(issuer="https://other.example"))
    second = Key.of("id-1 https://other.example", CONNECTION._replace(issuer="https://op.example"))
    assert first.label != second.label


def test_a_value_of_another_write_is_refused() -> None:
    """A stranger who writes to the store cannot bring an older value back as a newer version."""
    records, grants = a_store(), Grants(a_store(), SECRET)
    kept(records, grants)
    found = records.read(KEY.name)
    assert found is not None
    assert records.replace(KEY.name, found.version, "version-9", found.value, UTC + 60)
    assert refused(records, grants).code == "record_invalid"


def test_secrets_rotate() -> None:
    records = a_store()
    first = kept(records, Grants(records, SECRET))

    assert read(AtOnce(records), Grants(records, OTHER, SECRET)).record == first
    assert refused(records, Grants(records, OTHER)).code == "seal_invalid"


def test_a_record_is_replaced_only_if_it_has_not_changed() -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    first = kept(records, grants)
    second = record(version="version-2")

    assert at_once(grants.replace(AtOnce(records), KEY, first.version, second))
    assert not at_once(grants.replace(AtOnce(records), KEY, first.version, record()))
    assert read(AtOnce(records), grants).record == second


class _Broken(MemoryRecords):
    def read(self, key: str, /) -> Any:
        raise ConnectionError

    def times(self) -> Any:
        raise ConnectionError

    def create(self, key: str, version: str, value: str, until: int, /) -> bool:
        raise ConnectionError

    def replace(self, key: str, expected: str, version: str, value: str, until: int, /) -> bool:
        raise ConnectionError


@pytest.mark.parametrize("call", ["read", "times", "create", "replace"])
def test_a_store_that_fails_fails_closed(call: str) -> None:
    records = AtOnce(_Broken())
    grants = Grants(_Broken(), SECRET)
    calls: dict[str, Callable[[], Coroutine[object, None, object]]] = {
        "read": lambda: grants.read(records, KEY),
        "times": lambda: grants.times(records),
        "create": lambda: grants.create(records, KEY, record()),
        "replace": lambda: grants.replace(records, KEY, "version-0", record()),
    }
    with pytest.raises(StoreFailure) as caught:
        at_once(calls[call]())
    assert (caught.value.code, caught.value.about) == ("store_unavailable", "grants")


FOUND: Any = Found("value", "version-0", Times(5, UTC))


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("read", "text"),
        ("read", (1, 2, 3)),
        ("read", FOUND._replace(value=b"value")),
        ("read", FOUND._replace(times=None)),
        ("read", FOUND._replace(times=(5, UTC + 0.5))),
        ("read", FOUND._replace(times=Times(2**60, UTC))),
        ("times", None),
        ("times", (True, UTC)),
        ("create", None),
        ("create", 1),
        ("replace", "OK"),
    ],
)
def test_an_answer_of_another_type_is_the_store_s_failure(call: str, answer: object) -> None:
    """Of a write, nobody knows then whether it was applied."""

    async def answered(*_: object) -> object:
        return answer

    store: Any = SimpleNamespace(**{call: answered})
    grants = Grants(a_store(), SECRET)
    calls: dict[str, Callable[[], Coroutine[object, None, object]]] = {
        "read": lambda: grants.read(store, KEY),
        "times": lambda: grants.times(store),
        "create": lambda: grants.create(store, KEY, record()),
        "replace": lambda: grants.replace(store, KEY, "version-0", record()),
    }
    with pytest.raises(StoreFailure) as caught:
        at_once(calls[call]())
    assert (caught.value.code, caught.value.about) == ("store_unavailable", "grants")


def test_times_of_another_tuple_are_times() -> None:
    records, grants = a_store(), Grants(a_store(), SECRET)
    kept(records, grants)
    found = records.read(KEY.name)
    assert found is not None

    async def answered(_: str) -> object:
        return (found.value, found.version, (7, UTC))

    store: Any = SimpleNamespace(read=answered)
    assert read(store, grants).times == Times(7, UTC)


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"lifetime": 0}, "lifetime"),
        ({"lifetime": "1"}, "lifetime"),
        ({"trusted": -1}, "trusted"),
        ({"trusted": "5"}, "trusted"),
        ({"patience": float("nan")}, "patience"),
        ({"guards": 5}, "guards"),
        ({"guards": Guards(claim=0)}, "guards.claim"),
    ],
)
def test_a_wrong_setting_is_named(settings: Any, about: str) -> None:
    with pytest.raises(UsageError) as caught:
        Grants(a_store(), SECRET, **settings)
    assert (caught.value.code, caught.value.about) == ("config_invalid", about)


@pytest.mark.parametrize("secrets", [(), ("short",), (5,)])
def test_a_sealing_secret_is_needed(secrets: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Grants(a_store(), *secrets)
    assert caught.value.code == "config_invalid"


def test_a_store_of_another_kind_is_refused() -> None:
    anything: Any = object()
    with pytest.raises(UsageError) as caught:
        Grants(anything, SECRET)
    assert (caught.value.code, caught.value.about) == ("config_invalid", "records")


@pytest.mark.parametrize("name", ["é", "a\x00b", "x" * 300, "a\nb", "a b"])
def test_what_is_no_name_of_a_grant_has_a_key_that_holds_nothing(name: str) -> None:
    key = Key.of(name, CONNECTION)
    assert key.name == "grant:none"
    assert repr(key) == "Key()"


def test_grants_show_no_secret() -> None:
    assert repr(Grants(a_store(), SECRET)) == "Grants(MemoryRecords)"
