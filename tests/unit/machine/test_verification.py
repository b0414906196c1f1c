"""Tokens meet their keys: what is verified at once, what asks for keys, and when once more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from attrs import evolve, field, frozen

from oidc_adapters.crypto import ClientDecrypter, CryptographyVerifier
from oidc_core.jose.jws import Recognised, SignatureVerifier
from oidc_core.jose.key_set import KeySet
from oidc_core.jose.profiles import ID_TOKEN, LOGOUT_TOKEN, USERINFO, JwtProfile
from oidc_core.machine.steps import Done, KeysFound, KeysWithheld, NeedKeys
from oidc_core.machine.verification import AwaitingKeys, Verification, verify_jwt
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import IdTokenOfLogin
from oidc_core.operations.refresh import IdTokenOfRefresh
from oidc_core.operations.userinfo import SignedUserInfo
from oidc_core.operations.validation import IdTokenAlone
from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from oidc_core.wire.limits import LIMITS, Limits
from oidc_core.wire.way import Channel
from tests.encryption import ECDH, P256, encrypted
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    METADATA,
    NOW,
    RP,
    claims_for,
    done,
    keys,
    keys_wanted,
    refused,
    relying_party,
    resume,
)
from tests.signing import (
    SECRET,
    mac_key,
    published,
    renamed,
    signed,
    signed_octets,
    signing_key,
    unsigned,
)

if TYPE_CHECKING:
    from oidc_core.jose.jws import VerifiedJws
    from oidc_core.machine.steps import Step
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.wire.http import KeysWanted, Source

NEW = signing_key(slot="rotated", kid="k2")
NEW_SET = {"keys": [NEW.public_jwk()]}
CLAIMS = claims_for("n")


@frozen(kw_only=True)
class Reading(Verification[tuple["VerifiedJws", JsonObject]]):
    """Verify a token, then return it."""

    profile: ClassVar[JwtProfile] = ID_TOKEN

    def passed(
        self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject
    ) -> Step[tuple[VerifiedJws, JsonObject]]:
        return Done((jws, claims))


def registered(alg: str = "ES256") -> RelyingParty:
    """The relying party whose ID tokens are signed with one algorithm."""
    return relying_party(client={"id_token_signed_response_alg": alg})


def asked(token: str, alg: str = "ES256", *, rp: RelyingParty | None = None) -> Step[Any]:
    ours = rp or registered(alg)
    return verify_jwt(ours, Reading(token=token), source="solicited", now=NOW)


def verified(token: str, answer: KeysFound, alg: str = "ES256") -> Step[Any]:
    step = asked(token, alg)
    assert isinstance(step, NeedKeys)
    return resume(registered(alg), step, answer)


def again(step: Step[Any], answer: KeysFound, alg: str = "ES256") -> Step[Any]:
    """Answer a second wish for keys."""
    assert isinstance(step, NeedKeys)
    return resume(registered(alg), step, answer)


def asks_again(step: Step[Any]) -> KeysWanted:
    assert isinstance(step, AwaitingKeys)
    assert step.wanted.newer_than is not None
    return step.wanted


def test_keys_in_the_metadata_are_not_keys() -> None:
    """H13."""
    extra = frozen_json({"jwks": NEW_SET})
    assert isinstance(extra, JsonObject)
    rp = relying_party(provider={"extra": extra})
    step = asked(signed(CLAIMS, NEW), rp=rp)
    assert isinstance(step, NeedKeys)
    assert step.wanted.request.url == f"{rp.issuer}/jwks"
    step = resume(rp, step, keys())
    assert isinstance(step, NeedKeys)
    last = step
    refused(ProtocolViolation, "key_not_found", lambda: resume(rp, last, keys(fetched_at=NOW + 1)))


# --- tokens meet their keys ----------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.7-06b")
def test_a_token_is_verified_with_the_key_it_names() -> None:
    token = signed(CLAIMS)
    jws, claims = done(verified(token, keys(fetched_at=NOW - 5)))

    assert claims == CLAIMS
    assert (jws.header.kid, jws.verified_at, jws.keys_fetched_at) == ("k1", NOW, NOW - 5)
    assert jws.key.kid == "k1"


@pytest.mark.parametrize("reason", ["throttled", "unreachable"])
def test_without_keys_the_operation_fails_for_now(reason: Any) -> None:
    """H02: that is not the same as a key that does not exist."""
    step = asked(signed(CLAIMS))
    assert isinstance(step, NeedKeys)
    error = refused(
        TransportFailure,
        "keys_unavailable",
        lambda: resume(registered(), step, KeysWithheld(reason)),
    )
    assert isinstance(error, TransportFailure)
    assert (error.retryable, error.found, error.sent) == ("later", reason, "no")


def test_an_unknown_kid_has_the_set_fetched_once_more_and_only_once() -> None:
    """H05, H06, F07."""
    step = verified(signed(CLAIMS, NEW), keys())
    wish = asks_again(step)
    assert wish == evolve(keys_wanted(registered()), newer_than=NOW, missing_kid="k2")
    fresh = keys(published(signing_key(), NEW), fetched_at=NOW + 1)
    assert done(again(step, fresh))[0].header.kid == "k2"
    error = refused(
        ProtocolViolation, "key_not_found", lambda: again(step, keys(fetched_at=NOW + 1))
    )
    assert error.found == "k2"


def test_a_withdrawn_key_is_not_accepted() -> None:
    """H06."""
    step = verified(signed(CLAIMS), keys(published(NEW)))
    refused(
        ProtocolViolation,
        "key_not_found",
        lambda: again(step, keys(published(NEW), fetched_at=NOW + 1)),
    )


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_a_key_replaced_under_its_name_is_found_if_the_set_is_older_than_a_minute(
    alg: str,
) -> None:
    """H05."""
    old, new = signing_key(alg), signing_key(alg, slot="rotated")
    token = signed(CLAIMS, new)

    step = verified(token, keys(published(old), fetched_at=NOW - 61), alg)
    assert asks_again(step).newer_than == NOW - 61
    assert done(again(step, keys(published(new)), alg))[1] == CLAIMS
    refused(
        ProtocolViolation,
        "signature_invalid",
        lambda: verified(token, keys(published(old), fetched_at=NOW - 60), alg),
    )


@pytest.mark.parametrize(("age", "seconds"), [(1, 60), (60, 1)])
@pytest.mark.parametrize("shortened", [False, True])
def test_where_a_set_is_too_young_to_be_fetched_again_the_error_says_when_it_will_be(
    age: int, seconds: int, shortened: bool
) -> None:
    """The provider may have put a new key under the old name."""
    token = signed(CLAIMS, signing_key(slot="rotated"))
    token = token[:-6] if shortened else token
    with pytest.raises(ProtocolViolation) as caught:
        verified(token, keys(fetched_at=NOW - age))
    error = caught.value
    assert error.code == ("signature_length_mismatch" if shortened else "signature_invalid")
    assert (error.retryable, error.retry_after) == ("later", seconds)
    assert f"the library reads the key set again in {seconds} seconds" in str(error)


def test_what_the_keys_of_this_moment_did_not_sign_is_not_tried_again() -> None:
    token = signed(CLAIMS, signing_key(slot="rotated"))
    step = verified(token, keys(fetched_at=NOW - 61))
    error = refused(ProtocolViolation, "signature_invalid", lambda: again(step, keys()))
    assert (error.retryable, error.retry_after, error.kind) == ("no", None, "suspicious")


def test_a_kid_that_a_fresh_set_lacks_is_told_with_the_keys_that_are_not_used() -> None:
    step = verified(signed(CLAIMS, NEW), keys())
    odd = KeySet((JsonObject({"kty": "RSA", "kid": "k3", "n": 5}),))
    error = refused(ProtocolViolation, "key_not_found", lambda: again(step, keys(odd)))
    assert error.hint.endswith("not used: 'k3': jwk_invalid (n): expected 'a string'")


def test_an_algorithm_that_metadata_does_not_list_ends_with_a_new_login() -> None:
    """Only where the provider itself has just sent the token: it may have changed."""
    rp = evolve(
        relying_party(provider={"id_token_signing_alg_values_supported": ("RS256",)}),
        discovered_by=Channel("verified"),
    )
    sources: tuple[tuple[Source, str], ...] = (("solicited", "restart"), ("unsolicited", "no"))
    for source, retryable in sources:
        step = verify_jwt(rp, Reading(token=signed(CLAIMS)), source=source, now=NOW)
        assert isinstance(step, NeedKeys)
        error = refused(ProtocolViolation, "alg_not_allowed", partial(resume, rp, step, keys()))
        assert (error.retryable, error.found, error.expected) == (retryable, "ES256", ("RS256",))
        assert "id_token_signing_alg_values_supported lists RS256" in error.hint


def test_a_longer_key_under_the_same_name_is_found_too() -> None:
    """H05: the first sign of it is a signature of another length."""
    short, long = signing_key("ES256"), signing_key("ES384")
    rsa_length_token = signed(CLAIMS, short).rpartition(".")[0] + "." + "A" * 128
    step = verified(rsa_length_token, keys(fetched_at=NOW - 61))
    assert asks_again(step).newer_than == NOW - 61
    refused(
        ProtocolViolation,
        "signature_length_mismatch",
        lambda: verified(rsa_length_token, keys(fetched_at=NOW - 60)),
    )
    assert long.kid == short.kid


def test_without_a_kid_and_with_no_candidate_that_verifies_the_set_is_fetched_once_more() -> None:
    """H05, F08."""
    token = signed(CLAIMS, renamed(NEW, None))
    step = verified(token, keys())
    wish = asks_again(step)
    assert (wish.newer_than, wish.missing_kid) == (NOW, None)
    assert done(again(step, keys(published(signing_key(), NEW))))[1] == CLAIMS
    refused(ProtocolViolation, "signature_invalid", lambda: again(step, keys()))


def test_without_a_kid_and_with_too_many_candidates_the_token_is_refused() -> None:
    """F08."""
    several = [signing_key(slot=f"s{n}", kid=f"s{n}") for n in range(5)]
    token = signed(CLAIMS, renamed(several[0], None))

    four = keys(published(*several[:4]))
    assert done(verified(token, four))[0].key.kid == "s0"
    refused(ProtocolViolation, "key_ambiguous", lambda: verified(token, keys(published(*several))))


def test_two_keys_of_one_name_make_that_name_useless_and_no_other() -> None:
    """F09."""
    twin = signing_key(slot="twin")
    key_set = keys(published(signing_key(), twin, NEW))

    refused(ProtocolViolation, "kid_duplicated", lambda: verified(signed(CLAIMS), key_set))
    assert done(verified(signed(CLAIMS, NEW), key_set))[1] == CLAIMS
    same = keys(published(signing_key(), signing_key()))
    assert done(verified(signed(CLAIMS), same))[1] == CLAIMS


def test_a_key_serves_only_the_algorithm_it_names() -> None:
    """F10."""
    key = signing_key("RS256")
    other = keys(published(key, alg="PS256"))

    refused(
        ProtocolViolation,
        "key_alg_mismatch",
        lambda: verified(signed(CLAIMS, key), other, "RS256"),
    )


@pytest.mark.req("OIDCC-3.1.3.7-07")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "RS256", ""])
def test_an_algorithm_that_was_not_agreed_upon_is_refused(alg: str) -> None:
    """E20, F02, B14, K04."""
    refused(
        ProtocolViolation, "alg_not_allowed", lambda: verified(unsigned(CLAIMS, alg=alg), keys())
    )


@pytest.mark.req("OIDCC-3.1.3.7-07")
@pytest.mark.parametrize(
    "token", [signed(CLAIMS), signed(CLAIMS, mac_key()), unsigned(CLAIMS, alg="none")]
)
def test_with_no_algorithm_in_common_nothing_is_accepted(token: str) -> None:
    """B14: neither a signature nor a MAC."""
    nothing_known = dict.fromkeys(name for name, _ in METADATA.endpoints)
    provider = {**nothing_known, "id_token_signing_alg_values_supported": ()}
    rp = relying_party(provider=provider, policy=Policy(algorithms=frozenset({"PS512"})))
    assert rp.protection["id_token"].algorithms == frozenset()
    error = refused(ProtocolViolation, "alg_not_allowed", lambda: asked(token, rp=rp))
    assert (error.about, error.expected) == ("id_token_signed_response_alg", None)


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_mac_is_verified_at_once_with_the_client_s_own_secret() -> None:
    for alg in ("HS256", "HS384", "HS512"):
        jws, claims = done(asked(signed(CLAIMS, mac_key(alg)), alg))
        assert (jws.key, jws.verified_at, jws.keys_fetched_at) == (None, NOW, None)
        assert claims == CLAIMS


@pytest.mark.req("OIDCC-3.1.3.7-08a")
@pytest.mark.parametrize("secret", [SECRET[:-1], SECRET + "x", "x" * 40])
def test_a_mac_by_another_secret_is_refused(secret: str) -> None:
    token = signed(CLAIMS, mac_key(secret=secret))
    refused(ProtocolViolation, "signature_invalid", lambda: asked(token, "HS256"))


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_mac_by_the_secret_of_another_client_is_refused() -> None:
    """The secret belongs to issuer and client id together."""
    own, other = (ISSUER, CLIENT_ID), SECRET.swapcase()
    secrets = {own: SECRET, (ISSUER, "client-2"): other, ("https://b.example", CLIENT_ID): other}
    ours = evolve(registered("HS256"), verifier=CryptographyVerifier(secrets))
    token = signed(CLAIMS, mac_key())
    assert done(asked(token, rp=ours))[1] == CLAIMS
    for party in (
        evolve(ours, client=evolve(ours.client, client_id="client-2")),
        evolve(
            ours,
            provider=evolve(ours.provider, issuer="https://b.example"),
            issuer_rule=IssuerRule.exact("https://b.example"),
        ),
    ):
        refused(ProtocolViolation, "signature_invalid", partial(asked, token, rp=party))


@pytest.mark.req("OIDCC-3.1.3.7-08a")
def test_a_token_with_a_mac_may_not_have_a_signature_in_its_place() -> None:
    refused(ProtocolViolation, "alg_not_allowed", lambda: asked(signed(CLAIMS), "HS256"))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"sub":"a","sub":"b"}', "json_member_duplicated"),
        (b'{"x":{"iss":"a","iss":"b"}}', "json_member_duplicated"),
        (b'{"aud":"a","\\u0061ud":"b"}', "json_member_duplicated"),
        (b"[]", "json_not_object"),
        (b'"text"', "json_not_object"),
        (b'{"exp":NaN}', "json_number_invalid"),
        (b'{"exp":Infinity}', "json_number_invalid"),
        ('{"sub":"a"}'.encode("utf-16"), "json_not_utf8"),
        (b"{", "json_malformed"),
    ],
)
@pytest.mark.req("RFC7519-4-01", "RFC7519-4-02", "RFC7519-7.2-01")
def test_a_payload_that_can_be_read_in_two_ways_is_refused(payload: bytes, code: str) -> None:
    """D07, D15, D27."""
    refused(ProtocolViolation, code, lambda: verified(signed_octets(payload), keys()))


def test_the_header_s_claims_and_keys_are_nobody_s() -> None:
    """F04, F05, D24."""
    jwk = NEW.public_jwk()
    token = signed(CLAIMS, sub="victim", iss="x", jwk=jwk, jku="https://evil.example/jwks")
    jws, claims = done(verified(token, keys()))

    assert claims == CLAIMS
    assert jws.header.ignored == ("jwk", "jku")
    forged = signed(CLAIMS, NEW, kid="k1", jwk=jwk)
    refused(ProtocolViolation, "signature_invalid", lambda: verified(forged, keys()))


@pytest.mark.parametrize(
    ("kind", "profile"),
    [
        (IdTokenAlone, ID_TOKEN),
        (IdTokenOfLogin, ID_TOKEN),
        (IdTokenOfRefresh, ID_TOKEN),
        (SignedUserInfo, USERINFO),
    ],
)
def test_each_kind_of_token_names_its_own_profile(kind: type, profile: JwtProfile) -> None:
    """No kind has one by default: a logout token is not an ID token (RFC 8725 §3.11)."""
    assert not hasattr(Verification, "profile")
    assert vars(kind)["profile"] is profile


@pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "application/secevent+jwt"])
def test_a_token_of_another_kind_is_refused_by_its_typ(typ: str) -> None:
    for key, alg in ((None, "ES256"), (mac_key(), "HS256")):
        token = signed(CLAIMS, key, typ=typ)
        error = refused(ProtocolViolation, "typ_unexpected", partial(_verified_anyhow, token, alg))
        assert (error.about, error.found) == ("typ", typ.removeprefix("application/"))


def _verified_anyhow(token: str, alg: str) -> object:
    step = asked(token, alg)
    return resume(registered(alg), step, keys()) if isinstance(step, NeedKeys) else step


def test_what_another_kind_of_token_may_be_its_own_profile_says() -> None:
    class OfLogout(Reading):
        profile: ClassVar[JwtProfile] = LOGOUT_TOKEN

    token = signed(CLAIMS, typ="logout+jwt")
    step = verify_jwt(registered(), OfLogout(token=token), source="unsolicited", now=NOW)
    assert isinstance(step, NeedKeys)
    assert done(resume(registered(), step, keys()))[1] == CLAIMS


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_a_token_beyond_its_limit_is_refused(alg: str) -> None:
    token = signed(CLAIMS, mac_key() if alg == "HS256" else None)

    limits = Limits(id_token=len(token) - 1)
    rp = evolve(registered(alg), policy=Policy(limits=limits))

    def begun() -> Step[Any]:
        return verify_jwt(rp, Reading(token=token), source="unsolicited", now=NOW)

    if alg == "HS256":
        refused(ProtocolViolation, "token_too_large", begun)
        return
    step = begun()
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "unsolicited"
    error = refused(ProtocolViolation, "token_too_large", lambda: resume(rp, step, keys()))
    assert (error.found, error.expected) == (len(token), f"up to {len(token) - 1}")
    assert (error.retryable, error.kind) == ("no", "configuration")
    assert error.hint == "raise Policy.limits.id_token, up to 524288, or have less sent"


@pytest.mark.req("RFC8725-3.8-01")
def test_the_keys_of_one_issuer_verify_nothing_of_another_s() -> None:
    """F06, H08: the wish names the issuer and the address exactly."""
    other = relying_party(
        provider={"issuer": "https://op.example/", "jwks_uri": "https://op.example/jwks"}
    )
    ours, theirs = keys_wanted(RP, "solicited"), keys_wanted(other, "solicited")

    assert ours.request.url == theirs.request.url
    assert (ours.request.issuer, theirs.request.issuer) == (RP.issuer, other.issuer)
    forged = signed(CLAIMS, signing_key(slot="other provider"))
    refused(ProtocolViolation, "signature_invalid", lambda: verified(forged, keys()))


def test_of_a_provider_that_publishes_no_keys_only_macs_are_verified() -> None:
    nowhere = {"jwks_uri": None}
    rp = relying_party(provider=nowhere)
    error = refused(UsageError, "unsupported_by_provider", lambda: asked(signed(CLAIMS), rp=rp))
    assert error.about == "jwks_uri"
    rp = relying_party(provider=nowhere, client={"id_token_signed_response_alg": "HS256"})
    assert done(asked(signed(CLAIMS, mac_key()), rp=rp))[1] == CLAIMS


# --- headers are remembered ----------------------------------------------------------------------


@frozen
class Remembering:
    """The real verifier, with a memory that can be looked into."""

    real: Any
    memory: dict[tuple[bytes, KeySet], Recognised] = field(
        factory=dict[tuple[bytes, KeySet], Recognised]
    )

    def recall(self, protected: bytes, keys: KeySet) -> Recognised | None:
        return self.memory.get((protected, keys))

    def remember(self, protected: bytes, keys: KeySet, recognised: Recognised) -> None:
        assert (protected, keys) not in self.memory
        self.memory[protected, keys] = recognised

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_the_header_of_a_good_token_is_remembered_once_and_judged_again(alg: str) -> None:
    rp = registered(alg)
    rp = evolve(rp, verifier=Remembering(rp.verifier))
    key = mac_key() if alg == "HS256" else signing_key()

    def read(token: str, rp: RelyingParty = rp) -> Any:
        step = asked(token, rp=rp)
        return done(resume(rp, step, keys()) if isinstance(step, NeedKeys) else step)

    assert read(signed(CLAIMS, key)) == read(signed(CLAIMS, key))
    assert isinstance(rp.verifier, Remembering)
    ((_, key_set),) = rp.verifier.memory
    assert key_set == (KeySet() if alg == "HS256" else keys().key_set)
    forged = signed(CLAIMS, key).rpartition(".")[0] + "." + signed({}, key).rpartition(".")[2]
    refused(ProtocolViolation, "signature_invalid", lambda: read(forged))
    other = {"id_token_signed_response_alg": {"ES256": "ES384", "HS256": "HS384"}[alg]}
    stricter = evolve(relying_party(client=other), verifier=rp.verifier)
    refused(ProtocolViolation, "alg_not_allowed", lambda: read(signed(CLAIMS, key), stricter))


def test_the_header_of_a_bad_mac_is_not_remembered() -> None:
    rp = registered("HS256")
    rp = evolve(rp, verifier=Remembering(rp.verifier))
    token = signed(CLAIMS, mac_key(secret="another secret of thirty-two octets"))
    refused(ProtocolViolation, "signature_invalid", lambda: asked(token, rp=rp))
    assert isinstance(rp.verifier, Remembering)
    assert rp.verifier.memory == {}


# --- encryption ----------------------------------------------------------------------------------


def encrypting(alg: str = "ES256") -> RelyingParty:
    """The relying party whose ID tokens are encrypted too."""
    return relying_party(
        client={
            "id_token_signed_response_alg": alg,
            "id_token_encrypted_response_alg": ECDH.alg,
            "id_token_encrypted_response_enc": ECDH.enc,
        },
        decrypter=ClientDecrypter(P256, client_secrets={(ISSUER, CLIENT_ID): SECRET}),
    )


def opened(token: str, alg: str = "ES256") -> tuple[VerifiedJws, JsonObject]:
    rp = encrypting(alg)
    step = asked(token, rp=rp)
    read: tuple[VerifiedJws, JsonObject] = done(
        resume(rp, step, keys()) if isinstance(step, NeedKeys) else step
    )
    return read


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_what_is_encrypted_is_decrypted_before_anything_else(alg: str) -> None:
    token = signed(CLAIMS, mac_key() if alg == "HS256" else None)
    jws, claims = opened(encrypted(token, iss=ISSUER, aud=[CLIENT_ID]), alg)
    assert claims == CLAIMS
    assert jws.encryption == ECDH
    assert jws.header.alg == alg


def test_what_was_ignored_of_either_header_is_told_of_the_token() -> None:
    token = signed(CLAIMS, b64=True, zip="DEF")
    jws, _ = opened(encrypted(token, typ="JOSE", cty="json", b64=True))
    assert jws.header.ignored == ("b64", "zip", "b64", "cty", "typ")


def test_while_keys_are_awaited_the_signed_token_stands_in_the_place_of_the_encrypted_one() -> None:
    token = signed(CLAIMS)
    step = asked(encrypted(token), rp=encrypting())
    assert isinstance(step, AwaitingKeys)
    assert step.verification.token == token
    assert step.verification.decrypted is not None
    assert step.verification.decrypted.encryption == ECDH


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (signed(CLAIMS), "encryption_missing"),
        (encrypted("{}"), "signature_missing"),
        (encrypted(encrypted(signed(CLAIMS))), "signature_missing"),
        (encrypted(signed(CLAIMS))[:-4] + "AAAA", "decryption_failed"),
        (encrypted(signed(CLAIMS), typ="logout+jwt"), "typ_unexpected"),
        ("a" * (LIMITS.id_token + 1), "token_too_large"),
    ],
    ids=["signed only", "claims", "twice", "damaged", "typ", "size"],
)
def test_what_is_not_encrypted_as_registered_is_refused(token: str, code: str) -> None:
    refused(ProtocolViolation, code, lambda: asked(token, rp=encrypting()))


@pytest.mark.parametrize("alg", ["ES256", "HS256"])
@pytest.mark.parametrize(
    ("header", "code"),
    [({"iss": "https://evil.example"}, "iss_mismatch"), ({"aud": "client-2"}, "aud_mismatch")],
)
def test_what_is_said_around_a_token_does_not_contradict_it(
    alg: str, header: dict[str, Any], code: str
) -> None:
    """RFC 7519 §5.3."""
    token = signed(CLAIMS, mac_key() if alg == "HS256" else None)
    error = refused(ProtocolViolation, code, lambda: opened(encrypted(token, **header), alg))
    assert error.about == next(iter(header))


def test_a_token_is_only_decrypted_where_that_was_registered() -> None:
    token = encrypted(signed(CLAIMS))
    error = refused(ProtocolViolation, "encryption_unexpected", lambda: verified(token, keys()))
    assert error.about == "id_token_encrypted_response_alg"
    mac = registered("HS256")
    refused(ProtocolViolation, "encryption_unexpected", lambda: asked(token, rp=mac))
    refused(ProtocolViolation, "jws_malformed", lambda: verified("a.b.c.d.e", keys()))


def test_without_a_decrypter_nothing_is_decrypted() -> None:
    """Its constructor lets no such relying party be."""
    rp = encrypting()
    object.__setattr__(rp, "decrypter", None)
    error = refused(UsageError, "config_invalid", lambda: asked(encrypted(signed(CLAIMS)), rp=rp))
    assert (error.about, error.expected) == ("decrypter", "a decrypter")


# --- what is printed -----------------------------------------------------------------------------


def test_no_token_is_printed() -> None:
    token = signed(CLAIMS)
    step = asked(token)
    for part in token.split("."):
        assert part not in repr(step)


class Awaited:
    """A verifier as one writes it who awaits everything."""

    def __init__(self, inner: SignatureVerifier) -> None:
        self._inner = inner

    def recall(self, protected: bytes, keys: KeySet) -> None:
        return None

    def remember(self, protected: bytes, keys: KeySet, recognised: object) -> None:
        return None

    def check_mac(self, *asked: Any) -> None:
        return None

    async def verifies(self, *asked: Any) -> bool:
        return self._inner.verifies(*asked)

    async def verifies_mac(self, *asked: Any) -> bool:
        return self._inner.verifies_mac(*asked)


def test_a_verifier_that_has_to_be_awaited_is_none() -> None:
    awaited: Any = Awaited(RP.verifier)
    for odd in (awaited, type(RP.verifier), Awaited):
        error = refused(UsageError, "config_invalid", partial(evolve, RP, verifier=odd))
        assert error.about == "verifier"
