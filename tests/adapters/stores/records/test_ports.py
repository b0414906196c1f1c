"""The port of a store of records."""

from __future__ import annotations

from oidc_adapters.stores.records import Found, Times


def test_a_record_never_shows_its_value() -> None:
    found = Found("a secret", "version-1", Times(now=5, utc=1_700_000_000))

    assert "a secret" not in repr(found)
    assert "version-1" in repr(found)
