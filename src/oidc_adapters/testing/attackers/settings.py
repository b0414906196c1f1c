"""The settings of an attack: what the attacked application and its honest provider are like."""

from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of, texts

Pkce: TypeAlias = Literal["required", "ignored"]

LAYOUTS: Final = ("own path", "shared path", "query differs")
"""How the redirect URIs of the two clients can lie."""

STORES: Final = ("memory", "cookie")
"""Where logins can wait."""


@frozen(kw_only=True)
class AttackSettings:
    """The settings of an :class:`~oidc_adapters.testing.attackers.AttackerMachine`.

    Each run draws one of the ``layouts`` and one of the ``stores``.

    Attributes:
        policy: the application's policy at both providers.
        layouts: ``own path``, ``shared path`` or ``query differs``: how the redirect URIs of the
            application at the honest and at the hostile provider differ.
        stores: ``memory`` or ``cookie``: where logins wait.
        pkce: whether the honest provider demands PKCE, or does not look at it at all.
        codes_of_any_client: whether the honest provider forgets to check which client a code
            belongs to, as a broken one might.
        id_token_without: claims that the honest provider leaves out of ID tokens.
        first_logins: at most how many users log in before the attacker begins.

    Raises:
        UsageError: ``config_invalid``, naming the setting.
    """

    policy: Policy = DEFAULT_POLICY
    layouts: tuple[str, ...] = field(default=LAYOUTS, converter=texts)
    stores: tuple[str, ...] = field(default=STORES, converter=texts)
    pkce: Pkce = "required"
    codes_of_any_client: bool = False
    id_token_without: tuple[str, ...] = field(default=(), converter=texts)
    first_logins: int = 2

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        for name, known in (("layouts", LAYOUTS), ("stores", STORES)):
            given: tuple[str, ...] = getattr(self, name)
            if not given or not set(given) <= set(known):
                raise UsageError("config_invalid", about=name, found=given, expected=known)
        if self.first_logins < 0:
            found, expected = self.first_logins, "0 or more"
            raise UsageError("config_invalid", about="first_logins", found=found, expected=expected)


_FIELDS: Final = fields_of(AttackSettings)

DEFAULT_ATTACK: Final = AttackSettings()
"""Every layout and store, and a provider that does all of its part."""
