"""The relying party: what is derived once, and what does not fit together."""

import copy
import pickle
from typing import Any

import pytest
from attrs import evolve, frozen

from oidc_adapters.crypto import CryptographyVerifier
from oidc_core.jose.algorithms import ASYMMETRIC, OPTIONAL
from oidc_core.jose.jwe import Jwe
from oidc_core.jose.jws import Encryption
from oidc_core.model.client import AuthMethod
from oidc_core.model.connection import Connection
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.network import Target
from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import DEFAULT_POLICY, Policy, Terms
from oidc_core.model.protection import Protection
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import (
    RelyingParty,
    assertion_audience,
    endpoint,
    target,
)
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import KeysWanted, Source
from oidc_core.wire.way import CHANNELS, Channel, Way
from tests.unit.parties import CLIENT, ISSUER, PROVIDER, Believer, relying_party, with_quirks

SOURCES: tuple[Source, ...] = ("solicited", "unsolicited")
TEMPLATE = "https://login.example/{tenantid}/v2.0"


def refusal(provider: ProviderMetadata = PROVIDER, **changes: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        evolve(relying_party(), provider=provider, **changes)
    return caught.value


def algorithms_of(rp: RelyingParty, kind: str = "id_token") -> frozenset[str]:
    return rp.protection[kind].algorithms


def advertising(*algs: str) -> ProviderMetadata:
    return evolve(PROVIDER, id_token_signing_alg_values_supported=algs)


# --- what fits together --------------------------------------------------------------------------


def test_the_issuer_is_the_providers_own_unless_a_rule_says_otherwise() -> None:
    assert relying_party().issuer == ISSUER
    assert relying_party().issuer_rule == IssuerRule.exact(ISSUER)
    rule = IssuerRule.one_of("https://accounts.example", ISSUER)
    assert evolve(relying_party(), issuer_rule=rule).issuer == "https://accounts.example"


@pytest.mark.parametrize("issuer", [ISSUER + "/", "https://evil.example", "https://OP.example", ""])
def test_a_registration_is_used_with_its_own_issuer_only(issuer: str) -> None:
    error = refusal(client=evolve(CLIENT, issuer=issuer))
    assert (error.code, error.found, error.expected) == ("client_issuer_mismatch", issuer, ISSUER)
    bound = evolve(CLIENT, issuer=ISSUER)
    assert evolve(relying_party(), client=bound).client == bound


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ("http://op.example", "url_scheme_not_allowed"),
        ("http://localhost", "url_scheme_not_allowed"),
        ("http://127.0.0.1:8080", "url_scheme_not_allowed"),
        ("https://op.example?a", "issuer_invalid"),
        ("https://op.example#a", "issuer_invalid"),
        ("https://u@op.example", "url_userinfo_not_allowed"),
        ("op.example", "url_invalid"),
        ("", "url_invalid"),
    ],
)
def test_an_issuer_is_checked_when_it_is_configured(issuer: str, code: str) -> None:
    assert refusal(evolve(PROVIDER, issuer=issuer), issuer_rule=IssuerRule.exact(issuer)).code == (
        code
    )
    rule = IssuerRule.one_of(ISSUER, issuer)
    assert refusal(evolve(PROVIDER, issuer=issuer), issuer_rule=rule).code == code


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("http://login.example/{t}/", "url_scheme_not_allowed"),
        ("javascript:{t}", "url_invalid"),
        ("https://login.example/{t}?a", "issuer_invalid"),
        ("https://u:{t}@login.example/", "url_userinfo_not_allowed"),
    ],
)
def test_a_template_is_an_https_url_too(pattern: str, code: str) -> None:
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    assert refusal(evolve(PROVIDER, issuer=pattern), issuer_rule=rule).code == code


def test_a_template_fits_metadata_that_spells_it() -> None:
    rule = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1"}))
    rp = RelyingParty(
        provider=evolve(PROVIDER, issuer=TEMPLATE),
        client=CLIENT,
        verifier=Believer(),
        issuer_rule=rule,
    )
    assert rp.issuer == TEMPLATE


def test_metadata_of_another_issuer_does_not_fit() -> None:
    error = refusal(issuer_rule=IssuerRule.exact("https://other.example"))
    assert (error.code, error.found) == ("issuer_not_allowed", ISSUER)


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "end_session_endpoint"])
def test_metadata_made_by_hand_has_https_endpoints_too(name: str) -> None:
    moved: dict[str, Any] = {name: "http://op.example/x"}
    error = refusal(evolve(PROVIDER, **moved))
    assert (error.code, error.about) == ("url_scheme_not_allowed", name)


@pytest.mark.parametrize("name", ["state", "code_challenge_method", "%73tate"])
def test_metadata_made_by_hand_sets_no_parameter_of_the_protocol_either(name: str) -> None:
    query = f"{ISSUER}/authorize?tenant=1&{name}=x"
    with pytest.raises(ProtocolViolation) as caught:
        relying_party(evolve(PROVIDER, authorization_endpoint=query))
    error = caught.value
    assert (error.code, error.found) == ("metadata_endpoint_invalid", "parameter_reserved")
    assert error.about == "authorization_endpoint"
    relying_party(evolve(PROVIDER, authorization_endpoint=f"{ISSUER}/authorize?tenant=1"))


ONE_TENANT = "https://login.example/t1/v2.0"
RP = relying_party()
ASSERTING = evolve(CLIENT, token_endpoint_auth_method="private_key_jwt")
SEVERAL = IssuerRule.template(TEMPLATE, tenants=frozenset({"t1", "t2"}))


@pytest.mark.parametrize(
    ("rule", "named", "audience"),
    [
        (IssuerRule.exact(ISSUER), ISSUER, ISSUER),
        (IssuerRule.one_of(ISSUER, f"{ISSUER}/"), ISSUER, ISSUER),
        (IssuerRule.one_of(ISSUER, f"{ISSUER}/"), f"{ISSUER}/", f"{ISSUER}/"),
        (SEVERAL, ONE_TENANT, ONE_TENANT),
        (IssuerRule.template(TEMPLATE, tenants=frozenset({"t1"})), TEMPLATE, ONE_TENANT),
    ],
)
def test_assertions_are_for_the_configured_issuer_that_the_metadata_names(
    rule: IssuerRule, named: str, audience: str
) -> None:
    provider = evolve(PROVIDER, issuer=named)
    rp = evolve(RP, provider=provider, client=ASSERTING, issuer_rule=rule)
    assert assertion_audience(rp) == audience


@pytest.mark.parametrize("rule", [SEVERAL, IssuerRule.template(TEMPLATE, tenants=ANY_TENANT)])
@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt"])
def test_a_pattern_is_the_audience_of_no_assertion(rule: IssuerRule, method: AuthMethod) -> None:
    provider = evolve(PROVIDER, issuer=TEMPLATE)
    client = evolve(CLIENT, token_endpoint_auth_method=method)
    error = refusal(provider, client=client, issuer_rule=rule)
    assert (error.code, error.found, error.about) == ("config_invalid", TEMPLATE, "issuer_rule")
    evolve(RP, provider=provider, issuer_rule=rule)  # a secret needs no audience
    undiscovered = ProviderMetadata(issuer=TEMPLATE)
    evolve(RP, provider=undiscovered, client=client, issuer_rule=rule)
    quirky = with_quirks("assertion_audience_token_endpoint")
    rp = evolve(quirky, provider=provider, client=client, issuer_rule=rule)
    assert assertion_audience(rp) == f"{ISSUER}/token"


def test_http_on_loopback_is_a_quirk_with_a_name() -> None:
    local = ProviderMetadata(issuer="http://127.0.0.1:8080", jwks_uri="http://localhost/jwks")
    assert (
        refusal(local, issuer_rule=IssuerRule.exact(local.issuer)).code == "url_scheme_not_allowed"
    )
    quirk = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
    rp = relying_party(local, policy=quirk)
    assert rp.network.loopback_http
    assert not relying_party().network.loopback_http
    with pytest.raises(UsageError) as caught:
        relying_party(evolve(local, issuer="http://op.example"), policy=quirk)
    assert caught.value.code == "url_scheme_not_allowed"


# --- what is derived -----------------------------------------------------------------------------


@pytest.mark.req("OIDCC-2-15", "OIDCC-10.1-01", "RFC8725-3.1-01")
@pytest.mark.parametrize(
    ("advertised", "algorithms"),
    [
        ((), {"RS256"}),
        (("RS256",), {"RS256"}),
        (("none", "HS256", "ES256", "RS256", "XX"), {"ES256", "RS256"}),
        (tuple(ASYMMETRIC | OPTIONAL), ASYMMETRIC),
    ],
)
def test_algorithms_are_what_policy_and_provider_name(
    advertised: tuple[str, ...], algorithms: set[str]
) -> None:
    assert algorithms_of(relying_party(advertising(*advertised))) == algorithms


def test_a_policy_narrows_the_algorithms() -> None:
    policy = evolve(DEFAULT_POLICY, algorithms=frozenset({"PS256", "ES256"}))
    assert algorithms_of(relying_party(advertising("RS256", "ES256"), policy=policy)) == {"ES256"}
    bare = ProviderMetadata(issuer=ISSUER)
    assert algorithms_of(relying_party(bare, policy=policy)) == frozenset()


@pytest.mark.parametrize("alg", sorted(OPTIONAL))
def test_a_policy_that_names_an_optional_algorithm_turns_it_on(alg: str) -> None:
    policy = evolve(DEFAULT_POLICY, algorithms=frozenset({"RS256", alg}))
    provider = advertising("RS256", *OPTIONAL)
    assert algorithms_of(relying_party(provider, policy=policy)) == {"RS256", alg}


@pytest.mark.parametrize("alg", ["HS256", "EdDSA", "RS512", *sorted(OPTIONAL)])
def test_a_registered_algorithm_is_the_only_one(alg: str) -> None:
    client = evolve(CLIENT, id_token_signed_response_alg=alg)
    for provider in (PROVIDER, advertising("RS256", alg), advertising("none", alg)):
        assert algorithms_of(relying_party(provider, client)) == {alg}


@pytest.mark.parametrize("alg", ["HS256", "EdDSA", "RS512", *sorted(OPTIONAL)])
def test_userinfo_is_signed_only_if_that_was_registered(alg: str) -> None:
    """OIDC Core §5.3.2."""
    provider = evolve(advertising("RS256", "ES256"), userinfo_signing_alg_values_supported=(alg,))
    assert algorithms_of(relying_party(provider), "userinfo") == frozenset()
    client = evolve(CLIENT, userinfo_signed_response_alg=alg)
    assert algorithms_of(relying_party(provider, client), "userinfo") == {alg}
    assert algorithms_of(relying_party(provider, client)) == {"RS256", "ES256"}


def test_each_kind_of_token_is_protected_as_it_was_registered() -> None:
    plain = relying_party().protection
    assert {**plain} == {
        "id_token": Protection(frozenset({"RS256"}), None),
        "userinfo": Protection(frozenset(), None),
    }
    client = evolve(
        CLIENT,
        id_token_encrypted_response_alg="ECDH-ES+A128KW",
        id_token_encrypted_response_enc="A128GCM",
        userinfo_encrypted_response_alg="dir",
    )
    rp = evolve(RP, client=client, decrypter=Checked([]))
    assert rp.protection["id_token"].encryption == Encryption("ECDH-ES+A128KW", "A128GCM")
    assert rp.protection["userinfo"].encryption == Encryption("dir", "A128CBC-HS256")


# --- decryption ----------------------------------------------------------------------------------


@frozen
class Checked:
    """A decrypter that keeps the algorithms that it should be ready for."""

    asked: list[tuple[str, str, Encryption]]

    def check(self, issuer: str, client_id: str, encryption: Encryption) -> None:
        self.asked.append((issuer, client_id, encryption))

    def decrypt(self, issuer: str, client_id: str, jwe: Jwe) -> bytes | None:
        return None


@pytest.mark.parametrize("name", ["id_token", "userinfo"])
def test_what_was_registered_as_encrypted_needs_a_decrypter_that_can(name: str) -> None:
    changes: dict[str, Any] = {f"{name}_encrypted_response_alg": "dir"}
    client = evolve(CLIENT, **changes)
    error = refusal(client=client)
    assert (error.code, error.about, error.expected) == (
        "config_invalid", "decrypter", "a decrypter",
    )  # fmt: skip
    decrypter = Checked([])
    evolve(RP, client=client, decrypter=decrypter)
    assert decrypter.asked == [(ISSUER, client.client_id, Encryption("dir", "A128CBC-HS256"))]
    evolve(RP, decrypter=decrypter)
    assert len(decrypter.asked) == 1


# --- keys ----------------------------------------------------------------------------------------


def test_keys_are_asked_for_where_the_provider_publishes_them_and_on_whose_behalf() -> None:
    policy = evolve(DEFAULT_POLICY, key_set_max_age=120)
    for rp, max_age in ((RP, DEFAULT_POLICY.key_set_max_age), (relying_party(policy=policy), 120)):
        assert {**rp.keys_wanted} == {
            source: KeysWanted(
                issuer=ISSUER,
                client_id=CLIENT.client_id,
                jwks_uri=f"{ISSUER}/jwks",
                max_age=max_age,
                source=source,
                way=Way(reach="any"),
            )
            for source in SOURCES
        }


def test_of_a_provider_without_keys_none_are_asked_for() -> None:
    assert {**relying_party(evolve(PROVIDER, jwks_uri=None)).keys_wanted} == {}


# --- what tells relying parties apart ------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": evolve(PROVIDER, token_endpoint="https://op.example/other")},
        {"client": evolve(CLIENT, client_id="client-2")},
        {"client": evolve(CLIENT, connection_id="tenant-2")},
        {"policy": evolve(DEFAULT_POLICY, name="strict")},
        {"issuer_rule": IssuerRule.one_of(ISSUER, "https://op.example/")},
        {"issuer_rule": IssuerRule.one_of("https://id.example", ISSUER)},
    ],
)
def test_a_digest_tells_relying_parties_apart(changes: dict[str, Any]) -> None:
    rp = relying_party()
    assert evolve(rp, **changes).digest != rp.digest
    assert evolve(rp, **changes) != rp
    assert relying_party().digest == rp.digest
    assert relying_party() == rp


def test_a_digest_tells_tenants_apart() -> None:
    several = (frozenset({"t1"}), frozenset({"t2"}), frozenset({"t1", "t2"}), ANY_TENANT)
    rules = [IssuerRule.template(TEMPLATE, tenants=tenants) for tenants in several]
    rules.append(IssuerRule.template(TEMPLATE, tenants=several[0], claim="org"))
    provider = evolve(PROVIDER, issuer=TEMPLATE)
    digests = {evolve(RP, provider=provider, issuer_rule=rule).digest for rule in rules}
    assert len(digests) == len(rules)


def test_the_quirks_in_force_are_told_in_order() -> None:
    rp = with_quirks("omit_pkce", "basic_raw_credentials")
    assert rp.terms.relaxations == ("basic_raw_credentials", "omit_pkce")
    assert rp.terms == Terms(
        policy="default",
        policy_digest=rp.policy.digest,
        leeway=60,
        relaxations=("basic_raw_credentials", "omit_pkce"),
    )


def test_a_login_is_bound_to_client_provider_and_policy() -> None:
    client = evolve(CLIENT, connection_id="tenant-1")
    assert relying_party(client=client).connection == Connection(
        issuer=ISSUER,
        client_id=CLIENT.client_id,
        connection_id="tenant-1",
        endpoints_digest=PROVIDER.endpoints_digest,
        policy_digest=DEFAULT_POLICY.digest,
    )
    rule = IssuerRule.one_of("https://accounts.example", ISSUER)
    assert evolve(RP, issuer_rule=rule).connection.issuer == "https://accounts.example"
    renamed = relying_party(policy=evolve(DEFAULT_POLICY, name="other"))
    assert renamed.connection == RP.connection


def test_an_endpoint_is_there_or_not_supported() -> None:
    rp = relying_party()
    assert endpoint(rp, "token_endpoint") == "https://op.example/token"
    with pytest.raises(UsageError) as caught:
        endpoint(rp, "userinfo_endpoint")
    assert (caught.value.code, caught.value.about) == (
        "unsupported_by_provider",
        "userinfo_endpoint",
    )


@pytest.mark.parametrize(
    "changes",
    [{"leeway": 5}, {"require_at_hash": True}, {"quirks": frozenset({"omit_pkce"})}],
    ids=["leeway", "at_hash", "quirk"],
)
def test_a_policy_of_the_same_name_but_other_terms_makes_another_digest(changes: Any) -> None:
    other = relying_party(policy=evolve(DEFAULT_POLICY, **changes))
    assert other.policy.name == relying_party().policy.name
    assert other.digest != relying_party().digest


def test_it_can_be_copied_and_pickled_where_its_verifier_can() -> None:
    rp = relying_party()
    assert copy.deepcopy(rp) == rp
    assert pickle.loads(pickle.dumps(rp)).keys_wanted == rp.keys_wanted


@pytest.mark.parametrize(
    "changes",
    [
        {"id_token_signed_response_alg": "ES256"},
        {"trusted_audiences": frozenset({"other"})},
        {"token_endpoint_auth_method": "client_secret_post"},
    ],
    ids=["algorithm", "audience", "method"],
)
def test_another_registration_of_the_same_client_makes_another_digest(changes: Any) -> None:
    other = relying_party(client=evolve(CLIENT, **changes))
    assert other.client.client_id == CLIENT.client_id
    assert other.digest != relying_party().digest


# --- where requests may go -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
def test_metadata_made_by_hand_names_nothing_that_is_near_either(name: str) -> None:
    moved: dict[str, Any] = {name: "https://10.0.0.1/x"}
    error = refusal(evolve(PROVIDER, **moved))
    assert (error.code, error.about) == ("url_address_not_allowed", name)
    named = relying_party(
        evolve(PROVIDER, **moved), policy=Policy(named_origins=["https://10.0.0.1"])
    )
    assert named.targets[name] == Target("https://10.0.0.1/x", Way(reach="any"))


def test_the_origins_of_issuer_and_discovery_url_may_resolve_anywhere() -> None:
    moved = evolve(
        PROVIDER,
        token_endpoint="https://inner.example/token",
        jwks_uri="https://keys.example/jwks",
    )
    plain = relying_party(moved)
    found = evolve(plain, discovery_url="https://inner.example/openid")
    reach = {name: (way_there(plain, name), way_there(found, name)) for name in plain.targets}
    assert reach == {
        "authorization_endpoint": ("any", "any"),
        "token_endpoint": ("public", "any"),
        "jwks_uri": ("public", "public"),
    }
    assert found.keys_wanted["solicited"].way.reach == "public"


def way_there(rp: RelyingParty, name: str) -> str:
    return rp.targets[name].way.reach


def test_where_the_metadata_lies_is_part_of_what_a_login_is_bound_to() -> None:
    moved = evolve(RP, discovery_url="https://inner.example/openid")
    assert moved.digest != RP.digest
    assert moved.connection.endpoints_digest != RP.connection.endpoints_digest
    assert evolve(moved, discovery_url=None).connection == RP.connection
    assert moved != RP


def test_a_discovery_url_is_judged_as_any_other() -> None:
    with pytest.raises(UsageError) as caught:
        evolve(RP, discovery_url="http://inner.example/openid")
    assert (caught.value.code, caught.value.about) == ("url_scheme_not_allowed", "discovery_url")
    strict = relying_party(policy=Policy(addresses=PUBLIC_ONLY))
    near = evolve(RP, discovery_url="https://10.0.0.1/openid")
    assert "https://10.0.0.1:443" in near.network.named
    with pytest.raises(UsageError) as caught:
        evolve(strict, discovery_url="https://10.0.0.1/openid")
    assert (caught.value.code, caught.value.about) == ("url_address_not_allowed", "discovery_url")


def test_how_the_metadata_came_is_told_and_makes_no_other_relying_party() -> None:
    told = evolve(RP, discovered_by=Channel("verified"))
    assert told == RP
    assert told.digest == RP.digest
    assert (RP.terms.discovery, told.terms.discovery) == (None, Channel("verified"))
    for channel in CHANNELS:
        assert told.terms_over[channel] == told.terms._replace(channel=channel)
    assert told.terms_over[None] == told.terms


def test_an_endpoint_that_the_metadata_lacks_is_no_target() -> None:
    with pytest.raises(UsageError) as caught:
        target(RP, "userinfo_endpoint")
    assert (caught.value.code, caught.value.about) == (
        "unsupported_by_provider",
        "userinfo_endpoint",
    )


@pytest.mark.parametrize("member", ["id_token_signed_response_alg", "userinfo_signed_response_alg"])
@pytest.mark.parametrize(("alg", "octets"), [("HS256", 31), ("HS384", 47), ("HS512", 63)])
def test_a_secret_that_is_too_short_for_its_macs_is_refused_when_configured(
    member: str, alg: str, octets: int
) -> None:
    """RFC 7518 §3.2: the developer chose the setting, so no token is blamed for it."""
    owner = (PROVIDER.issuer, CLIENT.client_id)
    registration: dict[str, Any] = {member: alg}

    def configured(secret: str) -> RelyingParty:
        return RelyingParty(
            provider=PROVIDER,
            client=evolve(CLIENT, token_endpoint_auth_method="client_secret_post", **registration),
            verifier=CryptographyVerifier({owner: secret} if secret else {}),
        )

    assert configured("s" * (octets + 1)).client.client_id == CLIENT.client_id
    for secret, code in (("s" * octets, "config_invalid"), ("", "credential_missing")):
        with pytest.raises(UsageError) as caught:
            configured(secret)
        assert (caught.value.code, caught.value.about) == (code, "client_secret")
