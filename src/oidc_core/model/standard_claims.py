"""The standard claims of a user, typed (OIDC Core §5.1); what is malformed or blank is absent.

None of them is a key to an account: that is issuer and subject alone.
"""

from abc import abstractmethod
from typing import NamedTuple

from oidc_core.model.claim_values import filled, numeric_date
from oidc_core.wire.jsontypes import JsonObject


class Email(NamedTuple):
    """An e-mail address, and whether the provider says that it is the user's.

    Attributes:
        address: as the provider sent it.
        verified: ``True`` only where the provider says so with JSON ``true``.
    """

    address: str
    verified: bool

    def __repr__(self) -> str:
        return f"Email(verified={self.verified})"


class PhoneNumber(NamedTuple):
    """A phone number, and whether the provider says that it is the user's.

    Attributes:
        number: as the provider sent it.
        verified: ``True`` only where the provider says so with JSON ``true``.
    """

    number: str
    verified: bool

    def __repr__(self) -> str:
        return f"PhoneNumber(verified={self.verified})"


class StandardClaims:
    """Typed views of the standard claims among ``claims``."""

    __slots__ = ()

    @property
    @abstractmethod
    def claims(self) -> JsonObject:
        """All claims there are."""

    def _text(self, name: str) -> str | None:
        return filled(self.claims.members.get(name))

    @property
    def name(self) -> str | None:
        """The full name, for display."""
        return self._text("name")

    @property
    def given_name(self) -> str | None:
        """The given name or names."""
        return self._text("given_name")

    @property
    def family_name(self) -> str | None:
        """The family name or names."""
        return self._text("family_name")

    @property
    def middle_name(self) -> str | None:
        """The middle name or names."""
        return self._text("middle_name")

    @property
    def nickname(self) -> str | None:
        """A casual name."""
        return self._text("nickname")

    @property
    def preferred_username(self) -> str | None:
        """How the user wants to be called; neither unique nor lasting."""
        return self._text("preferred_username")

    @property
    def profile(self) -> str | None:
        """The URL of the user's page; untrusted."""
        return self._text("profile")

    @property
    def picture(self) -> str | None:
        """The URL of a picture; untrusted."""
        return self._text("picture")

    @property
    def website(self) -> str | None:
        """The URL of the user's site; untrusted."""
        return self._text("website")

    @property
    def gender(self) -> str | None:
        """As the provider has it, for example ``female`` or ``male``."""
        return self._text("gender")

    @property
    def birthdate(self) -> str | None:
        """``YYYY-MM-DD`` or ``YYYY``; the year may be ``0000``."""
        return self._text("birthdate")

    @property
    def zoneinfo(self) -> str | None:
        """A name out of the time zone database, as in ``Europe/Paris``."""
        return self._text("zoneinfo")

    @property
    def locale(self) -> str | None:
        """A language tag, as in ``en-US``."""
        return self._text("locale")

    @property
    def email(self) -> Email | None:
        """The e-mail address, never without whether it was verified."""
        address = self._text("email")
        verified = self.claims.members.get("email_verified") is True
        return None if address is None else Email(address, verified)

    @property
    def phone_number(self) -> PhoneNumber | None:
        """The phone number, never without whether it was verified."""
        number = self._text("phone_number")
        verified = self.claims.members.get("phone_number_verified") is True
        return None if number is None else PhoneNumber(number, verified)

    @property
    def address(self) -> JsonObject | None:
        """The postal address (§5.1.1)."""
        value = self.claims.members.get("address")
        return value if isinstance(value, JsonObject) else None

    @property
    def updated_at(self) -> int | None:
        """When the user's claims last changed, in seconds since the epoch."""
        return numeric_date(self.claims.members.get("updated_at"))

    @property
    def claims_elsewhere(self) -> tuple[str, ...]:
        """The names of claims that the provider has, but sends only a reference to (§5.6.2).

        A user with very many groups has ``groups`` here and no claim ``groups``: that is not a
        user without groups.
        """
        named, there = self.claims.members.get("_claim_names"), self.claims.members
        if not isinstance(named, JsonObject):
            return ()
        return tuple(sorted([name for name in named.members if name not in there]))
