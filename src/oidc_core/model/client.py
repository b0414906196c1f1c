"""The client's registration at one provider (OIDC Dynamic Client Registration §2)."""

import re
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.jose.algorithms import ASYMMETRIC, HMAC
from oidc_core.jose.encryption import CONTENT_ENCRYPTION, DEFAULT_ENC, KEY_MANAGEMENT, SYMMETRIC
from oidc_core.jose.jws import Encryption
from oidc_core.jose.profiles import ID_TOKEN, USERINFO
from oidc_core.wire.errors import UsageError
from oidc_core.wire.grammar import NQCHAR
from oidc_core.wire.settings import check_fields, fields_of, text_set, texts
from oidc_core.wire.urls import origin_of, parse_form, parse_url, query_names

AuthMethod: TypeAlias = Literal[
    "none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"
]
AUTH_METHODS: Final[frozenset[str]] = frozenset(
    {"none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"}
)
FurtherAudiences: TypeAlias = Literal["trusted", "any_if_azp"]
ResponseIss: TypeAlias = Literal["as_announced", "required"]
RESPONSE_ISS: Final[frozenset[str]] = frozenset({"as_announced", "required"})
_SCOPE: Final = re.compile(f"{NQCHAR}+(?: {NQCHAR}+)*")
_ASSERTION_ALGORITHMS: Final = MappingProxyType(
    {"client_secret_jwt": HMAC, "private_key_jwt": ASYMMETRIC}
)
RESPONSE_PARAMETERS: Final = frozenset(
    {"state", "code", "iss", "error", "error_description", "error_uri", "session_state",
     "access_token", "token_type", "expires_in", "id_token", "response"}
)  # fmt: skip
"""The members that an authorization response may have."""

_PRIVATE: Final = re.compile(
    r"(?=[^:]*\.)[A-Za-z](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:(?![0-9]+(?:[/?]|\Z))[!-~]+"
)
"""A URL of a private scheme; a host with its port is not one, though it looks like one."""

_OF_LOGOUT: Final = frozenset({"state"})
_OF_FRAME: Final = frozenset({"iss", "sid"})
_FOREIGN: Final = frozenset(' #\\"<>^`{|}')
"""Characters that no URL has; a browser changes most of them."""

_DOTS: Final = frozenset({".", "..", "%2e", "%2e%2e", ".%2e", "%2e."})
REGISTERED: Final = MappingProxyType({row.registered_as: row for row in (ID_TOKEN, USERINFO)})
"""The profiles of JWT that a registration has members about, by the prefix of these members."""

_DEFAULT_ASSERTION: Final = MappingProxyType(
    {"client_secret_jwt": "HS256", "private_key_jwt": "RS256"}
)


@frozen(kw_only=True)
class ClientRegistration:
    """The agreement of the provider and the client. No secret and no key is in here.

    Attributes:
        client_id: the identifier the provider gave out.
        redirect_uris: where the browser comes back to; the first is used unless another is named.
            A login needs one.
        token_endpoint_auth_method: how the client authenticates.  ``None`` leaves it to the
            metadata how the secret is sent; see ``RelyingParty.auth_method``.
        token_endpoint_auth_signing_alg: the algorithm of its assertions, if it signs some.
        id_token_signed_response_alg: the algorithm of ID tokens, if one was registered.
        userinfo_signed_response_alg: the algorithm of UserInfo, if it was registered as signed.
        id_token_encrypted_response_alg, id_token_encrypted_response_enc: how ID tokens are
            encrypted after they are signed; ``enc`` is A128CBC-HS256 unless another is named.
        userinfo_encrypted_response_alg, userinfo_encrypted_response_enc: the same for UserInfo,
            signed or not.
        post_logout_redirect_uris: where the browser comes back to after a logout.
        backchannel_logout_uri: where the provider posts logout tokens.
        backchannel_logout_session_required: whether a logout token has to name the session, by
            ``sid``.
        frontchannel_logout_uri: what the provider's page loads in a frame when a session ends; at
            an origin of the redirect URIs.
        frontchannel_logout_session_required: whether that request has to name issuer and session.
        scope: what is asked for unless a login says otherwise.  A login needs ``openid`` in it.
        trusted_audiences: further audiences an ID token may name.
        further_audiences: ``any_if_azp`` also accepts every further audience of an ID token whose
            ``azp`` is this client, for providers that add each client of a project by themselves.
            The evidence names them.
        trusted_parties: further clients of the same application, as its app for phones: an ID token
            that is handed to :mod:`~oidc_core.operations.validation` may have been issued to them
            (``azp``).  In a login or a refresh, ``azp`` is this client if it is there.
        connection_id: tells connections to the same provider apart.
        issuer: the only issuer this registration may be used with, if known.
        response_iss: ``required`` declares that this provider names itself in every authorization
            response that carries a code (RFC 9207), even if its metadata says otherwise: a response
            that does not is refused. Only a client that declares it may share its redirect URI with
            a client of another provider.
    """

    client_id: str
    redirect_uris: tuple[str, ...] = field(default=(), converter=texts)
    token_endpoint_auth_method: AuthMethod | None = "client_secret_basic"
    token_endpoint_auth_signing_alg: str | None = None
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = field(default=(), converter=texts)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    scope: str = "openid"
    trusted_audiences: frozenset[str] = field(default=frozenset(), converter=text_set)
    further_audiences: FurtherAudiences = "trusted"
    trusted_parties: frozenset[str] = field(default=frozenset(), converter=text_set)
    connection_id: str = ""
    issuer: str | None = None
    response_iss: ResponseIss = "as_announced"

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        if not self.client_id or not self.client_id.isprintable() or not self.client_id.isascii():
            raise UsageError("config_invalid", about="client_id", found=self.client_id)
        for uri in self.redirect_uris:
            _check_redirect_uri(uri, "redirect_uri", RESPONSE_PARAMETERS)
        for uri in self.post_logout_redirect_uris:
            _check_redirect_uri(uri, "post_logout_redirect_uri", _OF_LOGOUT)
        _check_logout_uris(self)
        if self.scope and not is_scope(self.scope):
            raise UsageError("config_invalid", about="scope", found=self.scope)
        self._check_assertion_alg()
        for registered_as in REGISTERED:
            self._check_signature(registered_as)
            self._check_encryption(registered_as)

    def _check_signature(self, registered_as: str) -> None:
        alg, about = self.signed_with(registered_as), f"{registered_as}_signed_response_alg"
        if alg is not None and alg not in REGISTERED[registered_as].algorithms:
            raise UsageError("config_invalid", about=about, found=alg)
        if alg in HMAC and self.token_endpoint_auth_method == "none":
            # A public client has no secret (OIDC Core §10.1).
            raise UsageError("config_invalid", about=about, found=alg, expected="a signature")

    def _check_encryption(self, registered_as: str) -> None:
        encryption, about = (
            self.encrypted_with(registered_as),
            f"{registered_as}_encrypted_response",
        )
        if encryption is None:
            if getattr(self, f"{about}_enc") is not None:
                raise UsageError("config_invalid", about=f"{about}_enc", expected=f"{about}_alg")
            return
        alg, enc = encryption
        if alg not in KEY_MANAGEMENT:
            raise UsageError("config_invalid", about=f"{about}_alg", found=alg)
        if alg in SYMMETRIC and self.token_endpoint_auth_method == "none":
            # A public client has no secret to make a key of (OIDC Core §10.2).
            raise UsageError("config_invalid", about=f"{about}_alg", found=alg, expected="RSA, EC")
        if enc not in CONTENT_ENCRYPTION:
            raise UsageError("config_invalid", about=f"{about}_enc", found=enc)

    def _check_assertion_alg(self) -> None:
        alg = self.token_endpoint_auth_signing_alg
        allowed = _ASSERTION_ALGORITHMS.get(self.token_endpoint_auth_method or "", frozenset())
        if alg is not None and alg not in allowed:
            raise UsageError("config_invalid", about="token_endpoint_auth_signing_alg", found=alg)

    def signed_with(self, registered_as: str) -> str | None:
        """Return the algorithm that was registered for one kind of JWT, or ``None``."""
        alg: str | None = getattr(self, f"{registered_as}_signed_response_alg")
        return alg

    def encrypted_with(self, registered_as: str) -> Encryption | None:
        """Return how one kind of JWT is encrypted, if that was registered."""
        alg: str | None = getattr(self, f"{registered_as}_encrypted_response_alg")
        enc: str | None = getattr(self, f"{registered_as}_encrypted_response_enc")
        return None if alg is None else Encryption(alg, DEFAULT_ENC if enc is None else enc)

    @property
    def redirect_uri(self) -> str:
        """The redirect URI that is used unless a login names another; empty if there is no URI."""
        return self.redirect_uris[0] if self.redirect_uris else ""

    @property
    def assertion_alg(self) -> str:
        """The algorithm of client assertions: the registered one, or HS256 or RS256."""
        default = _DEFAULT_ASSERTION.get(self.token_endpoint_auth_method or "", "RS256")
        return self.token_endpoint_auth_signing_alg or default


_FIELDS: Final = fields_of(ClientRegistration)


def _check_logout_uris(client: ClientRegistration) -> None:
    """Refuse where a provider could not, or must not, say that a session has ended.

    Raises:
        UsageError: what :func:`~oidc_core.wire.urls.parse_url` raises; ``config_invalid``.
    """
    back, front = client.backchannel_logout_uri, client.frontchannel_logout_uri
    if back is not None:
        # Plain http is a confidential client's to choose (Back-Channel Logout §2.2).
        public = client.token_endpoint_auth_method == "none"
        here = frozenset[str]() if public else frozenset({origin_of(back)})
        parse_url(back, about="backchannel_logout_uri", http=True, http_origins=here)
    if front is None:
        return
    url = parse_url(front, about="frontchannel_logout_uri", http=True)
    origins = tuple([origin_of(uri) for uri in client.redirect_uris])
    if url.origin not in origins:  # Front-Channel Logout §2
        raise UsageError(
            "config_invalid", about="frontchannel_logout_uri", found=url.origin, expected=origins
        )
    twice = tuple(sorted(_OF_FRAME & query_names(front)))
    if twice:
        expected = "a query without the parameters of the logout"
        about = "frontchannel_logout_uri"
        raise UsageError("config_invalid", about=about, found=twice, expected=expected)


def is_scope(scope: str) -> bool:
    """Return whether a text is a scope (RFC 6749 §3.3)."""
    return _SCOPE.fullmatch(scope) is not None


def _check_redirect_uri(uri: str, about: str, answered: frozenset[str]) -> None:
    """Refuse an address that no browser would come back to, or only with changed parameters.

    https, http on loopback (RFC 8252 §7.3) and private schemes with a dot (§7.1) pass.
    """
    if not _PRIVATE.fullmatch(uri) or not _FOREIGN.isdisjoint(uri):
        parse_url(uri, about=about, http=True)
    if not _DOTS.isdisjoint(uri.partition("?")[0].lower().split("/")):
        # A browser takes these out.
        raise UsageError("config_invalid", about=about, found=uri, expected="no dot segments")
    if any("\ufffd" in text for pair in parse_form(uri.partition("?")[2]) for text in pair):
        # Others could come back that read the same.
        expected = "a query that is UTF-8"
        raise UsageError("config_invalid", about=about, found=uri, expected=expected)
    twice = tuple(sorted(answered & query_names(uri)))
    if twice:  # it would come back with two of them, and be refused
        expected = "a query without the parameters of the response"
        raise UsageError("config_invalid", about=about, found=twice, expected=expected)
