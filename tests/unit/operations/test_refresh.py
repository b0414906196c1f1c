"""A refresh: the tokens are renewed first, and the user in them is verified after."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.testing.signing import half_hash
from oidc_core.machine.steps import Exchange, KeysWithheld, NeedKeys, Step
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.refresh import Refreshed, TokensRenewed, renew, verify
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, NoAnswer
from oidc_core.wire.way import Channel, ChannelState
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    claims_for,
    done,
    form_of,
    json_response,
    keys,
    refused,
    relying_party,
    resume,
    token_answer,
    with_keys,
)
from tests.signing import mac_key, signed, signing_key, unsigned

ORIGINAL = signed(claims_for("nonce-1", auth_time=NOW - 10))
TOKENS = Tokens(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    access_token="access-0",
    refresh_token="refresh-0",
    id_token=ORIGINAL,
    scope="openid profile",
    resource=("urn:x",),
    expires_at=NOW - 100,
    subject=SUB,
    nonce="nonce-1",
    sid="s1",
    auth_time=NOW - 10,
)
STRICT = relying_party(policy=Policy(forbid_extra_scope=True))


def exchanged(
    rp: RelyingParty = RP, tokens: Tokens = TOKENS, **how: Any
) -> Exchange[TokensRenewed]:
    step = renew(rp, tokens, **how)
    assert isinstance(step, Exchange)
    return step


def renewed(id_token: str | None = None, *, rp: RelyingParty = RP, **members: Any) -> TokensRenewed:
    return done(resume(rp, exchanged(rp), token_answer(id_token, **members)))


def verifying(id_token: str, *, rp: RelyingParty = RP) -> Step[Refreshed]:
    return verify(rp, renewed(id_token, rp=rp), now=NOW)


def verified(id_token: str, *, rp: RelyingParty = RP) -> Refreshed:
    return done(with_keys(rp, verifying(id_token, rp=rp)))


# --- exchange ------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-12.1-01")
def test_a_refresh_sends_the_refresh_token_once() -> None:
    step = exchanged()
    assert form_of(step) == {"grant_type": "refresh_token", "refresh_token": "refresh-0"}
    assert (step.request.purpose, step.request.resend) == ("refresh", "if_unsent")
    assert "refresh-0" not in repr(step)


@pytest.mark.req("RFC6749-6-02")
def test_a_new_refresh_token_replaces_the_old_one() -> None:
    """J12."""
    tokens = renewed(refresh_token="refresh-1").tokens
    assert (tokens.refresh_token, tokens.access_token) == ("refresh-1", ACCESS_TOKEN)


@pytest.mark.req("RFC6749-6-02", "OIDCC-12.2-01")
@pytest.mark.parametrize("refresh_token", [None, ""])
def test_what_the_provider_does_not_send_again_stays(refresh_token: str | None) -> None:
    """J09, J12."""
    tokens = renewed(refresh_token=refresh_token).tokens
    assert tokens == evolve(TOKENS, access_token=ACCESS_TOKEN, expires_at=NOW + 3600)


def test_the_new_access_token_has_a_lifetime_of_its_own() -> None:
    assert renewed(expires_in=None).tokens.expires_at is None
    assert renewed(expires_in=60).tokens.expires_at == NOW + 60
    odd = renewed(expires_in="soon")
    assert (odd.tokens.expires_at, odd.notes) == (None, ("expires_in is malformed",))


@pytest.mark.req("RFC6749-6-01", "RFC6749-3.3-02")
@pytest.mark.parametrize(
    ("asked", "granted", "scope"),
    [
        ("", None, "openid profile"),
        ("openid", None, "openid"),
        ("openid", "openid", "openid"),
        ("", "openid", "openid"),
        ("", "", ""),
        ("", "openid profile admin", "openid profile admin"),
    ],
)
def test_the_scope_is_the_granted_one_else_the_one_asked_for(
    asked: str, granted: str | None, scope: str
) -> None:
    """C20, J14."""
    step = exchanged(scope=asked)
    answer = token_answer(None, scope=granted)
    assert done(resume(RP, step, answer)).tokens.scope == scope


@pytest.mark.req("RFC6749-6-01")
def test_a_scope_beyond_the_granted_one_is_refused() -> None:
    """C20, J14."""
    refused(UsageError, "parameter_invalid", lambda: exchanged(scope="openid admin"))
    step = exchanged(STRICT)
    wider = token_answer(None, scope="openid admin")
    refused(ProtocolViolation, "scope_unexpected", lambda: resume(STRICT, step, wider))
    narrowed = exchanged(STRICT, scope="openid")
    more = token_answer(None, scope="openid profile")
    refused(ProtocolViolation, "scope_unexpected", lambda: resume(STRICT, narrowed, more))
    for scope in ("openid", "profile openid", "", None):
        narrower = token_answer(None, scope=scope)
        assert done(resume(STRICT, step, narrower)).tokens.subject == SUB


def test_under_a_policy_that_says_so_new_tokens_come_from_a_server_that_was_verified() -> None:
    rp = relying_party(policy=Policy(require_verified_channel=True))
    step = exchanged(rp)
    answer = token_answer(None)
    channels: tuple[ChannelState, ...] = ("unverified", "not_told")
    for channel in channels:
        odd = evolve(answer, channel=Channel(channel))
        error = refused(ProtocolViolation, "channel_unverified", partial(resume, rp, step, odd))
        assert (error.about, error.found) == ("channel", channel)
    good = evolve(answer, channel=Channel("verified"))
    assert done(resume(rp, step, good)).tokens.access_token == ACCESS_TOKEN


def test_tokens_that_are_bound_to_a_key_stay_bound_to_it() -> None:
    bound = evolve(TOKENS, thumbprint="of-a-key")
    step = exchanged(tokens=bound)
    assert done(resume(RP, step, token_answer(None))).tokens.thumbprint == "of-a-key"


def test_tokens_go_back_to_their_own_provider_and_client_only() -> None:
    """B25, J07."""
    for foreign in (evolve(TOKENS, issuer=OTHER_ISSUER), evolve(TOKENS, client_id="client-2")):
        refused(UsageError, "client_issuer_mismatch", partial(renew, RP, foreign))
        held = TokensRenewed(tokens=foreign)
        refused(UsageError, "client_issuer_mismatch", partial(verify, RP, held, now=NOW))
    bare = evolve(TOKENS, refresh_token=None)
    refused(UsageError, "refresh_token_missing", lambda: renew(RP, bare))


@pytest.mark.req("OIDCC-12.3-01")
def test_a_refresh_token_that_is_refused_is_over() -> None:
    """J13."""
    step = exchanged()
    answer = json_response({"error": "invalid_grant"}, status=400)
    error = refused(ProviderError, "provider_error", lambda: resume(RP, step, answer))
    assert isinstance(error, ProviderError)
    assert (error.error, error.retryable) == ("invalid_grant", "restart")


def test_a_refresh_that_may_have_arrived_is_in_doubt() -> None:
    """J11."""
    step = exchanged()
    lost, unsent = NoAnswer("maybe", "http_timeout", NOW), NoAnswer("no", "http_timeout", NOW)
    error = refused(TransportFailure, "refresh_in_doubt", lambda: resume(RP, step, lost))
    assert (error.retryable, error.found) == ("later", "http_timeout")
    refused(TransportFailure, "http_timeout", lambda: resume(RP, step, unsent))


FAILED: Final[list[tuple[HttpResponse, str]]] = [
    (json_response(b"", status=500), "http_status_unexpected: found 500"),
    (json_response(b"<html>", status=502, content_type="text/html"), "http_status_unexpected"),
    (json_response({"error": "server_error"}, status=503), "provider_error: found 'server_error'"),
    (json_response({}, status=204), "http_status_unexpected: found 204"),
    (json_response(b"{"), "json_malformed"),
    (json_response(b"[]"), "json_not_object"),
    (json_response({"refresh_token": "r"}, content_type="text/html"), "content_type_unexpected"),
]


@pytest.mark.parametrize(("answer", "found"), FAILED)
def test_a_refresh_that_failed_or_cannot_be_read_is_in_doubt(
    answer: HttpResponse, found: str
) -> None:
    """J11: the refresh token may have been used; and no login helps while a provider is down."""
    error = refused(TransportFailure, "refresh_in_doubt", lambda: resume(RP, exchanged(), answer))
    assert (error.retryable, error.kind) == ("later", "later")
    assert str(error.found).startswith(found)
    assert error.place is not None
    assert error.place.purpose == "refresh"
    assert isinstance(error.__cause__, OidcError)
    assert error.__cause__.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "kind"),
    [
        (json_response(b"", status=400), "http_status_unexpected", "later", "later"),
        (json_response({}, status=400), "http_status_unexpected", "later", "later"),
        (json_response(b"", status=429), "http_status_unexpected", "later", "later"),
        (json_response(b"", status=401), "http_status_unexpected", "no", "configuration"),
        (json_response(b"", status=404), "http_status_unexpected", "no", "configuration"),
        (
            json_response({"error": "invalid_grant"}, status=400),
            "provider_error",
            "restart",
            "stale",
        ),
        (
            json_response({"error": "invalid_client"}, status=401),
            "provider_error",
            "no",
            "configuration",
        ),
        (
            json_response({"error": "temporarily_unavailable"}, status=400),
            "provider_error",
            "later",
            "later",
        ),
    ],
)
def test_an_answer_that_refuses_a_refresh_says_what_helps(
    answer: HttpResponse, code: str, retryable: str, kind: str
) -> None:
    """J13: of a status of 400 without an OAuth error the first may be a gateway's."""
    with pytest.raises(OidcError) as caught:
        resume(RP, exchanged(), answer)
    error = caught.value
    assert (error.code, error.retryable, error.kind) == (code, retryable, kind)
    assert error.__cause__ is None  # and not the error itself: a reader of causes would not end


GOOD: Final = {"access_token": ACCESS_TOKEN, "token_type": "Bearer"}
REFUSED: Final[list[tuple[dict[str, Any], str]]] = [
    ({"token_type": "DPoP"}, "token_type_mismatch"),
    ({"token_type": None}, "token_type_mismatch"),
    ({"access_token": None}, "token_response_invalid"),
    ({"access_token": 5}, "token_response_invalid"),
    ({"access_token": "a\r\nb"}, "access_token_malformed"),
    ({"id_token": 5}, "token_response_invalid"),
    ({"id_token": ["a.b.c"]}, "token_response_invalid"),
    ({"scope": "openid profile admin"}, "scope_unexpected"),
    ({"error": "server_error"}, "provider_error"),
]


@pytest.mark.parametrize(("members", "code"), REFUSED)
def test_the_answer_is_read_as_strictly_as_at_login(members: dict[str, Any], code: str) -> None:
    """I16, I17, I19."""
    with pytest.raises(OidcError) as caught:
        resume(STRICT, exchanged(STRICT), json_response({**GOOD, **members}))
    assert caught.value.code == code


@pytest.mark.req("RFC6749-6-02")
@pytest.mark.parametrize(("members", "code"), REFUSED)
def test_the_new_refresh_token_of_a_refused_answer_is_not_lost(
    members: dict[str, Any], code: str
) -> None:
    """J12: the values to store come first, and then the reason why the rest is not used."""
    answer = json_response({**GOOD, "refresh_token": "refresh-1", **members})
    kept = done(resume(STRICT, exchanged(STRICT), answer))

    assert kept.tokens == evolve(TOKENS, refresh_token="refresh-1")
    assert kept.id_token is None
    for _ in range(2):
        with pytest.raises(OidcError) as caught:
            verify(STRICT, kept, now=NOW)
        error = caught.value
        assert error.code == code
        assert error is not kept.refusal
        assert error.place is not None
        assert error.place.purpose == "refresh"
    assert pickle.loads(pickle.dumps(kept)) == kept
    assert "refresh-1" not in repr(kept)
    again = form_of(exchanged(STRICT, kept.tokens))
    assert again["refresh_token"] == "refresh-1"


def test_a_malformed_scope_or_refresh_token_costs_nothing_else() -> None:
    """C20."""
    joined = renewed(refresh_token="refresh-1", scope=["openid", "profile"])
    assert (joined.tokens.refresh_token, joined.tokens.scope) == ("refresh-1", "openid profile")
    odd = renewed(signed(claims_for()), refresh_token=5, scope=7)
    assert (odd.tokens.refresh_token, odd.tokens.scope) == ("refresh-0", "")
    assert len(odd.notes) == 2
    assert done(with_keys(RP, verify(RP, odd, now=NOW))).notes == odd.notes
    assert done(verify(RP, joined, now=NOW)).notes == joined.notes != ()


# --- verify --------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-12.2-01")
def test_without_an_id_token_the_identity_stays_and_nothing_is_refreshed() -> None:
    """J09."""
    result = done(verify(RP, renewed(), now=NOW))

    assert (result.id_token, result.claims_refreshed, result.evidence) == (None, False, None)
    assert (result.tokens.subject, result.tokens.id_token) == (SUB, ORIGINAL)


@pytest.mark.req("OIDCC-12.2-05", "OIDCC-12.2-06", "OIDCC-12.2-07")
def test_a_good_id_token_refreshes_the_claims_and_not_the_session() -> None:
    later = signed(claims_for(None, email="new@example.org", auth_time=NOW - 5))
    result = verified(later)

    assert result.claims_refreshed
    assert result.id_token is not None
    assert result.id_token.claims["email"] == "new@example.org"
    assert (result.tokens.id_token, result.tokens.auth_time) == (ORIGINAL, NOW - 10)
    assert result.evidence is not None
    assert (result.evidence.of, result.evidence.alg) == ("refreshed_id_token", "ES256")
    assert later not in repr(renewed(later))


@pytest.mark.req(
    "OIDCC-12.2-02",
    "OIDCC-12.2-03",
    "OIDCC-12.2-04",
    "OIDCC-12.2-05",
    "OIDCC-12.2-06",
    "OIDCC-12.2-07",
)
@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("iss_mismatch", {"iss": OTHER_ISSUER}),
        ("iss_missing", {"iss": None}),
        ("sub_mismatch", {"sub": "Bob"}),
        ("sub_missing", {"sub": None}),
        ("aud_mismatch", {"aud": [CLIENT_ID, "other"]}),
        ("aud_missing", {"aud": None}),
        ("nonce_mismatch", {"nonce": "other"}),
        ("auth_time_mismatch", {"auth_time": NOW - 11}),
        ("azp_mismatch", {"azp": "other"}),
        ("exp_expired", {"exp": NOW - 60}),
        ("exp_missing", {"exp": None}),
        ("iat_missing", {"iat": None}),
        ("at_hash_mismatch", {"at_hash": half_hash("ES256", "access-0")}),
        ("claim_forbidden", {"events": {}}),
    ],
)
def test_an_id_token_of_another_user_or_session_is_refused(
    code: str, changes: dict[str, Any]
) -> None:
    """J08."""
    token = signed(claims_for(None, **changes))
    error = refused(ProtocolViolation, code, lambda: verified(token))
    assert (error.about, error.of) == (next(iter(changes)), "id_token")


@pytest.mark.req("OIDCC-12.2-07")
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (unsigned(claims_for(), alg="none"), "alg_not_allowed"),
        (signed(claims_for(), mac_key()), "alg_not_allowed"),
        (signed(claims_for(), signing_key(slot="evil")), "signature_invalid"),
        (signed(claims_for(), typ="logout+jwt"), "typ_unexpected"),
        ("a.b", "jws_malformed"),
    ],
)
def test_an_id_token_that_nobody_signed_is_refused(token: str, code: str) -> None:
    """J08, D29."""
    step = verifying(token)
    assert isinstance(step, NeedKeys)
    refused(ProtocolViolation, code, lambda: resume(RP, step, keys()))


def test_the_at_hash_is_that_of_the_new_access_token() -> None:
    token = signed(claims_for(None, at_hash=half_hash("ES256", ACCESS_TOKEN)))
    assert verified(token).claims_refreshed


def test_a_key_endpoint_that_is_down_does_not_lose_the_new_tokens() -> None:
    """J12: they are known, and can be stored, before any key is asked for."""
    result = renewed(signed(claims_for()), refresh_token="refresh-1")
    assert result.tokens.refresh_token == "refresh-1"
    step = verify(RP, result, now=NOW)
    assert isinstance(step, NeedKeys)
    assert step.wanted.source == "solicited"
    refused(
        TransportFailure, "keys_unavailable", lambda: resume(RP, step, KeysWithheld("unreachable"))
    )


def test_a_mac_is_verified_with_the_client_s_secret() -> None:
    rp = relying_party(client={"id_token_signed_response_alg": "HS256"})
    assert done(verifying(signed(claims_for(), mac_key()), rp=rp)).claims_refreshed


@pytest.mark.parametrize("stored", ["", "damaged", "e30.W10.e30", "e30.!.e30", "a.b.c.d.e"])
def test_a_stored_id_token_that_is_damaged_is_the_store_s_failure(stored: str) -> None:
    broken = evolve(renewed(signed(claims_for())), tokens=evolve(TOKENS, id_token=stored))
    refused(StoreFailure, "record_invalid", lambda: verify(RP, broken, now=NOW))


ODD_RECORDS: list[tuple[str, Tokens]] = [
    ("subject", evolve(TOKENS, subject="Bob")),
    ("subject", evolve(TOKENS, subject="")),
    ("subject", evolve(TOKENS, id_token=signed(claims_for("nonce-1", sub="Bob")))),
    ("subject", evolve(TOKENS, id_token=signed(claims_for("nonce-1", sub=5)))),
    ("issuer", evolve(TOKENS, id_token=signed(claims_for("nonce-1", iss=OTHER_ISSUER)))),
    ("issuer", evolve(TOKENS, id_token=signed(claims_for("nonce-1", iss=None)))),
]


@pytest.mark.parametrize(("about", "record"), ODD_RECORDS)
def test_a_record_is_of_the_user_and_issuer_of_its_own_id_token(about: str, record: Tokens) -> None:
    mixed = evolve(renewed(signed(claims_for())), tokens=record)
    error = refused(StoreFailure, "record_invalid", lambda: verify(RP, mixed, now=NOW))
    assert error.about == about


@pytest.mark.parametrize("odd", [None, "tokens", {}, 5, RP])
def test_arguments_of_a_refresh_are_named_where_they_are_none(odd: Any) -> None:
    wrong: Any = odd
    good = renewed(signed(claims_for()))
    other: Any = None if odd is RP else odd
    late: Any = "1" if odd == 5 else odd
    for about, call in (
        ("tokens", lambda: renew(RP, wrong)),
        ("rp", lambda: renew(other, TOKENS)),
        ("renewed", lambda: verify(RP, wrong, now=NOW)),
        ("rp", lambda: verify(other, good, now=NOW)),
        ("now", lambda: verify(RP, good, now=late)),
    ):
        assert refused(UsageError, "parameter_invalid", call).about == about
