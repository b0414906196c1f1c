"""Every write has a new version, and the time of the store."""

from oidc_core.machine.grant_writes import written
from tests.unit.machine.grants_records import FRESH, NOW, record


def test_a_write_changes_what_it_names() -> None:
    new = written(record(), FRESH, NOW, state="doubt", sends=2)
    assert (new.version, new.changed_at) == ("version-2", NOW)
    assert new == record(version="version-2", changed_at=NOW, state="doubt", sends=2)
