"""Who takes part in a login at the fake provider: its clients, its users, their browser sessions.

These are values; what the provider remembers of them is in :mod:`oidc_adapters.testing.ledger`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import urlencode

from attrs import field, frozen

from oidc_core.wire.errors import UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_fields, fields_of, texts

Members: TypeAlias = Mapping[str, object]
"""The members of a JSON object, before it is rendered."""

Parameters: TypeAlias = tuple[tuple[str, str], ...]
"""The parameters of an authorization response, in the order sent, repeated ones included."""

ResponseMode: TypeAlias = Literal["query", "form_post"]


def _frozen_members(members: Members) -> Members:
    if not isinstance(cast("object", members), Mapping):
        return members  # to be refused by its name
    return MappingProxyType({**members})


def _frozen_keys(keys: "list[Members] | tuple[Members, ...]") -> "tuple[Members, ...]":
    if not isinstance(cast("object", keys), (list, tuple)):
        return cast("tuple[Members, ...]", keys)
    return tuple(_frozen_members(key) for key in keys)


@frozen(kw_only=True)
class FakeClient:
    """A client as the provider has it on record (OIDC Dynamic Client Registration §2).

    Attributes:
        client_id: the client's identifier.
        client_secret: its secret; no client with ``none`` or ``private_key_jwt`` uses it.
        redirect_uris: the exact redirect URIs it may name; ``http://127.0.0.1/PATH`` without a port
            stands for every port (RFC 8252 §7.3).
        post_logout_redirect_uris: the exact URIs it may return to after a logout.
        require_pkce: whether its logins have to use PKCE.  Without, a login may leave it out; one
            that sends a challenge is held to it all the same.  A public client has to use it.
        backchannel_logout_uri: where it takes logout tokens, or ``None``.
        frontchannel_logout_uri: what a browser loads in a frame when a session ends, or ``None``.
        token_endpoint_auth_method: ``none``, ``client_secret_basic``, ``client_secret_post``,
            ``client_secret_jwt`` or ``private_key_jwt``; any other method is refused.
        signed_secret: whether its secret is a JWT signed by one of its ``jwks``, with the client as
            ``sub`` and the issuer as ``aud``, as Apple demands; for ``client_secret_post``.
        raw_basic: whether HTTP Basic credentials are compared as sent, without the form decoding
            of RFC 6749 §2.3.1, as some providers do.
        jwks: the public keys (JWK members) that verify assertions of ``private_key_jwt``, and
            those with ``use`` ``enc`` that answers are encrypted for.
        id_token_signed_response_alg: the algorithm of its ID tokens, or ``None`` for the
            provider's.
        userinfo_signed_response_alg: the algorithm of its UserInfo, or ``None`` for plain JSON
            unless the provider signs for everybody.
        id_token_encrypted_response_alg, id_token_encrypted_response_enc: how its ID tokens are
            encrypted, ``None`` for not at all.
        userinfo_encrypted_response_alg, userinfo_encrypted_response_enc: the same for UserInfo.
    """

    client_id: str = "client"
    client_secret: str = field(
        default="a-secret-of-64-octets-suits-HS512-as-well-" + 22 * "x", repr=False
    )
    redirect_uris: tuple[str, ...] = field(
        default=("https://rp.example/callback",), converter=texts
    )
    post_logout_redirect_uris: tuple[str, ...] = field(
        default=("https://rp.example/",), converter=texts
    )
    require_pkce: bool = True
    backchannel_logout_uri: str | None = None
    frontchannel_logout_uri: str | None = None
    token_endpoint_auth_method: str = "client_secret_basic"
    raw_basic: bool = False
    signed_secret: bool = False
    jwks: tuple[Members, ...] = field(default=(), converter=_frozen_keys)
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str = "A128CBC-HS256"
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str = "A128CBC-HS256"

    def __attrs_post_init__(self) -> None:
        check_fields(self, _CLIENT)
        if self.token_endpoint_auth_method == "none" and not self.require_pkce:
            expected = "PKCE for a client without a secret"
            raise UsageError("config_invalid", about="require_pkce", found=False, expected=expected)


@frozen(kw_only=True)
class FakeUser:
    """An end-user: the subject identifier and the claims the provider has about them."""

    sub: str
    claims: Members = field(factory=dict[str, object], converter=_frozen_members)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _USER)

    @classmethod
    def complete(cls, sub: str = "carol") -> "FakeUser":
        """Return a user with every standard claim (OIDC Core §5.1)."""
        page = f"https://people.example/{sub}"
        claims: dict[str, object] = {
            "name": f"{sub.capitalize()} Middle Example",
            "given_name": sub.capitalize(),
            "family_name": "Example",
            "middle_name": "Middle",
            "nickname": sub,
            "preferred_username": sub,
            "profile": page,
            "picture": f"{page}/picture.png",
            "website": f"{page}/blog",
            "gender": "female",
            "birthdate": "0000-10-31",
            "zoneinfo": "Europe/Paris",
            "locale": "en-US",
            "updated_at": 1_311_280_970,
            "email": f"{sub}@people.example",
            "email_verified": True,
            "phone_number": "+1 (604) 555-1234;ext=5678",
            "phone_number_verified": True,
            "address": {
                "formatted": "1 Main Street\r\nParis 75001\r\nFrance",
                "street_address": "1 Main Street",
                "locality": "Paris",
                "region": "Ile-de-France",
                "postal_code": "75001",
                "country": "France",
            },
        }
        return cls(sub=sub, claims=claims)


_CLIENT: Final = fields_of(FakeClient)
_USER: Final = fields_of(FakeUser)


ALICE: Final = FakeUser(
    sub="alice",
    claims={
        "name": "Alice Adams",
        "given_name": "Alice",
        "family_name": "Adams",
        "preferred_username": "alice",
        "locale": "en",
        "email": "alice@op.example",
        "email_verified": True,
    },
)
BOB: Final = FakeUser(
    sub="bob",
    claims={"name": "Bob Brown", "email": "bob@op.example", "email_verified": False},
)


@frozen(kw_only=True)
class Session:
    """A browser's session at the provider: who signed in there, when, and how well.

    Attributes:
        sub: the user.
        auth_time: when they signed in, in seconds since the epoch.
        sid: the session's name.
        acr: how well: one of the metadata's ``acr_values_supported``; empty for the weakest.
    """

    sub: str
    auth_time: int
    sid: str = field(repr=False)
    acr: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _SESSION)


_SESSION: Final = fields_of(Session, "parameter_invalid")


@frozen(kw_only=True)
class BackchannelLogout:
    """The request with which the provider ends sessions at a client, without a browser.

    Attributes:
        uri: the client's ``backchannel_logout_uri``, or ``None``.
        logout_token: the logout token.
        form: the body that the provider posts.
        content_type: its media type.
    """

    uri: str | None
    logout_token: str = field(repr=False)
    form: bytes = field(repr=False)
    content_type: str = "application/x-www-form-urlencoded"

    def incoming(self) -> Incoming:
        """Return the request that the client's ``backchannel_logout_uri`` gets."""
        return Incoming(method="POST", url=self.uri, body=self.form, content_type=self.content_type)


@frozen(kw_only=True)
class AuthorizationResponse:
    """The message from the provider that the browser brings: an authorization response.

    Attributes:
        redirect_uri: where to, in the spelling of the request.
        mode: ``query`` (a redirect) or ``form_post`` (a form that submits itself).
        parameters: the response's parameters.
        session: the browser's session at the provider from now on; hand it to the next
            ``authorize``. ``None`` if no user is signed in.
    """

    redirect_uri: str
    mode: ResponseMode
    parameters: Parameters = field(repr=False)
    session: Session | None

    @property
    def encoded(self) -> str:
        """The parameters as ``application/x-www-form-urlencoded`` text."""
        return urlencode(self.parameters)

    @property
    def url(self) -> str:
        """The URL that the browser asks the client for; with ``form_post`` it has no parameters."""
        if self.mode == "form_post":
            return self.redirect_uri
        return self.redirect_uri + ("&" if "?" in self.redirect_uri else "?") + self.encoded

    @property
    def form(self) -> bytes | None:
        """The body that the browser posts, or ``None`` if it comes with a ``GET``."""
        return self.encoded.encode("ascii") if self.mode == "form_post" else None

    def incoming(self, cookie: str = "") -> Incoming:
        """Return the request that the client's redirect URI gets, with a ``Cookie`` header."""
        url, _, query = self.url.partition("?")
        if self.form is None:
            return Incoming(method="GET", url=url, query=query, cookie=cookie)
        return Incoming(method="POST", url=url, query=query, body=self.form, cookie=cookie)

    def parameter(self, name: str) -> str | None:
        """Return the first parameter of that name."""
        return next((value for known, value in self.parameters if known == name), None)
