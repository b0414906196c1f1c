"""The settings of an attack."""

from typing import Any

import pytest

from oidc_adapters.testing.attackers.settings import LAYOUTS, STORES, AttackSettings
from oidc_core.wire.errors import UsageError


def test_by_default_everything_is_tried() -> None:
    settings = AttackSettings()

    assert (settings.layouts, settings.stores, settings.pkce) == (LAYOUTS, STORES, "required")


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("layouts", ()),
        ("layouts", ("no layout",)),
        ("stores", ("no store",)),
        ("pkce", "sometimes"),
        ("first_logins", -1),
        ("codes_of_any_client", "yes"),
    ],
)
def test_a_wrong_setting_is_named(about: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        AttackSettings(**{about: value})

    assert (caught.value.code, caught.value.about) == ("config_invalid", about)
