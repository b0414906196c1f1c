"""Every public field that a caller sets is judged: it keeps only values that fit its annotation.

Each field is handed a value that fits no annotation. One list has the classes that only the library
makes, each with its reason.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

import reference_settings as settings
from oidc_core import OidcError, UsageError
from oidc_core.wire.settings import check_fields, fields_of

CLASSES = settings.public_classes()
JUDGED = [label for label, kind in CLASSES.items() if settings.takes_settings(label, kind)]
CELLS = [
    (label, name, head)
    for label in JUDGED
    for name in settings.arguments_of(CLASSES[label])
    for head, _ in settings.VALUES
]


def test_every_public_field_is_judged() -> None:
    assert settings.unjudged(CLASSES) == []


def test_what_only_the_library_makes_is_public_and_told_with_its_reason() -> None:
    assert settings.LIBRARY_MADE.keys() <= CLASSES.keys()
    assert all(settings.LIBRARY_MADE.values())
    assert not {*JUDGED} & settings.LIBRARY_MADE.keys()


def test_public_classes_of_attrs_are_judged_or_named() -> None:
    assert {label for label, kind in CLASSES.items() if attrs.has(kind)} <= {
        *JUDGED,
        *settings.LIBRARY_MADE,
    }


@attrs.frozen
class Lax:
    """Takes anything in one of its fields."""

    judged: str = ""
    kept: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Judge one."""
        if type(self.judged) is not str:
            raise UsageError("config_invalid", about="judged")


@attrs.frozen
class Bursting:
    """Has an error of Python's for an argument that it does not know."""

    names: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)


class Plain:
    """No class of attrs, which keeps its argument as it is."""

    def __init__(self, held: str = "") -> None:
        self.held = held


@attrs.frozen
class Strict:
    """As it should be."""

    text: str = ""

    def __attrs_post_init__(self) -> None:
        """Judge it."""
        check_fields(self, fields_of(Strict, text=str))


@pytest.mark.parametrize(
    ("kind", "offences"),
    [
        (Lax, ["Planted.kept takes anything"]),
        (Bursting, ["Planted.names: TypeError"]),
        (Plain, ["Planted.held takes anything"]),
        (Strict, []),
    ],
)
def test_a_field_that_is_not_judged_is_seen(kind: type, offences: list[str]) -> None:
    assert settings.unjudged({"Planted": kind}) == offences


def test_a_class_in_the_list_is_not_asked() -> None:
    assert settings.unjudged({"LoggedIn": Plain}) == []


@pytest.mark.parametrize(("label", "name", "head"), CELLS)
def test_a_setting_is_taken_or_refused_by_its_name(label: str, name: str, head: str) -> None:
    kind, value = CLASSES[label], dict(settings.VALUES)[head]
    made: object = None
    refusal: OidcError | None = None
    try:
        made = settings.made(label, kind, name, value)
    except OidcError as refused:
        refusal = refused

    if refusal is None:
        held: object = getattr(made, name, None) if attrs.has(kind) else None
        assert not isinstance(held, (list, dict, set))
    else:
        assert refusal.about or refusal.code == "entropy_failure"


SEVERAL = {
    "AsyncConnections",
    "AsyncRecordSessions",
    "ClientKeys",
    "Connections",
    "CookiePendingLogins",
    "DpopKeys",
    "RecordSessions",
    "SealedBox",
}
"""Made of keys, secrets or clients, except for one argument."""


@pytest.mark.parametrize("label", JUDGED)
def test_each_class_can_be_made_as_the_table_makes_it(label: str) -> None:
    """Otherwise a cell would describe another field."""
    kind: Any = CLASSES[label]
    if label not in SEVERAL:
        assert settings.made_of(kind, settings.given().get(label, {})) is not None
