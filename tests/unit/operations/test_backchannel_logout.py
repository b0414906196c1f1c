"""A logout that the provider begins: the token is verified as nobody's, and the answer is told."""

from __future__ import annotations

import json
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.steps import KeysWithheld, NeedKeys
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.operations.backchannel_logout import (
    LogoutNotice,
    addressees,
    receive,
    refuse_repeat,
    reply,
)
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.replies import Reply
from tests.encryption import ECDH, P256, encrypted
from tests.logouts import JTI, SID, logout_claims, logout_token, posted
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    claims_for,
    done,
    keys,
    refused,
    relying_party,
    resume,
    with_keys,
)
from tests.signing import mac_key, published, signed, signing_key, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_core.machine.steps import Step
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.wire.incoming import Incoming

NEW: Final = signing_key(slot="rotated", kid="k2")
ENCRYPTED: Final = relying_party(
    client={
        "id_token_encrypted_response_alg": ECDH.alg,
        "id_token_encrypted_response_enc": ECDH.enc,
    },
    decrypter=ClientDecrypter(P256),
)


def received(
    token: str, rp: RelyingParty = RP, key_set: KeySet | None = None, **changed: Any
) -> LogoutNotice:
    return done(with_keys(rp, receive(rp, posted(token, **changed), now=NOW), key_set))


@pytest.mark.req("OIDCBCL-2.6-02")
def test_a_good_token_says_which_sessions_end() -> None:
    notice = received(logout_token())

    assert (notice.issuer, notice.sub, notice.sid) == (ISSUER, SUB, SID)
    assert notice.connection == RP.connection
    assert notice.logout_token.jti == JTI
    assert (notice.evidence.of, notice.evidence.kid) == ("logout_token", "k1")
    assert pickle.loads(pickle.dumps(notice)) == notice
    for secret in (SUB, SID, JTI):
        assert secret not in repr(notice)


def test_keys_are_asked_for_as_for_what_a_stranger_brings() -> None:
    """K15."""
    step = receive(RP, posted(logout_token()), now=NOW)
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "unsolicited"


@pytest.mark.req("OIDCBCL-2.6-02", "OIDCBCL-2.6-03", "OIDCBCL-2.6-07")
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (signed(logout_claims(), signing_key(slot="stranger")), "signature_invalid"),
        (signed(logout_claims(), NEW), "key_not_found"),
        (unsigned(logout_claims(), alg="none"), "alg_not_allowed"),
        (signed(logout_claims(), mac_key()), "alg_not_allowed"),
        (logout_token().rpartition(".")[0] + ".", "jws_malformed"),
        ("x", "jws_malformed"),
        (encrypted(logout_token()), "encryption_unexpected"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(token: str, code: str) -> None:
    """K04."""
    refused(ProtocolViolation, code, lambda: received(token))


@pytest.mark.req("OIDCBCL-2.6-03")
def test_the_registered_algorithm_counts_and_a_mac_needs_no_keys() -> None:
    rp = relying_party(client={"id_token_signed_response_alg": "HS256"})
    assert done(receive(rp, posted(signed(logout_claims(), mac_key())), now=NOW)).sid == SID
    refused(ProtocolViolation, "alg_not_allowed", lambda: received(logout_token(), rp))
    other = relying_party(client={"id_token_signed_response_alg": "ES384"})
    refused(ProtocolViolation, "alg_not_allowed", lambda: received(logout_token(), other))


@pytest.mark.req("OIDCBCL-2.6-01")
def test_it_is_encrypted_as_id_tokens_are() -> None:
    """K20."""
    for header in ({}, {"typ": "JWT"}, {"typ": "logout+jwt"}, {"iss": ISSUER, "aud": CLIENT_ID}):
        members: dict[str, Any] = {"cty": "JWT", **header}
        notice = received(encrypted(logout_token(), **members), ENCRYPTED)
        assert notice.evidence.notes == ("decrypted: ECDH-ES+A128KW A128GCM",)
    refused(ProtocolViolation, "encryption_missing", lambda: received(logout_token(), ENCRYPTED))
    foreign = encrypted(logout_token(), typ="at+jwt")
    refused(ProtocolViolation, "typ_unexpected", lambda: received(foreign, ENCRYPTED))


@pytest.mark.req("OIDCBCL-2.4-06")
@pytest.mark.parametrize("typ", [None, "JWT", "logout+jwt", "application/logout+jwt"])
def test_a_token_may_go_without_its_type_unless_the_policy_says_otherwise(typ: str | None) -> None:
    """K19."""
    token = signed(logout_claims(), typ=typ)
    assert received(token).sid == SID
    for rp in (
        relying_party(policy=Policy(require_logout_typ=True)),
        evolve(ENCRYPTED, policy=Policy(require_logout_typ=True)),
    ):
        sent = token if rp.decrypter is None else encrypted(token)
        if typ in {None, "JWT"}:
            refused(ProtocolViolation, "typ_unexpected", partial(received, sent, rp))
        else:
            assert received(sent, rp).sid == SID


@pytest.mark.req("OIDCBCL-2.4-06")
@pytest.mark.parametrize("typ", ["at+jwt", "secevent+jwt", "LOGOUT", "dpop+jwt", "id+jwt", ""])
def test_another_type_is_refused(typ: str) -> None:
    """K19."""
    refused(ProtocolViolation, "typ_unexpected", lambda: received(signed(logout_claims(), typ=typ)))


@pytest.mark.req("OIDCBCL-4.1-01")
def test_an_id_token_is_no_logout_token_and_the_reverse() -> None:
    """K01, D29."""
    for nonce in ("n", None):
        id_token = signed(claims_for(nonce))
        refused(ProtocolViolation, "events_missing", partial(received, id_token))
    demands = Demands(nonce=EXPECT_NO_NONCE, started_at=NOW)
    for typ, code in (("logout+jwt", "typ_unexpected"), (None, "claim_forbidden")):
        token = signed(logout_claims(), typ=typ)
        step = partial(validate, RP, token, demands, now=NOW)
        refused(ProtocolViolation, code, partial(_validated, step))


def _validated(step: Callable[[], Step[object]]) -> object:
    return with_keys(RP, step())


@pytest.mark.req("OIDCBCL-2.5-01")
def test_a_request_of_another_form_is_refused_before_anything_else() -> None:
    for incoming in (posted("x", method="GET"), posted(None), posted("x", content_type="a/b")):
        refused(
            ProtocolViolation, "logout_request_invalid", partial(receive, RP, incoming, now=NOW)
        )
    rp = relying_party(policy=Policy(limits=evolve(RP.policy.limits, callback=20)))
    refused(CallbackError, "parameter_too_long", lambda: receive(rp, posted("a" * 20), now=NOW))


@pytest.mark.parametrize("name", ["rp", "incoming", "now"])
def test_arguments_of_another_type_are_the_callers_fault(name: str) -> None:
    given: dict[str, Any] = {"rp": RP, "incoming": posted("x"), "now": NOW, name: None}
    error = refused(UsageError, "parameter_invalid", lambda: receive(**given))
    assert error.about == name


def test_without_keys_nobody_knows() -> None:
    step = receive(RP, posted(logout_token()), now=NOW)
    withheld = KeysWithheld("throttled", None, 17)
    error = refused(TransportFailure, "keys_unavailable", lambda: resume(RP, step, withheld))
    assert error.retry_after == 17
    nowhere = relying_party(provider={"jwks_uri": None})
    refused(
        UsageError,
        "unsupported_by_provider",
        lambda: receive(nowhere, posted(logout_token()), now=NOW),
    )


def test_a_new_key_is_found() -> None:
    token = signed(logout_claims(), NEW)
    assert received(token, key_set=published(NEW)).sid == SID


def test_each_tenant_is_an_issuer_of_its_own() -> None:
    pattern = "https://login.example/{tenant}/v2.0"
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    rp = relying_party(provider={"issuer": pattern}, rule=rule)
    iss = "https://login.example/t1/v2.0"
    step = receive(rp, posted(logout_token(iss=iss)), now=NOW)
    assert isinstance(step, NeedKeys)
    assert done(with_keys(rp, step)).issuer == iss


# --- used once -----------------------------------------------------------------------------------


@pytest.mark.req("OIDCBCL-2.6-05")
def test_a_token_is_used_under_a_name_of_its_own() -> None:
    """K07: until it is used a repeat goes on, afterwards it is refused."""
    notice = received(logout_token())
    again = received(logout_token())
    assert (notice.once, len(notice.once)) == (again.once, 22)
    refuse_repeat(notice, used=False)
    error = refused(ProtocolViolation, "logout_token_used", lambda: refuse_repeat(again, used=True))
    assert (error.about, error.of) == ("jti", "logout_token")
    assert JTI not in str(error)


def test_another_token_client_or_issuer_has_another_name() -> None:
    names = {
        received(logout_token()).once,
        received(logout_token(jti="logout-2")).once,
        received(
            logout_token(aud="client-2"), relying_party(client={"client_id": "client-2"})
        ).once,
        received(logout_token(), relying_party(client={"connection_id": "another"})).once,
        received(
            logout_token(iss=OTHER_ISSUER), relying_party(provider={"issuer": OTHER_ISSUER})
        ).once,
    }
    assert len(names) == 5


@pytest.mark.parametrize(
    ("exp", "until"),
    [(NOW + 10, NOW + 10 + 60), (NOW + 120, NOW + 120 + 60), (NOW + 9_999, NOW + 121 + 60)],
)
def test_a_name_is_remembered_until_the_token_is_refused_anyway(exp: int, until: int) -> None:
    notice = received(logout_token(exp=exp))
    assert notice.until == until
    last = receive(RP, posted(logout_token(exp=exp)), now=until - 1)

    def at(now: int) -> object:
        step = receive(RP, posted(logout_token(exp=exp)), now=now)
        return resume(RP, step, keys(fetched_at=now, now=now))

    assert isinstance(last, NeedKeys)
    assert at(until - 1)
    with pytest.raises(ProtocolViolation) as caught:
        at(until)
    assert caught.value.code in {"exp_expired", "iat_too_old"}


# --- the look-up ---------------------------------------------------------------------------------

SECOND: Final = relying_party(client={"client_id": "client-2"})
ELSEWHERE: Final = relying_party(provider={"issuer": OTHER_ISSUER})
TWICE: Final = relying_party(client={"connection_id": "another"})


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({}, (0, 3)),
        ({"aud": "client-2"}, (1,)),
        ({"aud": ["client-2", CLIENT_ID]}, (0, 1, 3)),
        ({"iss": OTHER_ISSUER}, (2,)),
    ],
)
def test_the_client_is_found_by_what_the_token_says(
    changes: dict[str, Any], places: tuple[int, ...]
) -> None:
    rps = [RP, SECOND, ELSEWHERE, TWICE]
    assert addressees(rps, posted(logout_token(**changes))) == places
    forged = unsigned(logout_claims(**changes), alg="none")
    assert addressees(rps, posted(forged)) == places


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (logout_token(iss="https://third.example"), "iss_mismatch"),
        (logout_token(iss=OTHER_ISSUER, aud="client-2"), "aud_mismatch"),
        (logout_token(aud="client-3"), "aud_mismatch"),
        (logout_token(iss=None), "iss_missing"),
        (encrypted(logout_token()), "encryption_unexpected"),
        ("x", "jws_malformed"),
    ],
)
def test_a_token_for_no_client_is_refused(token: str, code: str) -> None:
    error = refused(
        ProtocolViolation, code, lambda: addressees([RP, SECOND, ELSEWHERE], posted(token))
    )
    assert error.of in {"logout_token", ""}


def test_an_encrypted_token_may_be_for_each_client_that_has_tokens_encrypted() -> None:
    rps = (RP, ENCRYPTED, SECOND)
    assert addressees(rps, posted(encrypted(logout_token()))) == (1,)
    told = encrypted(logout_token(), iss=ISSUER, aud="client-2")
    assert addressees(rps, posted(told)) == (2,)


def test_a_look_up_takes_a_request() -> None:
    nothing: Any = None
    refused(UsageError, "parameter_invalid", lambda: addressees((RP,), nothing))
    refused(
        ProtocolViolation,
        "logout_request_invalid",
        lambda: addressees((RP,), posted("x", method="GET")),
    )


# --- the answer ----------------------------------------------------------------------------------


@pytest.mark.req("OIDCBCL-2.8-01", "OIDCBCL-2.8-02")
def test_a_success_is_told() -> None:
    assert reply() == Reply(status=200, headers=(("cache-control", "no-store"),))


def answer(incoming: Incoming) -> Reply:
    try:
        done(with_keys(RP, receive(RP, incoming, now=NOW)))
    except OidcError as error:
        return reply(error)
    return reply()


@pytest.mark.req("OIDCBCL-2.6-07", "OIDCBCL-2.8-01", "OIDCBCL-2.8-02")
@pytest.mark.parametrize(
    ("token", "told"),
    [
        (logout_token(aud="other"), "aud_mismatch (aud of logout_token)"),
        (logout_token(iss=OTHER_ISSUER), "iss_mismatch (iss of logout_token)"),
        (logout_token(events={}), "event_unexpected (events of logout_token)"),
        (logout_token(events=None), "events_missing (events of logout_token)"),
        (logout_token(nonce="n"), "claim_forbidden (nonce of logout_token)"),
        (logout_token(exp=NOW - 60), "exp_expired (exp of logout_token)"),
        (signed(logout_claims(), typ="at+jwt"), "typ_unexpected (typ)"),
        (unsigned(logout_claims(), alg="none"),
         "alg_not_allowed (id_token_signed_response_alg)"),
        (signed(logout_claims(), signing_key(slot="stranger")), "signature_invalid"),
        (None, "logout_request_invalid (logout_token)"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_code_alone(token: str | None, told: str) -> None:
    answered = answer(posted(token))
    assert answered.status == 400
    assert answered.header("cache-control") == "no-store"
    assert json.loads(answered.body) == {"error": "invalid_request", "error_description": told}


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (TransportFailure("keys_unavailable"), 503, "60"),
        (TransportFailure("keys_unavailable", retry_after=5), 503, "5"),
        (StoreFailure("store_unavailable"), 503, "60"),
        (StoreFailure("record_invalid"), 503, "60"),
        (UsageError("unsupported_by_provider", about="jwks_uri"), 500, None),
        (ProtocolViolation("signature_invalid", retryable="later", retry_after=9), 400, None),
        (CallbackError("method_unexpected"), 400, None),
    ],
)
def test_what_is_not_the_senders_fault_can_be_tried_again(
    error: OidcError, status: int, after: str | None
) -> None:
    """K08."""
    answered = reply(error)
    assert (answered.status, answered.header("retry-after")) == (status, after)
    assert answered.header("cache-control") == "no-store"
    assert "jwks_uri" not in str(answered)


def test_only_a_refusal_is_answered() -> None:
    odd: Any = "error"
    refused(UsageError, "parameter_invalid", lambda: reply(odd))
