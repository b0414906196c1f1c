"""The ``claims`` parameter: claims that a client asks for one by one (OIDC Core §5.5)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from attrs import field, frozen

from oidc_adapters.testing.oauth_messages import OAuthError
from oidc_adapters.testing.signing import is_array, is_object, parsed, rendered

PLACES: Final = ("userinfo", "id_token")


@frozen(kw_only=True)
class WantedClaim:
    """How one claim is wanted (OIDC Core §5.5.1).

    Attributes:
        essential: whether the client needs it.
        values: the values that suit, the preferred one first; empty for any.
    """

    essential: bool = False
    values: tuple[object, ...] = ()

    def admits(self, value: object) -> bool:
        """Return whether a value suits, compared as JSON: ``true`` is not ``1``."""
        return not self.values or rendered(value) in [rendered(each) for each in self.values]


Wanted: TypeAlias = Mapping[str, WantedClaim]
"""Claims by name."""


def _no_claims() -> Wanted:
    return MappingProxyType({})


@frozen(kw_only=True)
class ClaimsRequest:
    """The claims that are wanted in the ID token and from UserInfo."""

    id_token: Wanted = field(factory=_no_claims)
    userinfo: Wanted = field(factory=_no_claims)

    def suits(self, sub: str) -> bool:
        """Return whether the login may be that user's (OIDC Core §5.5.1, §3.1.2.2)."""
        anybody = WantedClaim()
        return all(each.get("sub", anybody).admits(sub) for each in (self.id_token, self.userinfo))


def claims_request(text: str) -> ClaimsRequest:
    """Take the parameter apart; members that have no meaning are ignored.

    Raises:
        OAuthError: ``invalid_request`` where its form is wrong.
    """
    try:
        members = parsed(text)
    except (ValueError, RecursionError):
        raise OAuthError("invalid_request", "claims is not JSON") from None
    if not is_object(members):
        raise OAuthError("invalid_request", "claims is not a JSON object")
    return ClaimsRequest(**{place: _wanted(members.get(place), place) for place in PLACES})


def _wanted(claims: object, place: str) -> Wanted:
    if claims is None:
        return _no_claims()
    if not is_object(claims):
        raise OAuthError("invalid_request", f"{place} in claims is not a JSON object")
    return MappingProxyType({name: _claim(name, how) for name, how in claims.items()})


def _claim(name: str, how: object) -> WantedClaim:
    if how is None:
        return WantedClaim()
    if not is_object(how):
        raise OAuthError("invalid_request", f"{name} in claims is neither null nor an object")
    essential, many = how.get("essential", False), how.get("values", [])
    if not isinstance(essential, bool) or not is_array(many):
        raise OAuthError("invalid_request", f"essential or values of {name} has another form")
    one = [how["value"]] if "value" in how else []
    return WantedClaim(essential=essential, values=(*one, *many))
