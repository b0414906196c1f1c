"""The ways in which providers differ without a fault.

A :class:`Dialect` is data: with one, the fake provider imitates a real one.  A client
refuses misbehaviours; a dialect only needs the right settings.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast

from attrs import field, fields, frozen

from oidc_adapters.testing.oauth_messages import OAuthError
from oidc_adapters.testing.parties import Members
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.settings import check_fields, fields_of, texts

Message: TypeAlias = Literal["metadata", "tokens", "id_token", "userinfo", "key"]
Pkce: TypeAlias = Literal["required", "ignored", "refused"]
AssertionAudience: TypeAlias = Literal["issuer", "token_endpoint"]
OfflineAccess: TypeAlias = Literal["always", "with_consent", "unasked", "access_type"]
HintRule: TypeAlias = Literal["issued", "newest", "key_published"]
HalfHash: TypeAlias = Literal["by_alg", "sha256"]
ErrorBody: TypeAlias = Literal["json", "html", "empty"]

MESSAGES: Final = frozenset({"metadata", "tokens", "id_token", "userinfo", "key"})
SHORTEST_CODE: Final = 43
_PAGE: Final = b"<!doctype html><title>Error</title><p>Something went wrong."


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
        metadata, tokens, id_token, userinfo, key: members that replace those of the metadata, of
            token answers, of ID tokens, of UserInfo and of each published key, or are added to
            them.
        without: members that are left out, each with its message, as in ``id_token.nonce``.
        as_text: members whose number or truth is sent as text, as in ``tokens.expires_in``.
        as_list: members whose words are sent as a list, as in ``tokens.scope``.
        unasked: claims that it states though no scope asks for them.
        scopes: the scopes that there are, any other is ``invalid_scope``; empty for no such rule.
        pkce: ``required``; ``ignored``: not even a wrong ``code_verifier`` is noticed; ``refused``:
            a ``code_verifier`` is ``invalid_client``.
        form_post_for: the scopes that are answered by ``form_post`` only.
        required_parameters: what an authorization request has to have besides, by name.
        assertion_audience: the one audience that client assertions may have.
        at_hash: ``by_alg``: by the digest of the ID token's algorithm; ``sha256``: always by that.
        code_length: how many characters an authorization code has, at least 43.
        rotates_refresh: whether a refresh token is used up by its first use and followed by
            another; otherwise it stays good, and refresh answers do not name one.
        iss_on_errors: whether responses with an error carry the ``iss`` that those with a code do.
        keys_name_issuer: whether each published key names the issuer.
        error_body: what an error on the back channel has as its body: the JSON of RFC 6749 §5.2, a
            page, or nothing.
        error_hint: text that follows every ``error_description`` there.
        offline_access, accepts_hint, sends_iss, session_management: in place of the provider's own
            settings of these names; ``None`` leaves those.
        logout_parameter: the name under which the logout endpoint takes the URI to return to.
    """

    endpoints_below: str = ""
    metadata: Members = field(factory=dict[str, object], converter=_frozen)
    tokens: Members = field(factory=dict[str, object], converter=_frozen)
    id_token: Members = field(factory=dict[str, object], converter=_frozen)
    userinfo: Members = field(factory=dict[str, object], converter=_frozen)
    key: Members = field(factory=dict[str, object], converter=_frozen)
    without: tuple[str, ...] = field(default=(), converter=texts)
    as_text: tuple[str, ...] = field(default=(), converter=texts)
    as_list: tuple[str, ...] = field(default=(), converter=texts)
    unasked: tuple[str, ...] = field(default=(), converter=texts)
    scopes: tuple[str, ...] = field(default=(), converter=texts)
    pkce: Pkce = "required"
    form_post_for: tuple[str, ...] = field(default=(), converter=texts)
    required_parameters: tuple[str, ...] = field(default=(), converter=texts)
    assertion_audience: AssertionAudience = "issuer"
    at_hash: HalfHash = "by_alg"
    code_length: int = SHORTEST_CODE
    rotates_refresh: bool = True
    iss_on_errors: bool = True
    keys_name_issuer: bool = False
    error_body: ErrorBody = "json"
    error_hint: str = ""
    offline_access: OfflineAccess | None = None
    accepts_hint: HintRule | None = None
    sends_iss: bool | None = None
    session_management: bool | None = None
    logout_parameter: str = "post_logout_redirect_uri"

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        for about in ("without", "as_text", "as_list"):
            listed: tuple[str, ...] = getattr(self, about)
            odd = tuple([name for name in listed if name.partition(".")[0] not in MESSAGES])
            if odd:
                expected = tuple([f"{message}.NAME" for message in sorted(MESSAGES)])
                raise UsageError("config_invalid", about=about, found=odd, expected=expected)
        if self.code_length < SHORTEST_CODE:
            least = f"{SHORTEST_CODE} or more"
            raise UsageError(
                "config_invalid", about="code_length", found=self.code_length, expected=least
            )

    def spoken(self, message: Message, members: Members) -> Members:
        """Return the members of a message as this provider says them."""
        own: Members = getattr(self, message)
        if not own and not self.without and not self.as_text and not self.as_list:
            return members
        said = {**members, **own}
        for names, way in ((self.as_text, _as_text), (self.as_list, _as_list)):
            said |= {name: way(said[name]) for name in _named(names, message) & said.keys()}
        left_out = _named(self.without, message)
        return {name: value for name, value in said.items() if name not in left_out}

    def lengthened(self, code: str) -> str:
        """Return a code of the length that this provider's have."""
        return (code * (self.code_length // len(code) + 1))[: self.code_length]

    def refused(self, error: OAuthError, now: int) -> HttpResponse:
        """Return an error on the back channel as this provider says it."""
        answer = error.answer(now, self.error_hint)
        if self.error_body == "json":
            return answer
        kept = [pair for pair in answer.headers if pair[0] != "content-type"]
        if self.error_body == "html":
            kept.append(("content-type", "text/html; charset=utf-8"))
        body = _PAGE if self.error_body == "html" else b""
        return HttpResponse(answer.status, tuple(kept), body, now)


def _named(names: tuple[str, ...], message: Message) -> set[str]:
    """Return the members of one message that a setting names."""
    return {name.partition(".")[2] for name in names if name.startswith(f"{message}.")}


def _as_text(value: object) -> object:
    return value if isinstance(value, str) else json.dumps(value)


def _as_list(value: object) -> object:
    return value.split() if isinstance(value, str) else value


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
