"""The ways in which providers differ without a fault.

A :class:`Dialect` is data: with one, the fake provider imitates a real one.  A client
refuses misbehaviours; a dialect only needs the right settings.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast

from attrs import field, fields, frozen

from oidc_adapters.testing.parties import Members
from oidc_core.wire.errors import UsageError
from oidc_core.wire.settings import check_fields, fields_of, texts

Message: TypeAlias = Literal["metadata", "tokens", "id_token", "userinfo"]
Pkce: TypeAlias = Literal["required", "ignored", "refused"]
AssertionAudience: TypeAlias = Literal["issuer", "token_endpoint"]

MESSAGES: Final = frozenset({"metadata", "tokens", "id_token", "userinfo"})


def _frozen(members: Members) -> Members:
    if not isinstance(cast("object", members), Mapping):
        return members  # to be refused by its name
    return MappingProxyType({**members})


@frozen(kw_only=True)
class Dialect:
    """The ways in which one provider differs from others.

    Attributes:
        endpoints_below: the URL that all endpoints, and a second copy of the metadata, lie below;
            empty for the issuer.
        metadata, tokens, id_token, userinfo: members that replace those of the metadata, of token
            answers, of ID tokens and of UserInfo, or are added to them.
        without: members that are left out, each with its message, as in ``id_token.nonce``.
        scopes: the scopes that there are, any other is ``invalid_scope``; empty for no such rule.
        pkce: ``required``; ``ignored``: not even a wrong ``code_verifier`` is noticed; ``refused``:
            a ``code_verifier`` is ``invalid_client``.
        form_post_for: the scopes that are answered by ``form_post`` only.
        required_parameters: what an authorization request has to have besides, by name.
        assertion_audience: the one audience that client assertions may have.
        logout_parameter: the name under which the logout endpoint takes the URI to return to.
    """

    endpoints_below: str = ""
    metadata: Members = field(factory=dict[str, object], converter=_frozen)
    tokens: Members = field(factory=dict[str, object], converter=_frozen)
    id_token: Members = field(factory=dict[str, object], converter=_frozen)
    userinfo: Members = field(factory=dict[str, object], converter=_frozen)
    without: tuple[str, ...] = field(default=(), converter=texts)
    scopes: tuple[str, ...] = field(default=(), converter=texts)
    pkce: Pkce = "required"
    form_post_for: tuple[str, ...] = field(default=(), converter=texts)
    required_parameters: tuple[str, ...] = field(default=(), converter=texts)
    assertion_audience: AssertionAudience = "issuer"
    logout_parameter: str = "post_logout_redirect_uri"

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        odd = tuple([name for name in self.without if name.partition(".")[0] not in MESSAGES])
        if odd:
            expected = tuple([f"{message}.NAME" for message in sorted(MESSAGES)])
            raise UsageError("config_invalid", about="without", found=odd, expected=expected)

    def spoken(self, message: Message, members: Members) -> Members:
        """Return the members of a message as this provider says them."""
        own: Members = getattr(self, message)
        if not own and not self.without:
            return members
        left_out = {
            name.partition(".")[2] for name in self.without if name.startswith(f"{message}.")
        }
        return {n: value for n, value in {**members, **own}.items() if n not in left_out}


_FIELDS: Final = fields_of(Dialect)

PLAIN: Final = Dialect()
"""Says everything as the specifications do."""


def as_dialect(value: "Dialect | Mapping[str, Any]") -> Dialect:
    """Return a dialect, which a file has as a table of its members.

    Raises:
        UsageError: ``config_invalid`` for a member that there is not.
    """
    if not isinstance(value, Mapping):
        return value
    odd = sorted(value.keys() - {each.name for each in fields(Dialect)})
    if odd:
        raise UsageError("config_invalid", about="dialect", found=odd[0])
    return Dialect(**value)
