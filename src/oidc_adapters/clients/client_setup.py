"""The parts of a client, put together from settings.

The settings are those an application has at hand: issuer, client id and secret, redirect URI.
A framework or an unusual provider may need more: then a value can be passed instead.
"""

from collections.abc import Iterable
from typing import Final, NoReturn

from attrs import evolve, field, fields_dict, frozen

from oidc_adapters.credentials.client_credentials import (
    Credentials,
    Keys,
    check_credentials,
    credentials_for,
)
from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto import ClientDecrypter, CryptographyVerifier
from oidc_adapters.runtime.client_secret import Secret, check_secret
from oidc_core.model.client import AuthMethod, ClientRegistration, ResponseIss
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_fields, fields_of, json_object
from oidc_core.wire.urls import parse_url


def _in_order(
    value: list[DecryptionKey] | tuple[DecryptionKey, ...],
) -> tuple[DecryptionKey, ...]:
    return tuple(value) if isinstance(value, list) else value


_EMPTY: Final = JsonObject({})
_MINUTE: Final = 60
_MONTH: Final = 30 * 86_400


@frozen(kw_only=True)
class ClientSetup:
    """The settings of one client at one provider.

    Attributes:
        issuer: the issuer identifier, exactly as the provider publishes it.
        issuer_rule: how the issuer is recognised, where one exact string is not enough.
        client_id: the identifier the provider gave out.
        client_secret: the client's secret, for the methods that use one, or a call that opens it
            for each use.
        client_keys: the client's private keys, for ``private_key_jwt``.
        decryption_keys: the client's private keys for tokens that are encrypted for it, newest
            first.
        redirect_uri: where the browser comes back to.
        post_logout_redirect_uri: where it comes back to after a logout.
        token_endpoint_auth_method: how the client authenticates. By default ``private_key_jwt``
            with keys. With a secret, ``client_secret_basic`` if the metadata lists it or lists no
            method, and ``client_secret_post`` if only that is listed. A client without either says
            ``none``: a secret that got lost would else make a public client.
        scope: what a login asks for unless it says otherwise.
        registration: the client's registration in full, in place of the other settings of the
            client, except secret and keys. Settings that are given in addition must agree with it.
        metadata: the provider's metadata, where it is given by hand and not discovered.
        discovery_url: where the metadata lies, if not below the issuer.
        metadata_overrides: members that correct the provider's document by name, as in
            ``{"code_challenge_methods_supported": ["S256"]}``; ``None`` removes one.
        metadata_max_age: seconds after which a client reads the provider's metadata again: a minute
            to 30 days, a day by default.
        response_iss: ``required`` declares that the provider names itself in every authorization
            response with a code; see :class:`~oidc_core.model.client.ClientRegistration`.
        connection_id: tells connections to the same provider apart.
        policy: what is accepted.

    Raises:
        UsageError: ``config_invalid``, or ``credential_missing`` without the credentials of the
            method, naming the setting.
    """

    issuer: str = ""
    issuer_rule: IssuerRule | None = None
    client_id: str = ""
    client_secret: Secret | None = field(default=None, repr=False)
    client_keys: Keys | None = None
    decryption_keys: tuple[DecryptionKey, ...] = field(default=(), converter=_in_order)
    redirect_uri: str = ""
    post_logout_redirect_uri: str = ""
    token_endpoint_auth_method: AuthMethod | None = None
    scope: str = "openid"
    registration: ClientRegistration | None = None
    metadata: ProviderMetadata | None = None
    discovery_url: str | None = None
    metadata_overrides: JsonObject = field(default=_EMPTY, converter=json_object)
    metadata_max_age: int = 86_400
    response_iss: ResponseIss = "as_announced"
    connection_id: str = ""
    policy: Policy = DEFAULT_POLICY

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        check_secret(self.client_secret)
        if not _MINUTE <= self.metadata_max_age <= _MONTH:
            found, expected = self.metadata_max_age, f"{_MINUTE} to {_MONTH} seconds"
            raise UsageError(
                "config_invalid", about="metadata_max_age", found=found, expected=expected
            )
        if self.registration is not None:
            _check_agreement(self, self.registration)
        if self.registration or self.client_id:  # otherwise they are only asked for the public keys
            client = self.registration or self._registration()
            check_credentials(client, secret=self.client_secret, keys=self.client_keys)
        if self.client_keys is None or not self.decryption_keys:
            return
        # A provider that looks for the key to encrypt with must not find the one that signs.
        signing = {key.get("kid") for key in self.client_keys.public_keys}
        both = tuple([key.kid for key in self.decryption_keys if key.kid in signing])
        if both:
            raise UsageError("config_invalid", found=both, about="kid")

    def __reduce__(self) -> NoReturn:
        message = "settings hold a client secret and are not pickled"
        raise TypeError(message)

    def relying_party(self) -> RelyingParty:
        """Return the relying party, with metadata only if it was given by hand.

        Raises:
            UsageError: naming the setting that is missing or wrong.
        """
        rule = self.issuer_rule or IssuerRule.exact(self.issuer)
        if self.issuer and not rule.in_response(self.issuer):
            raise _contradiction("issuer", self.issuer, rule.accepted)
        client = self.registration or self._registration()
        owner = (rule.canonical, client.client_id)
        secrets = {} if self.client_secret is None else {owner: self.client_secret}
        return RelyingParty(
            provider=self.metadata or ProviderMetadata(issuer=rule.canonical),
            client=client,
            verifier=CryptographyVerifier(secrets),
            decrypter=ClientDecrypter(*self.decryption_keys, client_secrets=secrets),
            policy=self.policy,
            issuer_rule=rule,
            discovery_url=self.discovery_url,
            metadata_overrides=self.metadata_overrides,
        )

    def on_loopback(self) -> "ClientSetup":
        """Return these settings for development: the provider may speak plain http on loopback.

        Raises:
            UsageError: ``config_invalid`` for a redirect URI of another host.
        """
        client = self.registration or self._registration()
        for uri in client.redirect_uris:
            if "://" not in uri or not parse_url(uri, about="redirect_uri", http=True).is_loopback:
                expected = "a redirect URI on loopback, in development"
                raise UsageError(
                    "config_invalid", about="redirect_uri", found=uri, expected=expected
                )
        quirks = self.policy.quirks | {"insecure_allow_http_loopback"}
        return evolve(self, policy=evolve(self.policy, quirks=quirks))

    def credentials(self, rp: RelyingParty) -> Credentials:
        """Return the credentials, for the endpoints of the discovered metadata."""
        return Credentials(credentials_for(rp, secret=self.client_secret, keys=self.client_keys))

    def public_jwks(self) -> JsonObject:
        """Return the client's JWK Set, for its ``jwks_uri`` or its registration."""
        signing = () if self.client_keys is None else self.client_keys.public_keys
        return JsonObject({"keys": (*signing, *[key.public_jwk() for key in self.decryption_keys])})

    def _registration(self) -> ClientRegistration:
        if not self.redirect_uri:
            raise UsageError("config_invalid", about="redirect_uri", expected="a URL")
        method, keys = self._auth_method(), self.client_keys
        alg = keys.newest.alg if keys is not None and method == "private_key_jwt" else None
        after_logout = self.post_logout_redirect_uri
        return ClientRegistration(
            client_id=self.client_id,
            redirect_uris=(self.redirect_uri,),
            post_logout_redirect_uris=(after_logout,) if after_logout else (),
            token_endpoint_auth_method=method,
            token_endpoint_auth_signing_alg=alg,
            scope=self.scope,
            response_iss=self.response_iss,
            connection_id=self.connection_id,
        )

    def _auth_method(self) -> AuthMethod | None:
        """Return the method; how a secret is sent is left to the metadata (``None``)."""
        if self.token_endpoint_auth_method is not None:
            return self.token_endpoint_auth_method
        if self.client_keys is not None:
            return "private_key_jwt"
        if self.client_secret is not None:
            return None
        expected = 'a secret, or keys, or token_endpoint_auth_method="none" for a public client'
        raise UsageError("credential_missing", about="client_secret", expected=expected)


_FIELDS: Final = fields_of(ClientSetup)
_DEFAULTS: Final = fields_dict(ClientSetup)


def _check_agreement(setup: ClientSetup, client: ClientRegistration) -> None:
    """Refuse a setting that differs from the registration, which would be used in its place."""
    for name, registered in (
        ("client_id", (client.client_id,)),
        ("redirect_uri", client.redirect_uris),
        ("post_logout_redirect_uri", client.post_logout_redirect_uris),
        ("token_endpoint_auth_method", (client.token_endpoint_auth_method,)),
        ("scope", (client.scope,)),
        ("response_iss", (client.response_iss,)),
        ("connection_id", (client.connection_id,)),
    ):
        value = getattr(setup, name)
        if value != _DEFAULTS[name].default and value not in registered:
            raise _contradiction(name, value, registered)


def _contradiction(name: str, found: str, allowed: Iterable[str | None]) -> UsageError:
    expected = tuple(sorted(filter(None, allowed)))
    return UsageError("config_invalid", about=name, found=found, expected=expected)
