"""The relying party: client, provider, policy and the two ports, as one frozen value."""

from hashlib import sha256
from typing import Final, cast

from attrs import AttrsInstance, Factory, evolve, field, fields, frozen

from oidc_core.jose.jwe import Decrypter
from oidc_core.jose.jws import Encryption, SignatureVerifier
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy, Terms
from oidc_core.model.provider import IssuerRule, ProviderMetadata, check_authorization_endpoint
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import KeysWanted
from oidc_core.wire.urls import parse_issuer, parse_url

_DEFAULT_ALGORITHMS: Final = frozenset({"RS256"})
_WITH_ASSERTION: Final = frozenset({"client_secret_jwt", "private_key_jwt"})


def _exact_issuer(rp: "RelyingParty") -> IssuerRule:
    return IssuerRule.exact(rp.provider.issuer)


def _issuer(rp: "RelyingParty") -> str:
    return rp.issuer_rule.canonical


def _digest(rp: "RelyingParty") -> str:
    parts = (
        rp.provider.endpoints_digest,
        *_terms_of(rp.issuer_rule),
        *_terms_of(rp.client),
        *_terms_of(rp.policy),
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


def _endpoints_digest(rp: "RelyingParty") -> str:
    return rp.provider.endpoints_digest


def _id_token_algorithms(rp: "RelyingParty") -> frozenset[str]:
    registered = rp.client.id_token_signed_response_alg
    if registered is not None:
        return frozenset({registered})
    advertised = rp.provider.id_token_signing_alg_values_supported
    if not advertised:
        return _DEFAULT_ALGORITHMS & rp.policy.algorithms
    return rp.policy.algorithms & frozenset(advertised)


def _id_token_encryption(rp: "RelyingParty") -> Encryption | None:
    return rp.client.id_token_encryption


def _userinfo_encryption(rp: "RelyingParty") -> Encryption | None:
    return rp.client.userinfo_encryption


def _insecure_http(rp: "RelyingParty") -> bool:
    return "insecure_allow_http_loopback" in rp.policy.quirks


def _keys_wanted(rp: "RelyingParty") -> tuple[KeysWanted, KeysWanted] | None:
    if rp.provider.jwks_uri is None:
        return None
    solicited = KeysWanted(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        jwks_uri=rp.provider.jwks_uri,
        max_age=rp.policy.key_set_max_age,
        source="solicited",
    )
    return solicited, evolve(solicited, source="unsolicited")


def _terms(rp: "RelyingParty") -> Terms:
    policy = rp.policy
    quirks = tuple(sorted(policy.quirks))
    return Terms(policy=policy.name, leeway=policy.leeway, relaxations=quirks)


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
        endpoints_digest: the same of issuer and endpoints alone, for logins in flight.
        id_token_algorithms: what an ID token may be signed with: the registered algorithm; else
            what both the policy and the provider name; RS256 if the provider names nothing.
        id_token_encryption, userinfo_encryption: how ID tokens and UserInfo are encrypted, ``None``
            where that was not registered.
        insecure_http: whether the policy lets http pass on loopback.
        keys_wanted: the wishes for the provider's key set, ``solicited`` and ``unsolicited``;
            ``None`` without a ``jwks_uri``.
        terms: what evidence says of the policy.
    """

    provider: ProviderMetadata
    client: ClientRegistration
    verifier: SignatureVerifier = field(repr=False, eq=False)
    decrypter: Decrypter | None = field(default=None, repr=False, eq=False)
    policy: Policy = DEFAULT_POLICY
    issuer_rule: IssuerRule = field(default=Factory(_exact_issuer, takes_self=True))
    issuer: str = field(init=False, default=Factory(_issuer, takes_self=True))
    digest: str = field(init=False, default=Factory(_digest, takes_self=True))
    endpoints_digest: str = field(init=False, default=Factory(_endpoints_digest, takes_self=True))
    id_token_algorithms: frozenset[str] = field(
        init=False, default=Factory(_id_token_algorithms, takes_self=True)
    )
    id_token_encryption: Encryption | None = field(
        init=False, default=Factory(_id_token_encryption, takes_self=True)
    )
    userinfo_encryption: Encryption | None = field(
        init=False, default=Factory(_userinfo_encryption, takes_self=True)
    )
    insecure_http: bool = field(init=False, default=Factory(_insecure_http, takes_self=True))
    keys_wanted: tuple[KeysWanted, KeysWanted] | None = field(
        init=False, repr=False, eq=False, default=Factory(_keys_wanted, takes_self=True)
    )
    terms: Terms = field(init=False, default=Factory(_terms, takes_self=True))

    def __attrs_post_init__(self) -> None:
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

    def _check_decrypter(self) -> None:
        for encryption in (self.id_token_encryption, self.userinfo_encryption):
            if encryption is None:
                continue
            if self.decrypter is None:
                raise UsageError("config_invalid", expected="a decrypter", about="decrypter")
            self.decrypter.check(self.issuer, self.client.client_id, encryption)


def assertion_audience(rp: RelyingParty) -> str:
    """Return the audience of client assertions: the issuer, or the token endpoint by a quirk.

    Raises:
        UsageError: ``config_invalid`` where several tenants are let in and the metadata names none
            of them, so that there is no one issuer; ``unsupported_by_provider`` without a token
            endpoint that the quirk asks for.
    """
    if "assertion_audience_token_endpoint" in rp.policy.quirks:
        return endpoint(rp, "token_endpoint")
    audience = rp.issuer_rule.audience(rp.provider.issuer)
    if audience is None:
        expected = "one tenant, or the quirk assertion_audience_token_endpoint"
        raise UsageError(
            "config_invalid", found=rp.provider.issuer, expected=expected, about="issuer_rule"
        )
    return audience


def endpoint(rp: RelyingParty, name: str) -> str:
    """Return one of the provider's endpoints.

    Raises:
        UsageError: ``unsupported_by_provider`` if the metadata does not have it.
    """
    url: str | None = getattr(rp.provider, name)
    if url is None:
        raise UsageError("unsupported_by_provider", about=name)
    return url
