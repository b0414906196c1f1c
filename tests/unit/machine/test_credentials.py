"""How the client authenticates, and what its assertions say."""

import json
from base64 import b64decode
from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.credentials import (
    ASSERTION_TYPE,
    assertion_payload,
    basic_credentials,
    client_assertion,
    client_authentication,
    client_request,
    encoded_header,
    signing_input,
)
from oidc_core.model.client import AuthMethod
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    HttpRequest,
    Parameters,
)
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from oidc_core.wire.way import Way
from tests.unit.parties import CLIENT, CLIENT_ID, ISSUER, NOW, PROVIDER, relying_party, with_quirks


def with_method(method: AuthMethod, *quirks: str) -> RelyingParty:
    client = evolve(CLIENT, token_endpoint_auth_method=method)
    return evolve(with_quirks(*quirks), client=client)


def assertion(alg: str, audience: str = ISSUER, lifetime: int = 60) -> ClientAssertion:
    return ClientAssertion(
        issuer=ISSUER, client_id=CLIENT_ID, audience=audience, alg=alg, lifetime=lifetime
    )


def with_assertion(alg: str, audience: str = ISSUER) -> Parameters:
    return (
        ("client_id", CLIENT_ID),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion(alg, audience)),
    )


@pytest.mark.req("RFC7521-4.2-01")
@pytest.mark.parametrize(
    ("method", "headers", "form"),
    [
        (
            "client_secret_basic",
            (
                (
                    "authorization",
                    BasicCredentials(issuer=ISSUER, client_id=CLIENT_ID, raw=False),
                ),
            ),
            (),
        ),
        (
            "client_secret_post",
            (),
            (
                ("client_id", CLIENT_ID),
                ("client_secret", ClientSecret(issuer=ISSUER, client_id=CLIENT_ID)),
            ),
        ),
        ("client_secret_jwt", (), with_assertion("HS256")),
        ("private_key_jwt", (), with_assertion("RS256")),
        ("none", (), (("client_id", CLIENT_ID),)),
    ],
)
def test_a_client_authenticates_in_one_way_only(
    method: AuthMethod, headers: Parameters, form: Parameters
) -> None:
    assert client_authentication(with_method(method)) == (headers, form)


# --- requests ------------------------------------------------------------------------------------

ASKED: Parameters = (("grant_type", "refresh_token"), ("refresh_token", "r-1"))
METHODS: tuple[AuthMethod, ...] = (
    "none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_request_of_the_client_is_authenticated_and_sent_once(method: AuthMethod) -> None:
    rp = with_method(method)
    headers, form = client_authentication(rp)
    assert client_request(rp, "refresh", "token_endpoint", ASKED, max_body=7) == HttpRequest(
        purpose="refresh",
        method="POST",
        url="https://op.example/token",
        way=Way(reach="any"),
        headers=(("accept", "application/json"), *headers),
        form=(*ASKED, *form),
        issuer=ISSUER,
        client_id=CLIENT_ID,
        role="authorization_server",
        resend="if_unsent",
        max_body=7,
        deadline=10,
    )


@pytest.mark.parametrize("name", ["introspection_endpoint", "revocation_endpoint"])
def test_a_request_goes_to_the_endpoint_that_is_named(name: str) -> None:
    elsewhere: dict[str, Any] = {name: f"{ISSUER}/elsewhere"}
    rp = relying_party(evolve(PROVIDER, **elsewhere))
    request = client_request(rp, "token", name, (), max_body=1)
    assert (request.url, request.form) == (f"{ISSUER}/elsewhere", ())
    with pytest.raises(UsageError) as caught:
        client_request(relying_party(), "token", name, (), max_body=1)
    assert (caught.value.code, caught.value.about) == ("unsupported_by_provider", name)


# --- credentials ---------------------------------------------------------------------------------


def test_raw_credentials_are_a_quirk() -> None:
    headers, _ = client_authentication(with_quirks("basic_raw_credentials"))
    raw = BasicCredentials(issuer=ISSUER, client_id=CLIENT_ID, raw=True)
    assert headers == (("authorization", raw),)


@pytest.mark.req("RFC7521-5.2-01")
def test_an_assertion_is_for_the_issuer_unless_a_quirk_says_otherwise() -> None:
    assert client_assertion(with_method("private_key_jwt")) == assertion("RS256")
    quirky = with_method("private_key_jwt", "assertion_audience_token_endpoint")
    assert client_assertion(quirky) == assertion("RS256", "https://op.example/token")
    nowhere = evolve(quirky, provider=evolve(PROVIDER, token_endpoint=None))
    with pytest.raises(UsageError) as caught:
        client_assertion(nowhere)
    assert caught.value.code == "unsupported_by_provider"


def test_an_assertion_lives_as_long_as_the_policy_says() -> None:
    rp = relying_party()
    policy = evolve(rp.policy, assertion_lifetime=30)
    assert client_assertion(evolve(rp, policy=policy)).lifetime == 30


@pytest.mark.req("RFC7523-3-01", "RFC7523-3-02", "RFC7521-3-01")
def test_an_assertion_says_who_to_whom_and_until_when() -> None:
    payload = assertion_payload(assertion("RS256"), now=NOW, jti="unique")
    assert parse_object(payload.encode("ascii")) == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": ISSUER,
        "jti": "unique",
        "iat": NOW,
        "exp": NOW + 60,
    }


@pytest.mark.parametrize("odd", ['a"b', "a\\b", "é", "\ud800", "\x00", "{}", ""])
def test_no_text_breaks_out_of_an_assertion(odd: str) -> None:
    named = evolve(assertion("RS256"), client_id=odd, audience=odd)
    members = json.loads(assertion_payload(named, now=NOW, jti=odd))
    assert members == {
        "iss": odd, "sub": odd, "aud": odd, "jti": odd, "iat": NOW, "exp": NOW + 60
    }  # fmt: skip


@pytest.mark.req("OIDCC-10.1-02", "RFC7523-2.2-01")
def test_header_and_claims_are_what_is_signed() -> None:
    members: dict[str, JsonValue] = {"alg": "RS256", "kid": "é", "jwk": JsonObject({"kty": "EC"})}
    header, payload = encoded_header(members), '{"iss":"x","exp":1}'
    first, second = signing_input(header, payload).split(b".")
    assert parse_object(b64url_decode(first)) == members
    assert b64url_decode(second) == payload.encode()


@pytest.mark.req("RFC6749-2.3.1-01")
@pytest.mark.parametrize(
    ("client_id", "secret", "encoded", "raw"),
    [
        ("client", "secret", b"client:secret", b"client:secret"),
        ("a:b", "c:d", b"a%3Ab:c%3Ad", b"a:b:c:d"),
        ("a b", "c+d", b"a%20b:c%2Bd", b"a b:c+d"),
        ("a", "%é/=", b"a:%25%C3%A9%2F%3D", "a:%é/=".encode()),
        ("a", "", b"a:", b"a:"),
    ],
)
def test_basic_credentials_are_percent_encoded_first(
    client_id: str, secret: str, encoded: bytes, raw: bytes
) -> None:
    scheme, _, value = basic_credentials(client_id, secret, raw=False).partition(" ")
    assert (scheme, b64decode(value, validate=True)) == ("Basic", encoded)
    value = basic_credentials(client_id, secret, raw=True).removeprefix("Basic ")
    assert b64decode(value, validate=True) == raw
