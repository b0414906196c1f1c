"""UserInfo on its own: of a login that ended before, with its access token."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any, Final

import pytest
from attrs import evolve

import oidc_core
from oidc_adapters.crypto import ClientDecrypter
from oidc_core.machine.steps import Done, Exchange, KeysWithheld, NeedKeys
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.operations import userinfo
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.encryption import ECDH, P256, encrypted
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
    json_response,
    keys,
    refused,
    relying_party,
    resume,
    with_keys,
)
from tests.signing import SECRET, signed, signing_key

NEVER: Final = relying_party(policy=Policy(userinfo="never"))
SIGNED: Final = relying_party(client={"userinfo_signed_response_alg": "ES256"})
TOKENS: Final = Tokens(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    access_token=ACCESS_TOKEN,
    id_token=signed(claims_for("n")),
    scope="openid",
    subject=SUB,
)


def jwt(token: str) -> HttpResponse:
    return json_response(token.encode(), content_type="application/jwt")


def asked(rp: Any = RP, **changes: Any) -> Exchange[Any]:
    step = userinfo.fetch(rp, evolve(TOKENS, **changes))
    assert isinstance(step, Exchange)
    return step


@pytest.mark.req("OIDCC-5.3.1-01", "OIDCC-5.3.2-03")
@pytest.mark.parametrize("rp", [RP, NEVER])
def test_userinfo_is_asked_for_with_the_access_token_of_the_login(rp: Any) -> None:
    """Whether a login asks for it is another matter."""
    step = asked(rp)
    assert ("authorization", f"Bearer {ACCESS_TOKEN}") in step.request.headers
    assert (step.request.purpose, step.request.url) == ("userinfo", f"{ISSUER}/userinfo")

    said, evidence = done(resume(rp, step, json_response({"sub": SUB, "name": "Alice"})))
    assert (said.sub, said.claims["name"]) == (SUB, "Alice")
    assert (evidence.of, evidence.checked_at) == ("userinfo", NOW)
    assert oidc_core.userinfo is userinfo


ANSWERS: Final[list[tuple[Any, type[OidcError], str]]] = [
    (json_response({"sub": "Bob"}), ProtocolViolation, "sub_mismatch"),
    (json_response({}), ProtocolViolation, "sub_missing"),
    (json_response({"sub": SUB, "iss": OTHER_ISSUER}), ProtocolViolation, "iss_mismatch"),
    (json_response(b"{"), ProtocolViolation, "json_malformed"),
    (json_response({}, content_type="text/plain"), ProtocolViolation, "content_type_unexpected"),
    (json_response({}, status=500), ProtocolViolation, "http_status_unexpected"),
    (
        HttpResponse(401, (("www-authenticate", 'Bearer error="invalid_token"'),), b"", NOW),
        ProviderError,
        "provider_error",
    ),
    (NoAnswer("maybe", "http_timeout", NOW), TransportFailure, "http_timeout"),
]


@pytest.mark.req("OIDCC-5.3.2-02")
@pytest.mark.parametrize(("answer", "kind", "code"), ANSWERS)
def test_whatever_is_wrong_with_it_is_raised(answer: Any, kind: Any, code: str) -> None:
    """J01."""
    error = refused(kind, code, partial(resume, RP, asked(), answer))
    assert error.place is not None
    assert error.place.purpose == "userinfo"


@pytest.mark.req("OIDCC-5.3.2-06")
def test_signed_userinfo_is_verified_first() -> None:
    """J03."""
    step = resume(SIGNED, asked(SIGNED), jwt(signed({"sub": SUB, "name": "A"})))
    assert isinstance(step, NeedKeys)
    said, evidence = done(with_keys(SIGNED, step))
    assert (said.claims["name"], evidence.alg) == ("A", "ES256")
    refused(
        TransportFailure,
        "keys_unavailable",
        lambda: resume(SIGNED, step, KeysWithheld("throttled")),
    )
    for claims, key, code in (
        ({"sub": SUB}, signing_key(slot="evil"), "signature_invalid"),
        ({"sub": "Bob"}, signing_key(), "sub_mismatch"),
        ({"sub": SUB, "aud": "other"}, signing_key(), "aud_mismatch"),
    ):
        wrong = resume(SIGNED, asked(SIGNED), jwt(signed(claims, key)))
        assert isinstance(wrong, NeedKeys)
        refused(ProtocolViolation, code, partial(resume, SIGNED, wrong, keys()))


@pytest.mark.req("OIDCC-5.3.2-07")
def test_encrypted_userinfo_is_decrypted() -> None:
    rp = relying_party(
        client={
            "userinfo_encrypted_response_alg": ECDH.alg,
            "userinfo_encrypted_response_enc": ECDH.enc,
        },
        decrypter=ClientDecrypter(P256, client_secrets={(ISSUER, CLIENT_ID): SECRET}),
    )
    plain = '{"sub":"' + SUB + '","name":"A"}'
    said, evidence = done(resume(rp, asked(rp), jwt(encrypted(plain))))
    assert said.claims["name"] == "A"
    assert evidence.notes == ("decrypted: ECDH-ES+A128KW A128GCM",)


def test_tokens_go_nowhere_but_to_their_own_provider_and_name_their_own_user() -> None:
    """J07."""
    for change in ({"issuer": OTHER_ISSUER}, {"client_id": "other"}):
        refused(UsageError, "client_issuer_mismatch", partial(asked, **change))
    for change, about in (
        ({"subject": "Bob"}, "subject"),
        ({"id_token": "x"}, "id_token"),
        ({"id_token": signed(claims_for("n", iss=OTHER_ISSUER))}, "issuer"),
    ):
        error = refused(StoreFailure, "record_invalid", partial(asked, **change))
        assert error.about == about
    without = relying_party(provider={"userinfo_endpoint": None})
    refused(UsageError, "unsupported_by_provider", lambda: asked(without))
    wrong: Any = None
    refused(UsageError, "parameter_invalid", lambda: userinfo.fetch(wrong, TOKENS))
    refused(UsageError, "parameter_invalid", lambda: userinfo.fetch(RP, wrong))


def test_what_waits_for_it_is_a_value_and_shows_no_secret() -> None:
    step = asked()
    assert pickle.loads(pickle.dumps(step)) == step
    for secret in (ACCESS_TOKEN, SUB, TOKENS.id_token):
        assert secret not in repr(step)
    assert not isinstance(step, Done)
