"""The relying party: client, provider, policy and the two ports, as one frozen value."""

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from attrs import AttrsInstance, Factory, evolve, field, fields, frozen

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jwe import Decrypter
from oidc_core.jose.jws import Encryption, SignatureVerifier
from oidc_core.model.client import REGISTERED, ClientRegistration
from oidc_core.model.connection import Connection
from oidc_core.model.policy import DEFAULT_POLICY, Policy, Terms
from oidc_core.model.provider import IssuerRule, ProviderMetadata, check_authorization_endpoint
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import KeysWanted, Source
from oidc_core.wire.settings import check_fields, check_kind, fields_of
from oidc_core.wire.urls import parse_issuer, parse_url

_DEFAULT_ALGORITHMS: Final = frozenset({"RS256"})
_UNSIGNED: Final = frozenset({"userinfo"})
"""What is not signed unless that was registered."""

_WITH_ASSERTION: Final = frozenset({"client_secret_jwt", "private_key_jwt"})


def _exact_issuer(rp: "RelyingParty") -> IssuerRule:
    return IssuerRule.exact(rp.provider.issuer)


def _issuer(rp: "RelyingParty") -> str:
    return rp.issuer_rule.canonical


def _digest(rp: "RelyingParty") -> str:
    parts = (
        rp.provider.issuer,
        *[f"{name} {url}" for name, url in rp.provider.endpoints],
        *_terms_of(rp.issuer_rule),
        *_terms_of(rp.client),
        f"{rp.policy.name} {rp.policy.digest}",
    )
    return sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _terms_of(value: AttrsInstance) -> list[str]:
    """Write the fields of a value down, the same in every process."""
    named: list[str] = []
    for attribute in fields(type(value)):
        held: object = getattr(value, attribute.name)
        shown = (
            sorted(map(str, cast("frozenset[object]", held)))
            if isinstance(held, frozenset)
            else held
        )
        named.append(f"{attribute.name} {shown}")
    return named


def _connection(rp: "RelyingParty") -> Connection:
    return Connection(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        connection_id=rp.client.connection_id,
        endpoints_digest=rp.provider.endpoints_digest,
        policy_digest=rp.policy.digest,
    )


def _provider(value: ProviderMetadata) -> ProviderMetadata:
    check_kind(value, ProviderMetadata, about="provider", code="config_invalid")
    return value


def _client(value: ClientRegistration) -> ClientRegistration:
    check_kind(value, ClientRegistration, about="client", code="config_invalid")
    return value


def _policy(value: Policy) -> Policy:
    check_kind(value, Policy, about="policy", code="config_invalid")
    return value


def _rule(value: IssuerRule) -> IssuerRule:
    check_kind(value, IssuerRule, about="issuer_rule", code="config_invalid")
    return value


class Protection(NamedTuple):
    """How one kind of JWT is protected: what it may be signed with, and how it is encrypted.

    Without algorithms it is not signed.
    """

    algorithms: frozenset[str]
    encryption: Encryption | None


def _protection(rp: "RelyingParty") -> Mapping[str, Protection]:
    return MappingProxyType(
        {
            name: Protection(_algorithms(rp, name), rp.client.encrypted_with(name))
            for name in REGISTERED
        }
    )


def _algorithms(rp: "RelyingParty", registered_as: str) -> frozenset[str]:
    registered = rp.client.signed_with(registered_as)
    if registered is not None:
        return frozenset({registered})
    if registered_as in _UNSIGNED:
        return frozenset()
    advertised: tuple[str, ...] = getattr(
        rp.provider, f"{registered_as}_signing_alg_values_supported"
    )
    if not advertised:
        return _DEFAULT_ALGORITHMS & rp.policy.algorithms
    return rp.policy.algorithms & frozenset(advertised)


def _insecure_http(rp: "RelyingParty") -> bool:
    return "insecure_allow_http_loopback" in rp.policy.quirks


def _keys_wanted(rp: "RelyingParty") -> Mapping[Source, KeysWanted]:
    if rp.provider.jwks_uri is None:
        return MappingProxyType({})
    solicited = KeysWanted(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        jwks_uri=rp.provider.jwks_uri,
        max_age=rp.policy.key_set_max_age,
        source="solicited",
        verified_channel=rp.policy.require_verified_channel,
    )
    unsolicited = evolve(solicited, source="unsolicited")
    return MappingProxyType({"solicited": solicited, "unsolicited": unsolicited})


def _lacking(rp: "RelyingParty") -> str:
    needed = ["token_endpoint"]
    if rp.policy.userinfo == "required":
        needed.append("userinfo_endpoint")
    asked = rp.policy.userinfo != "never" and rp.provider.userinfo_endpoint is not None
    if _signed_by_provider(rp, "id_token") or (asked and _signed_by_provider(rp, "userinfo")):
        needed.append("jwks_uri")
    return next((name for name in needed if getattr(rp.provider, name) is None), "")


def _signed_by_provider(rp: "RelyingParty", registered_as: str) -> bool:
    """Return whether a key of the provider is needed, and not only the client's secret."""
    return not rp.protection[registered_as].algorithms <= HMAC


def _terms(rp: "RelyingParty") -> Terms:
    policy = rp.policy
    quirks = tuple(sorted(policy.quirks))
    return Terms(
        policy=policy.name,
        policy_digest=policy.digest,
        leeway=policy.leeway,
        relaxations=quirks,
    )


@frozen(kw_only=True)
class RelyingParty:
    """One client at one provider.  All that is derived here is derived once.

    Nothing of any user is kept in it, so one value serves all logins at the same time.

    Attributes:
        provider: the provider's metadata.
        client: the client's registration.
        verifier: verifies signatures.
        decrypter: decrypts what the client registered as encrypted, if it did.
        policy: what is accepted.
        issuer_rule: how the issuer is recognised; exactly ``provider.issuer`` by default.
        issuer: the provider's identity.
        digest: a short digest of issuer rule, registration, endpoints and policy.  Each step
            carries it, so that no step is resumed with another relying party.
        connection: what a login in flight is bound to.
        protection: how each kind of JWT is protected, by what the registration's members about it
            start with.  An ID token is signed with the registered algorithm; else with what both
            the policy and the provider name; with RS256 if the provider names nothing.
        insecure_http: whether the policy lets http pass on loopback.
        keys_wanted: what is asked for the provider's key set with, for ``solicited`` tokens and for
            others; nothing without a ``jwks_uri``.
        lacking: what every login needs in the end and the metadata does not name, as in
            ``token_endpoint``; empty if there is nothing.
        terms: what evidence says of the policy.
    """

    provider: ProviderMetadata = field(converter=_provider)
    client: ClientRegistration = field(converter=_client)
    verifier: SignatureVerifier = field(repr=False, eq=False)
    decrypter: Decrypter | None = field(default=None, repr=False, eq=False)
    policy: Policy = field(default=DEFAULT_POLICY, converter=_policy)
    issuer_rule: IssuerRule = field(
        default=Factory(_exact_issuer, takes_self=True), converter=_rule
    )
    issuer: str = field(init=False, default=Factory(_issuer, takes_self=True))
    digest: str = field(init=False, default=Factory(_digest, takes_self=True))
    connection: Connection = field(init=False, default=Factory(_connection, takes_self=True))
    protection: Mapping[str, Protection] = field(
        init=False, repr=False, eq=False, default=Factory(_protection, takes_self=True)
    )
    insecure_http: bool = field(init=False, default=Factory(_insecure_http, takes_self=True))
    keys_wanted: Mapping[Source, KeysWanted] = field(
        init=False, repr=False, eq=False, default=Factory(_keys_wanted, takes_self=True)
    )
    lacking: str = field(init=False, default=Factory(_lacking, takes_self=True))
    terms: Terms = field(init=False, default=Factory(_terms, takes_self=True))

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        issuer = self.client.issuer
        if issuer is not None and issuer != self.issuer_rule.canonical:
            expected = self.issuer_rule.canonical
            raise UsageError("client_issuer_mismatch", found=issuer, expected=expected)
        parse_issuer(self.issuer_rule.example, http=self.insecure_http)
        if not self.issuer_rule.pattern:
            parse_issuer(self.provider.issuer, http=self.insecure_http)
        if not self.issuer_rule.in_metadata(self.provider.issuer):
            raise UsageError("issuer_not_allowed", found=self.provider.issuer)
        for name, url in self.provider.endpoints:
            parse_url(url, about=name, http=self.insecure_http)
        check_authorization_endpoint(self.provider)
        if (
            self.client.token_endpoint_auth_method in _WITH_ASSERTION
            and self.provider.token_endpoint
        ):
            assertion_audience(self)
        self._check_decrypter()

    def __reduce__(self) -> "tuple[Callable[[], RelyingParty], tuple[()]]":
        """Copy and pickle what it was built of; what is derived is derived again."""
        given = {each.name: getattr(self, each.name) for each in fields(RelyingParty) if each.init}
        return partial(RelyingParty, **given), ()

    def _check_decrypter(self) -> None:
        for _, encryption in self.protection.values():
            if encryption is None:
                continue
            if self.decrypter is None:
                raise UsageError("config_invalid", expected="a decrypter", about="decrypter")
            self.decrypter.check(self.issuer, self.client.client_id, encryption)


_FIELDS: Final = fields_of(RelyingParty)


def assertion_audience(rp: RelyingParty) -> str:
    """Return the audience of client assertions: the issuer, or the token endpoint by a quirk.

    Raises:
        UsageError: ``config_invalid`` where several tenants are let in and the metadata names none
            of them, so that there is no one issuer; ``unsupported_by_provider`` without a token
            endpoint that the quirk asks for.
    """
    if "assertion_audience_token_endpoint" in rp.policy.quirks:
        return endpoint(rp, "token_endpoint")
    return issuer_audience(rp)


def issuer_audience(rp: RelyingParty) -> str:
    """Return the audience of what the client signs for the authorization server: the issuer.

    Raises:
        UsageError: ``config_invalid`` as :func:`assertion_audience`.
    """
    audience = rp.issuer_rule.audience(rp.provider.issuer)
    if audience is None:
        expected = "one tenant, or the quirk assertion_audience_token_endpoint"
        raise UsageError(
            "config_invalid", found=rp.provider.issuer, expected=expected, about="issuer_rule"
        )
    return audience


def check_keys(rp: RelyingParty) -> None:
    """Refuse to ask for an ID token that could not be verified.

    Raises:
        UsageError: ``unsupported_by_provider`` without a ``jwks_uri``, where one is needed.
    """
    if rp.provider.jwks_uri is None and _signed_by_provider(rp, "id_token"):
        raise UsageError("unsupported_by_provider", about="jwks_uri")


def endpoint(rp: RelyingParty, name: str) -> str:
    """Return one of the provider's endpoints.

    Raises:
        UsageError: ``unsupported_by_provider`` if the metadata does not have it.
    """
    url: str | None = getattr(rp.provider, name)
    if url is None:
        raise UsageError("unsupported_by_provider", about=name)
    return url
