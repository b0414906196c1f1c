"""The relying party: client, provider, policy and the two ports, as one frozen value."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from attrs import Factory, evolve, field, fields, frozen

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jwe import Decrypter
from oidc_core.jose.jws import SignatureVerifier
from oidc_core.model.client import AuthMethod, ClientRegistration
from oidc_core.model.connection import Connection
from oidc_core.model.digests import short_digest, written_fields
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.network import (
    Network,
    Target,
    admitted_url,
    network_of,
    targets_of,
    way_of,
)
from oidc_core.model.origins import named_in_evidence
from oidc_core.model.policy import DEFAULT_POLICY, Policy, Terms
from oidc_core.model.protection import Protection, protection_of
from oidc_core.model.provider import ProviderMetadata, check_authorization_endpoint, check_overrides
from oidc_core.model.supported import auth_method_of, check_supported
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import KeysWanted, Source
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.settings import as_setting, check_fields, fields_of, json_object
from oidc_core.wire.urls import origin_of, parse_issuer
from oidc_core.wire.way import CHANNELS, Channel

_EMPTY: Final = JsonObject({})
_WITH_ASSERTION: Final = frozenset({"client_secret_jwt", "private_key_jwt"})


def _exact_issuer(rp: "RelyingParty") -> IssuerRule:
    return IssuerRule.exact(rp.provider.issuer)


def _issuer(rp: "RelyingParty") -> str:
    return rp.issuer_rule.canonical


def _overrides(value: Mapping[str, object]) -> JsonObject:
    """Freeze what corrects the metadata, in one order: two that are equal are written alike."""
    members = as_setting(json_object(value), JsonObject, "metadata_overrides")
    return JsonObject(dict(sorted(members.items())))


def _discovery_url(value: str | None) -> str | None:
    return as_setting(value, str | None, "discovery_url")


def _digest(rp: "RelyingParty") -> str:
    parts = (
        rp.provider.issuer,
        *[f"{name} {url}" for name, url in rp.provider.endpoints],
        *written_fields(rp.issuer_rule),
        *written_fields(rp.client),
        f"metadata_overrides {render(rp.metadata_overrides)}",
        f"{rp.policy.name} {rp.policy.digest}",
        f"discovery_url {rp.discovery_url}",
    )
    return short_digest(parts)


def _connection(rp: "RelyingParty") -> Connection:
    endpoints = rp.provider.endpoints_digest
    if rp.discovery_url is not None:  # which decides, too, where requests may go
        endpoints = short_digest([f"{endpoints} {origin_of(rp.discovery_url)}"])
    return Connection(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        connection_id=rp.client.connection_id,
        endpoints_digest=endpoints,
        policy_digest=rp.policy.digest,
    )


def _provider(value: ProviderMetadata) -> ProviderMetadata:
    return as_setting(value, ProviderMetadata, "provider")


def _client(value: ClientRegistration) -> ClientRegistration:
    return as_setting(value, ClientRegistration, "client")


def _policy(value: Policy) -> Policy:
    return as_setting(value, Policy, "policy")


def _rule(value: IssuerRule) -> IssuerRule:
    return as_setting(value, IssuerRule, "issuer_rule")


def _protection(rp: "RelyingParty") -> Mapping[str, Protection]:
    return protection_of(rp.provider, rp.client, rp.policy)


def _auth_method(rp: "RelyingParty") -> AuthMethod:
    return auth_method_of(rp.provider, rp.client, rp.auth_method_before)


def _answers_by_query(rp: "RelyingParty") -> bool:
    modes = rp.provider.response_modes_supported
    return not modes or "query" in modes


def _expects_iss(rp: "RelyingParty") -> bool:
    announced = rp.provider.authorization_response_iss_parameter_supported
    return announced or rp.client.response_iss == "required"


def _response_remarks(rp: "RelyingParty") -> tuple[str, ...]:
    announced = rp.provider.authorization_response_iss_parameter_supported
    return () if announced or not rp.expects_iss else ("the metadata does not announce iss",)


def _network(rp: "RelyingParty") -> Network:
    return network_of(rp.policy, {*rp.issuer_rule.origins, origin_of(rp.discovery_url or "")})


def _targets(rp: "RelyingParty") -> Mapping[str, Target]:
    return targets_of(rp.network, rp.provider.endpoints)


def _keys_wanted(rp: "RelyingParty") -> Mapping[Source, KeysWanted]:
    keys = rp.targets.get("jwks_uri")
    if keys is None:
        return MappingProxyType({})
    solicited = KeysWanted(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        jwks_uri=keys.url,
        max_age=rp.policy.key_set_max_age,
        source="solicited",
        way=keys.way,
        limits=rp.policy.limits,
    )
    unsolicited = evolve(solicited, source="unsolicited")
    return MappingProxyType({"solicited": solicited, "unsolicited": unsolicited})


def _lacking(rp: "RelyingParty") -> str:
    needed = ["authorization_endpoint", "token_endpoint"]
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
    overridden = [f"metadata_overrides: {name}" for name in sorted(rp.metadata_overrides.members)]
    origins = named_in_evidence(policy.origins)
    return Terms(
        policy=policy.name,
        policy_digest=policy.digest,
        leeway=policy.leeway,
        relaxations=(*sorted(policy.quirks), *origins, *overridden),
        discovery=rp.discovered_by,
        metadata_notes=rp.provider.notes,
    )


def _terms_over(rp: "RelyingParty") -> Mapping[Channel | None, Terms]:
    terms = {channel: rp.terms._replace(channel=channel) for channel in CHANNELS}
    return MappingProxyType({None: rp.terms, **terms})


@frozen(kw_only=True)
class RelyingParty:
    """One client at one provider. Each derived value here is derived once.

    It keeps no data of a user, so one value serves all logins at the same time.

    Attributes:
        provider: the provider's metadata.
        client: the client's registration.
        verifier: verifies signatures.
        decrypter: decrypts tokens; ``None`` if the client registered no encryption.
        policy: what is accepted.
        issuer_rule: how the issuer is recognised; exactly ``provider.issuer`` by default.
        discovery_url: where the metadata lies, if not below the issuer.
        metadata_overrides: members that correct the provider's document by name, as in
            ``{"code_challenge_methods_supported": ["S256"]}``; ``None`` removes one.  ``issuer`` is
            not among them.  Evidence names them.
        discovered_by: how the metadata came, if it was discovered.
        auth_method_before: what the metadata before this one had :attr:`auth_method` be.
        issuer: the provider's identity.
        digest: a short digest of issuer rule, registration, endpoints, policy and discovery URL.
            Each step carries it, so that no step is resumed with another relying party.
        connection: the connection of a login in flight.
        protection: the protection of each kind of JWT, by the prefix of the registration's members
            about it. For an ID token that is the registered algorithm, or the algorithms that both
            policy and provider name, or RS256 if the provider names no algorithm.
        auth_method: how the client authenticates: as it is registered. Without that,
            ``client_secret_basic`` if the metadata lists it or lists no method, and
            ``client_secret_post`` otherwise. A chosen method stays while it is listed.
        answers_by_query: whether the metadata lets a response come in the query of its URL, as it
            does for a request that names no ``response_mode``.
        expects_iss: whether a response that carries a code has to name its issuer.
        response_remarks: the note about that in the evidence.
        network: where requests may go; the origins of the issuer and of ``discovery_url`` are
            named, unless the policy exempts nobody.
        targets: the provider's endpoints by their names in the metadata, each with the way there.
        keys_wanted: the wishes for the provider's key set, for ``solicited`` tokens and for others;
            empty without a ``jwks_uri``.
        lacking: what every login needs in the end and the metadata does not name, as in
            ``token_endpoint``; empty if there is nothing.
        terms: the policy as evidence names it.
        terms_over: the same for the content of an answer, by its channel.
    """

    provider: ProviderMetadata = field(converter=_provider)
    client: ClientRegistration = field(converter=_client)
    verifier: SignatureVerifier = field(repr=False, eq=False)
    decrypter: Decrypter | None = field(default=None, repr=False, eq=False)
    policy: Policy = field(default=DEFAULT_POLICY, converter=_policy)
    issuer_rule: IssuerRule = field(
        default=Factory(_exact_issuer, takes_self=True), converter=_rule
    )
    discovery_url: str | None = field(default=None, converter=_discovery_url)
    metadata_overrides: JsonObject = field(default=_EMPTY, converter=_overrides)
    discovered_by: Channel | None = field(default=None, eq=False)
    auth_method_before: AuthMethod | None = field(default=None, eq=False)
    issuer: str = field(init=False, default=Factory(_issuer, takes_self=True))
    digest: str = field(init=False, default=Factory(_digest, takes_self=True))
    connection: Connection = field(init=False, default=Factory(_connection, takes_self=True))
    protection: Mapping[str, Protection] = field(
        init=False, repr=False, eq=False, default=Factory(_protection, takes_self=True)
    )
    auth_method: AuthMethod = field(init=False, default=Factory(_auth_method, takes_self=True))
    answers_by_query: bool = field(init=False, default=Factory(_answers_by_query, takes_self=True))
    expects_iss: bool = field(init=False, default=Factory(_expects_iss, takes_self=True))
    response_remarks: tuple[str, ...] = field(
        init=False, repr=False, default=Factory(_response_remarks, takes_self=True)
    )
    network: Network = field(
        init=False, repr=False, eq=False, default=Factory(_network, takes_self=True)
    )
    targets: Mapping[str, Target] = field(
        init=False, repr=False, eq=False, default=Factory(_targets, takes_self=True)
    )
    keys_wanted: Mapping[Source, KeysWanted] = field(
        init=False, repr=False, eq=False, default=Factory(_keys_wanted, takes_self=True)
    )
    lacking: str = field(init=False, default=Factory(_lacking, takes_self=True))
    terms: Terms = field(init=False, eq=False, default=Factory(_terms, takes_self=True))
    terms_over: Mapping[Channel | None, Terms] = field(
        init=False, repr=False, eq=False, default=Factory(_terms_over, takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        issuer = self.client.issuer
        if issuer is not None and issuer != self.issuer_rule.canonical:
            expected = self.issuer_rule.canonical
            raise UsageError("client_issuer_mismatch", found=issuer, expected=expected)
        self._check_issuer(self.issuer_rule.example)
        if not self.issuer_rule.pattern:
            self._check_issuer(self.provider.issuer)
        if not self.issuer_rule.in_metadata(self.provider.issuer):
            raise UsageError("issuer_not_allowed", found=self.provider.issuer)
        if self.discovery_url is not None:
            admitted_url(self.network, self.discovery_url, about="discovery_url")
        for name, url in self.provider.endpoints:
            way_of(self.network, url, about=name)
        check_authorization_endpoint(self.provider)
        self._check_overrides()
        check_supported(
            self.provider,
            self.client,
            self.policy,
            method=self.auth_method,
            protection=self.protection["id_token"],
        )
        if self.auth_method in _WITH_ASSERTION and self.provider.token_endpoint:
            assertion_audience(self)
        self._check_credentials()

    def with_metadata(self, metadata: ProviderMetadata, channel: Channel) -> "RelyingParty":
        """Return the same client with metadata that was discovered just now.

        Raises:
            UsageError: ``unsupported_by_provider`` for a setting that the metadata rules out.
        """
        before = self.auth_method if self.discovered else self.auth_method_before
        return evolve(self, provider=metadata, discovered_by=channel, auth_method_before=before)

    @property
    def discovered(self) -> bool:
        """Whether the metadata came from discovery, and not by hand."""
        return self.discovered_by is not None

    def __reduce__(self) -> "tuple[Callable[[], RelyingParty], tuple[()]]":
        """Copy and pickle the parts it was built of; derived values are derived again."""
        given = {each.name: getattr(self, each.name) for each in fields(RelyingParty) if each.init}
        return partial(RelyingParty, **given), ()

    def _check_overrides(self) -> None:
        if self.metadata_overrides.members:
            check_overrides(self.metadata_overrides, network=self.network)
            if self.provider.endpoints and not self.discovered:
                # Evidence would name what had no effect: correct metadata made by hand itself.
                about, expected = "metadata_overrides", "discovered metadata"
                raise UsageError("config_invalid", about=about, expected=expected)

    def _check_issuer(self, issuer: str) -> None:
        network = self.network
        parse_issuer(issuer, http=network.loopback_http, http_origins=network.http_origins)
        admitted_url(network, issuer, about="issuer")

    def _check_credentials(self) -> None:
        """Refuse MACs and encryption that this client has no secret or key for."""
        for algorithms, encryption in self.protection.values():
            for alg in algorithms & HMAC:
                self.verifier.check_mac(self.issuer, self.client.client_id, alg)
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
    """Return the audience of JWTs that the client signs for the authorization server: the issuer.

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


def target(rp: RelyingParty, name: str) -> Target:
    """Return one of the provider's endpoints for a request of the library's own.

    Raises:
        UsageError: ``unsupported_by_provider`` if the metadata does not have it.
    """
    try:
        return rp.targets[name]
    except KeyError:
        raise UsageError("unsupported_by_provider", about=name) from None


def check_keys(rp: RelyingParty) -> None:
    """Refuse to ask for an ID token that could not be verified.

    Raises:
        UsageError: ``unsupported_by_provider`` without a ``jwks_uri``, where one is needed.
    """
    if rp.provider.jwks_uri is None and _signed_by_provider(rp, "id_token"):
        raise UsageError("unsupported_by_provider", about="jwks_uri")


def endpoint(rp: RelyingParty, name: str) -> str:
    """Return one of the provider's endpoints, for the browser or as a name.

    Raises:
        UsageError: ``unsupported_by_provider`` if the metadata does not have it.
    """
    url: str | None = getattr(rp.provider, name)
    if url is None:
        raise UsageError("unsupported_by_provider", about=name)
    return url
