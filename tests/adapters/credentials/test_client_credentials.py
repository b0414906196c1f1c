import copy
import json
import pickle
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.credentials.client_credentials import (
    ClientCredentials,
    Credentials,
    credentials_for,
)
from oidc_adapters.credentials.client_keys import AsyncSigner, ClientKey, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys, DpopNonces
from oidc_adapters.crypto import CryptographyVerifier
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_core.endpoints.tokens import refresh_request
from oidc_core.endpoints.userinfo import userinfo_request
from oidc_core.machine.dpop import proof_of, with_proof
from oidc_core.model.client import AuthMethod, ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    HttpRequest,
    HttpResponse,
    ParameterValue,
    WireRequest,
)
from oidc_core.wire.jsontypes import JsonObject
from tests.flows.rig import NOW, run_asyncio, run_trio
from tests.parties import keys_wanted

ISSUER: Final = "https://op.example"
SECRET: Final = "canary secret: 100% of it + a bit & more, 64 octets of it at least.."
KEY: Final = ClientKey(
    Ed25519PrivateKey.from_private_bytes(bytes(range(32))), alg="EdDSA", kid="our-key"
)
METADATA: Final = ProviderMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    jwks_uri=f"{ISSUER}/jwks",
)


class RemoteKey:
    """A key service: a caller must wait for its signatures."""

    alg = "EdDSA"
    kid = "remote"
    calls: int

    def __init__(self, pause: Callable[[], Awaitable[None]] | None = None) -> None:
        self.calls = 0
        self._pause = pause

    def public_jwk(self) -> JsonObject:
        return KEY.public_jwk()

    async def sign(self, signing_input: bytes) -> bytes:
        self.calls += 1
        if self._pause is not None:
            await self._pause()
        return KEY.sign(signing_input)


class Handed:
    """An awaitable that is not a coroutine, as a future is."""

    def __await__(self) -> Generator[None, None, bytes]:
        yield from ()
        return b"signature"


class FutureKey(RemoteKey):
    """A key service that hands out futures."""

    def sign(self, signing_input: bytes) -> Any:
        return Handed()


def relying_party(
    method: AuthMethod = "client_secret_basic", *, client_id: str = "client", **changed: Any
) -> RelyingParty:
    registration: dict[str, Any] = changed.pop("registration", {})
    if method == "private_key_jwt":
        registration = {"token_endpoint_auth_signing_alg": "EdDSA", **registration}
    return RelyingParty(
        provider=METADATA,
        client=ClientRegistration(
            client_id=client_id,
            redirect_uris=("https://rp.example/callback",),
            token_endpoint_auth_method=method,
            **registration,
        ),
        verifier=changed.pop("verifier", CryptographyVerifier()),
        **changed,
    )


def token_request(rp: RelyingParty) -> HttpRequest:
    tokens = Tokens(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        access_token="an access token",
        refresh_token="a refresh token",
        id_token="",
        scope="openid",
        subject="alice",
    )
    return refresh_request(rp, tokens)


def prepared(credentials: Credentials, request: HttpRequest, seed: int = 1) -> WireRequest:
    return credentials.prepare(request, now=NOW, entropy=FixedEntropy(seed))


def own(rp: RelyingParty, **named: Any) -> Credentials:
    """Return credentials of all kinds, for the methods that use one."""
    if rp.client.token_endpoint_auth_method == "none":
        named = {name: held for name, held in named.items() if name not in {"secret", "keys"}}
    return Credentials(credentials_for(rp, **named))


def form_of(wire: WireRequest) -> dict[str, str]:
    assert wire.body is not None
    return dict(parse_qsl(wire.body.decode("ascii"), strict_parsing=True))


def claims_of(assertion: str) -> Any:
    return json.loads(b64url_decode(assertion.split(".")[1].encode()))


def header_of(assertion: str) -> Any:
    return json.loads(b64url_decode(assertion.split(".", maxsplit=1)[0].encode()))


def basic_of(wire: WireRequest) -> bytes:
    import base64

    (value,) = [value for name, value in wire.headers if name == "authorization"]
    scheme, _, encoded = value.partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(encoded, validate=True)


def refusal(credentials: Credentials, request: HttpRequest) -> str:
    return code_of(lambda: prepared(credentials, request))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(OidcError) as caught:
        call()
    return caught.value.code


# --- what goes over the wire ---------------------------------------------------------------------


def test_a_prepared_request_is_the_described_one_with_its_form_rendered() -> None:
    rp = relying_party("none")
    request = token_request(rp)

    wire = prepared(own(rp), request)

    assert ("POST", f"{ISSUER}/token") == (wire.method, wire.url)
    assert (request.resend, request.max_body, request.deadline) == (
        wire.resend,
        wire.max_body,
        wire.deadline,
    )
    assert wire.headers == (
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
    )
    assert (
        wire.body
    ) == b"grant_type=refresh_token&refresh_token=a%20refresh%20token&client_id=client"


def test_a_request_without_a_form_has_no_body() -> None:
    rp = relying_party()

    wire = prepared(own(rp, secret=SECRET), userinfo_request(rp, "abc"))

    assert wire.body is None
    assert ("authorization", "Bearer abc") in wire.headers
    assert "content-type" not in dict(wire.headers)


def test_basic_credentials_are_percent_encoded_and_never_have_a_plus_for_a_space() -> None:
    rp = relying_party(client_id="our client")

    user, _, password = basic_of(prepared(own(rp, secret=SECRET), token_request(rp))).partition(
        b":"
    )

    assert user == b"our%20client"
    assert b"+" not in password
    assert b"canary%20secret%3A%20100%25%20of%20it%20%2B%20a%20bit%20%26%20more" in password
    assert SECRET.encode() == unquote_to_bytes(password)


def test_a_quirk_sends_basic_credentials_as_they_are() -> None:
    policy = Policy(quirks=frozenset({"basic_raw_credentials"}))
    rp = relying_party(client_id="our client", policy=policy)

    decoded = basic_of(prepared(own(rp, secret=SECRET), token_request(rp)))

    assert f"our client:{SECRET}".encode() == decoded


def test_a_secret_in_the_form_is_encoded() -> None:
    rp = relying_party("client_secret_post")

    wire = prepared(own(rp, secret=SECRET), token_request(rp))

    assert form_of(wire)["client_secret"] == SECRET
    assert b"+" not in (wire.body or b"")
    assert "authorization" not in dict(wire.headers)


# --- assertions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_an_assertion_is_made_anew_for_each_transmission(method: AuthMethod) -> None:
    rp = relying_party(method)
    credentials = own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    request, entropy = token_request(rp), FixedEntropy(7)

    assertions = [
        form_of(credentials.prepare(request, now=NOW + n, entropy=entropy))["client_assertion"]
        for n in range(20)
    ]
    claims = [claims_of(assertion) for assertion in assertions]

    assert len({one["jti"] for one in claims}) == 20
    assert [NOW + n for n in range(20)] == [one["iat"] for one in claims]
    assert {60} == {one["exp"] - one["iat"] for one in claims}
    assert {ISSUER} == {one["aud"] for one in claims}
    assert {("client", "client")} == {(one["iss"], one["sub"]) for one in claims}


def test_an_assertion_names_its_key_and_verifies() -> None:
    rp = relying_party("private_key_jwt")

    form = form_of(prepared(own(rp, keys=ClientKeys[Signer](KEY)), token_request(rp)))
    head, _, signature = form["client_assertion"].rpartition(".")

    assert header_of(head) == {"alg": "EdDSA", "typ": "JWT", "kid": "our-key"}
    assert KEY.sign(head.encode()) == b64url_decode(signature.encode())


def test_a_mac_names_no_key() -> None:
    rp = relying_party("client_secret_jwt")

    form = form_of(prepared(own(rp, secret=SECRET), token_request(rp)))

    assert header_of(form["client_assertion"]) == {"alg": "HS256", "typ": "JWT"}


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_a_key_service_is_waited_for(run: Callable[[Callable[[], Awaitable[Any]]], Any]) -> None:
    async def pause() -> None:
        if run is run_trio:
            import trio

            await trio.lowlevel.checkpoint()
        else:
            import asyncio

            await asyncio.sleep(0)

    remote = RemoteKey(pause)
    rp = relying_party("private_key_jwt")
    credentials = own(rp, keys=ClientKeys[AsyncSigner](remote))
    request = token_request(rp)

    wire = run(lambda: credentials.prepare_async(request, now=NOW, entropy=FixedEntropy(1)))
    head, _, signature = form_of(wire)["client_assertion"].rpartition(".")

    assert remote.calls == 1
    assert header_of(head)["kid"] == "remote"
    assert KEY.sign(head.encode()) == b64url_decode(signature.encode())


@pytest.mark.parametrize("kind", [RemoteKey, FutureKey])
def test_a_key_service_is_refused_where_nobody_can_wait(kind: type[RemoteKey]) -> None:
    remote = kind()
    rp = relying_party("private_key_jwt")
    credentials = own(rp, keys=ClientKeys[AsyncSigner](remote))

    with pytest.raises(UsageError) as caught:
        prepared(credentials, token_request(rp))

    assert (caught.value.code, caught.value.expected) == ("config_invalid", "AsyncShell")
    assert remote.calls == 0


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
@pytest.mark.parametrize(
    "method", ["none", "client_secret_basic", "client_secret_jwt", "private_key_jwt"]
)
def test_a_request_is_prepared_alike_where_one_awaits(
    run: Callable[[Callable[[], Awaitable[Any]]], Any], method: AuthMethod
) -> None:
    rp = relying_party(method)
    credentials = own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    for request in (
        token_request(rp),
        userinfo_request(rp, "abc"),
        keys_wanted(rp).request,
    ):
        prepare = partial(credentials.prepare_async, request, now=NOW, entropy=FixedEntropy(1))
        awaited = run(prepare)

        assert prepared(credentials, request) == awaited


# --- proofs --------------------------------------------------------------------------------------

PROVING: Final = ClientKey(
    Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), alg="EdDSA", kid="dpop"
)


def proving(rp: RelyingParty, key: Any = PROVING, **named: Any) -> Credentials:
    return own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY), dpop_keys=DpopKeys(key), **named)


def proof_in(wire: WireRequest) -> str:
    (value,) = [value for name, value in wire.headers if name == "dpop"]
    return value


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "private_key_jwt"])
def test_a_proof_is_signed_with_the_key_of_its_thumbprint(method: AuthMethod) -> None:
    rp = relying_party(method)
    request = with_proof(token_request(rp), PROVING.thumbprint)

    proof = proof_in(prepared(proving(rp), request))
    head, _, signature = proof.rpartition(".")

    assert header_of(proof)["jwk"]["x"] == PROVING.public_jwk()["x"]
    assert PROVING.sign(head.encode()) == b64url_decode(signature.encode())
    assert claims_of(proof)["htu"] == f"{ISSUER}/token"


def test_a_proof_goes_to_a_resource_too_and_has_its_own_jti_beside_an_assertion() -> None:
    rp = relying_party("private_key_jwt")
    credentials = proving(rp)
    wire = prepared(credentials, with_proof(token_request(rp), PROVING.thumbprint))
    to_resource = with_proof(userinfo_request(rp, "abc"), PROVING.thumbprint, access_token="abc")

    assertion, proof = form_of(wire)["client_assertion"], proof_in(wire)
    assert claims_of(assertion)["jti"] != claims_of(proof)["jti"]
    assert header_of(assertion)["typ"] == "JWT"
    assert header_of(proof)["typ"] == "dpop+jwt"
    assert "ath" in claims_of(proof_in(prepared(credentials, to_resource)))


def test_a_shared_memory_of_nonces_is_asked() -> None:
    rp, nonces = relying_party("none"), DpopNonces()
    request = with_proof(token_request(rp), PROVING.thumbprint)
    nonces.remember(request, HttpResponse(200, (("dpop-nonce", "n-1"),), b"", NOW))
    one = Credentials(credentials_for(rp, dpop_keys=DpopKeys(PROVING)), nonces=nonces)

    assert claims_of(proof_in(prepared(one, request)))["nonce"] == "n-1"
    assert "nonce" not in claims_of(proof_in(prepared(proving(rp), request)))
    assert own(rp).nonces is None


@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
@pytest.mark.parametrize("nonces", [None, DpopNonces()])
def test_a_key_that_is_not_here_proves_nothing(
    method: AuthMethod, nonces: DpopNonces | None
) -> None:
    rp = relying_party(method)
    request = with_proof(token_request(rp), PROVING.thumbprint)
    keys = None if method == "none" else ClientKeys[Signer](KEY)
    without = Credentials(credentials_for(rp, keys=keys), nonces=nonces)

    assert refusal(without, request) == "credential_missing"
    assert refusal(proving(rp, KEY), request) == "credential_missing"


def test_a_proof_is_filled_in_wherever_it_stands() -> None:
    rp = relying_party("none")
    request = with_proof(token_request(rp), PROVING.thumbprint)
    turned = evolve(request, headers=request.headers[::-1])
    assert turned.headers[0][0] == "dpop"

    wire = prepared(proving(rp), turned)

    assert proof_in(wire) == proof_in(prepared(proving(rp), request))
    assert [name for name, _ in wire.headers] == ["dpop", "accept", "content-type"]


def test_a_proof_of_another_client_is_not_filled_in() -> None:
    rp = relying_party("none")
    request = with_proof(token_request(rp), PROVING.thumbprint)
    proof = proof_of(request)
    assert proof is not None
    for foreign in (proof._replace(client_id="x"), proof._replace(issuer="https://b.example")):
        another = evolve(request, headers=(("dpop", foreign),))

        assert refusal(proving(rp), another) == "credential_missing"


def test_a_nonce_that_the_proof_names_comes_before_a_remembered_one() -> None:
    rp, nonces = relying_party("none"), DpopNonces()
    request = with_proof(token_request(rp), PROVING.thumbprint)
    nonces.remember(request, HttpResponse(200, (("dpop-nonce", "n-1"),), b"", NOW))
    one = Credentials(credentials_for(rp, dpop_keys=DpopKeys(PROVING)), nonces=nonces)
    demanded = with_proof(token_request(rp), PROVING.thumbprint, nonce="n-2")

    assert claims_of(proof_in(prepared(one, demanded)))["nonce"] == "n-2"


def test_without_a_memory_of_nonces_a_proof_has_none() -> None:
    rp = relying_party("none")
    one = Credentials(credentials_for(rp, dpop_keys=DpopKeys(PROVING)))
    one.nonces = None
    request = with_proof(token_request(rp), PROVING.thumbprint)

    assert "nonce" not in claims_of(proof_in(prepared(one, request)))


@pytest.mark.parametrize("purpose", ["discovery", "key_set"])
def test_public_documents_are_fetched_without_a_proof(purpose: Any) -> None:
    rp = relying_party("none")
    request = with_proof(keys_wanted(rp).request, PROVING.thumbprint)

    assert refusal(proving(rp), evolve(request, purpose=purpose)) == "credential_missing"


def test_a_proof_does_not_leave_the_issuers_own_endpoints() -> None:
    rp = relying_party("none")
    request = with_proof(token_request(rp), PROVING.thumbprint)

    code = refusal(proving(rp), evolve(request, url="https://elsewhere.example/token"))

    assert code == "origin_not_allowed"


class RemoteProvingKey(RemoteKey):
    def public_jwk(self) -> JsonObject:
        return PROVING.public_jwk()

    async def sign(self, signing_input: bytes) -> bytes:
        self.calls += 1
        return PROVING.sign(signing_input)


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_a_proof_by_a_key_service_is_waited_for_and_only_there(
    run: Callable[[Callable[[], Awaitable[Any]]], Any],
) -> None:
    rp, remote = relying_party("private_key_jwt"), RemoteProvingKey()
    request = with_proof(token_request(rp), PROVING.thumbprint)
    credentials = proving(rp, remote)

    wire = run(lambda: credentials.prepare_async(request, now=NOW, entropy=FixedEntropy(1)))

    assert proof_in(wire) == proof_in(prepared(proving(rp), request))
    assert remote.calls == 1
    assert refusal(credentials, request) == "config_invalid"
    assert remote.calls == 1


# --- whose credentials, and where they may go ----------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/token",
        "https://op.example.elsewhere.example/token",
        "https://op.example:444/token",
        "http://op.example/token",
        "https://op.example/token?x=1",
        "https://op.example/TOKEN",
        "https://op.example/authorize",
        "https://op.example/jwks",
        "",
    ],
)
@pytest.mark.parametrize(
    "method", ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
)
def test_credentials_go_to_the_issuers_own_endpoints_only(url: str, method: AuthMethod) -> None:
    rp = relying_party(method)
    credentials = own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    request = evolve(token_request(rp), url=url)

    assert refusal(credentials, request) == "origin_not_allowed"


def test_a_secret_does_not_go_to_a_resource_nor_a_token_to_where_secrets_go() -> None:
    rp = relying_party("client_secret_post")
    credentials = own(rp, secret=SECRET)
    to_resource = evolve(token_request(rp), url=f"{ISSUER}/userinfo")
    to_server = evolve(userinfo_request(rp, "abc"), url=f"{ISSUER}/token")

    assert refusal(credentials, to_resource) == "origin_not_allowed"
    assert refusal(credentials, to_server) == "origin_not_allowed"


def test_what_proves_the_client_goes_to_no_resource() -> None:
    rp = relying_party("client_secret_post")
    credentials = own(rp, secret=SECRET)
    secret = ClientSecret(issuer=ISSUER, client_id="client")
    basic = BasicCredentials(issuer=ISSUER, client_id="client", raw=False)
    request = userinfo_request(rp, "abc")

    assert refusal(credentials, evolve(request, form=(("a", "b"), ("c", secret)))) == (
        "origin_not_allowed"
    )
    assert refusal(credentials, evolve(request, headers=(("authorization", basic),))) == (
        "origin_not_allowed"
    )


def test_refusals_of_an_origin_are_the_same_where_one_awaits() -> None:
    rp = relying_party()
    request = evolve(token_request(rp), url="https://elsewhere.example/token")
    credentials = own(rp, secret=SECRET)

    code = code_of(
        lambda: run_asyncio(
            lambda: credentials.prepare_async(request, now=NOW, entropy=FixedEntropy(1))
        )
    )

    assert code == "origin_not_allowed"


def test_credentials_are_found_by_issuer_and_client() -> None:
    first, second = relying_party(client_id="first"), relying_party(client_id="second")
    other = evolve(
        first,
        provider=ProviderMetadata(
            issuer="https://b.example",
            token_endpoint="https://b.example/t",
            jwks_uri="https://b.example/k",
        ),
        issuer_rule=type(first.issuer_rule).exact("https://b.example"),
    )  # fmt: skip
    credentials = Credentials(
        credentials_for(first, secret="a"),
        credentials_for(second, secret="b"),
        credentials_for(other, secret="c"),
    )

    assert basic_of(prepared(credentials, token_request(first))) == b"first:a"
    assert basic_of(prepared(credentials, token_request(second))) == b"second:b"
    assert basic_of(prepared(credentials, token_request(other))) == b"first:c"


def test_a_request_of_a_stranger_is_not_prepared() -> None:
    rp = relying_party()
    credentials = own(rp, secret=SECRET)

    for request in (
        evolve(token_request(rp), client_id="stranger"),
        evolve(token_request(rp), issuer="https://other.example"),
    ):
        assert refusal(credentials, request) == "credential_missing"


@pytest.mark.parametrize(
    "value",
    [
        ClientSecret(issuer="https://other.example", client_id="client"),
        ClientSecret(issuer=ISSUER, client_id="another"),
        BasicCredentials(issuer=ISSUER, client_id="another", raw=False),
        ClientAssertion(
            issuer=ISSUER, client_id="another", audience=ISSUER, alg="HS256", lifetime=60
        ),
    ],
)
def test_a_value_of_another_owner_is_not_put_into_a_request(value: Any) -> None:
    rp = relying_party()
    credentials = own(rp, secret=SECRET)
    request = evolve(token_request(rp), form=(("x", value),), headers=())

    assert refusal(credentials, request) == "credential_missing"


@pytest.mark.parametrize("purpose", ["discovery", "key_set"])
def test_public_documents_are_fetched_without_credentials(purpose: Any) -> None:
    rp = relying_party()
    public = evolve(keys_wanted(rp).request, purpose=purpose)
    credentials = own(rp, secret=SECRET)

    assert "authorization" not in dict(prepared(credentials, public).headers)
    assert prepared(credentials, public) == prepared(Credentials(), public)
    for value in (
        ClientSecret(issuer=ISSUER, client_id="client"),
        BasicCredentials(issuer=ISSUER, client_id="client", raw=False),
        ClientAssertion(
            issuer=ISSUER, client_id="client", audience=ISSUER, alg="HS256", lifetime=60
        ),
    ):
        smuggled = evolve(public, form=(("x", value),))

        assert refusal(credentials, smuggled) == "credential_missing"


# --- what is missing is missed when it is configured ---------------------------------------------


@pytest.mark.parametrize(
    ("method", "named", "code"),
    [
        ("client_secret_basic", {}, "credential_missing"),
        ("client_secret_post", {}, "credential_missing"),
        ("client_secret_jwt", {}, "credential_missing"),
        ("client_secret_jwt", {"secret": "short"}, "config_invalid"),
        ("private_key_jwt", {}, "credential_missing"),
        ("private_key_jwt", {"secret": SECRET}, "credential_missing"),
        ("private_key_jwt", {"keys": ClientKeys[Signer]()}, "credential_missing"),
        ("none", {"secret": SECRET}, "config_invalid"),
        ("none", {"keys": ClientKeys[Signer](KEY)}, "config_invalid"),
        ("client_secret_basic", {"secret": ""}, "config_invalid"),
        ("client_secret_post", {"secret": SECRET.encode()}, "config_invalid"),
        ("client_secret_post", {"secret": 5}, "config_invalid"),
        ("private_key_jwt", {"keys": KEY}, "config_invalid"),
        ("private_key_jwt", {"keys": (KEY,)}, "config_invalid"),
    ],
)
def test_missing_credentials_are_an_error_of_the_configuration(
    method: AuthMethod, named: dict[str, Any], code: str
) -> None:
    rp = relying_party(method)

    assert code == code_of(lambda: credentials_for(rp, **named))


@pytest.mark.parametrize(
    "registration",
    [{"id_token_signed_response_alg": "HS256"}, {"userinfo_signed_response_alg": "HS512"}],
)
def test_a_registered_mac_needs_a_secret_that_is_long_enough(registration: dict[str, str]) -> None:
    verifier = CryptographyVerifier({(METADATA.issuer, "client"): SECRET})
    named: dict[str, Any] = {"registration": registration, "verifier": verifier}
    without = relying_party("private_key_jwt", **named)
    confidential = relying_party(**named)

    assert (
        code_of(lambda: credentials_for(without, keys=ClientKeys[Signer](KEY)))
        == "credential_missing"
    )
    with pytest.raises(UsageError) as caught:
        credentials_for(confidential, secret="too short")
    assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secret")
    assert credentials_for(confidential, secret=SECRET).secret == SECRET


@pytest.mark.parametrize(
    "secret",
    ["", " ", "\n", f"{SECRET}\n", f" {SECRET}", f"{SECRET}\r\n", "a\tb", "a\x00b", "a\nb"],
)
def test_a_secret_is_what_the_provider_gave_out_and_nothing_around_it(secret: str) -> None:
    with pytest.raises(UsageError) as caught:
        credentials_for(relying_party(), secret=secret)

    assert (caught.value.code, caught.value.about) == ("config_invalid", "client_secret")
    assert SECRET not in str(caught.value)


def test_a_secret_may_have_a_space_within_and_any_letter() -> None:
    for secret in ("a b", "pässwörd", "x" * 500, "a%+&=:b"):
        assert credentials_for(relying_party(), secret=secret).secret == secret


def test_a_client_without_authentication_needs_nothing() -> None:
    assert credentials_for(relying_party("none")).secret is None


def test_credentials_made_by_hand_miss_what_they_lack_when_a_request_is_prepared() -> None:
    bare = Credentials(
        ClientCredentials(
            issuer=ISSUER,
            client_id="client",
            endpoints=frozenset({("authorization_server", f"{ISSUER}/token")}),
        )
    )

    for method in (
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
    ):
        request = token_request(relying_party(method))
        assert refusal(bare, request) == "credential_missing"


# --- the provider takes them ---------------------------------------------------------------------


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    "method",
    ["none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"],
)
def test_the_provider_takes_every_method(method: AuthMethod, raw: bool) -> None:
    client = FakeClient(
        client_id="client & co",
        client_secret=SECRET,
        token_endpoint_auth_method=method,
        raw_basic=raw,
        jwks=(dict(KEY.public_jwk()),),
    )
    quirks = frozenset({"basic_raw_credentials"}) if raw else frozenset[str]()
    rp = relying_party(method, client_id="client & co", policy=Policy(quirks=quirks))
    credentials = own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    provider = FakeProvider(clients=(client,))

    answer = provider.answer(prepared(credentials, token_request(rp)), NOW)

    assert isinstance(answer, HttpResponse)
    assert json.loads(answer.body)["error"] == "invalid_grant"  # not invalid_client
    assert answer.status == 400


# --- nothing shows -------------------------------------------------------------------------------


def test_no_secret_shows_and_none_is_pickled() -> None:
    rp = relying_party("private_key_jwt")
    one = credentials_for(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    many = Credentials(one)

    assert "canary" not in f"{one!r} {one} {many!r} {many}"
    assert repr(many) == "Credentials(1)"
    for held in (one, many):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(held)
        with pytest.raises(TypeError, match="not pickled"):
            copy.deepcopy(held)
    assert "canary" not in repr(prepared(many, token_request(rp)))


# --- wherever it stands --------------------------------------------------------------------------


def owned(**changed: Any) -> Any:
    return {"issuer": ISSUER, "client_id": "client", **changed}


ASSERTION: Final = ClientAssertion(**owned(audience=ISSUER, alg="EdDSA", lifetime=60))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_an_assertion_is_filled_in_wherever_it_stands(place: int) -> None:
    rp = relying_party("private_key_jwt")
    around: list[tuple[str, ParameterValue]] = [("a", "1"), ("b", "2"), ("c", "3")]
    form = (*around[:place], ("client_assertion", ASSERTION), *around[place:])
    credentials = own(rp, keys=ClientKeys[Signer](KEY))
    request = evolve(token_request(rp), form=form)

    wire = prepared(credentials, request)

    sent = form_of(wire)
    head, _, signature = sent["client_assertion"].rpartition(".")
    assert KEY.sign(head.encode()) == b64url_decode(signature.encode())
    assert [*sent] == [name for name, _ in form]
    assert {name: sent[name] for name, _ in around} == dict(around)
    prepare = partial(credentials.prepare_async, request, now=NOW, entropy=FixedEntropy(1))
    assert run_asyncio(prepare) == wire


def test_placeholders_are_filled_in_in_headers_and_form_alike() -> None:
    rp = relying_party("private_key_jwt")
    credentials = own(rp, secret=SECRET, keys=ClientKeys[Signer](KEY))
    request = evolve(
        token_request(rp),
        headers=(
            ("x-secret", ClientSecret(**owned())),
            ("accept", "application/json"),
            ("x-assertion", ASSERTION),
        ),
        form=(("basic", BasicCredentials(**owned(raw=True))), ("z", "9")),
    )

    wire = prepared(credentials, request)

    (_, secret), accept, (name, assertion), _ = wire.headers
    assert (secret, accept, name) == (SECRET, ("accept", "application/json"), "x-assertion")
    assert claims_of(assertion)["aud"] == ISSUER
    assert form_of(wire)["basic"].startswith("Basic ")
    assert form_of(wire)["z"] == "9"


@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_each_placeholder_is_waited_for_where_one_awaits(
    run: Callable[[Callable[[], Awaitable[Any]]], Any],
) -> None:
    rp, remote = relying_party("private_key_jwt"), RemoteProvingKey()
    signer = RemoteKey()
    keys, dpop_keys = ClientKeys[AsyncSigner](signer), DpopKeys[AsyncSigner](remote)
    credentials = own(rp, secret=SECRET, keys=keys, dpop_keys=dpop_keys)
    asked = with_proof(token_request(rp), PROVING.thumbprint)
    form = (("client_assertion", ASSERTION), ("s", ClientSecret(**owned())), ("last", "1"))
    request = evolve(asked, headers=asked.headers[::-1], form=form)

    wire = run(lambda: credentials.prepare_async(request, now=NOW, entropy=FixedEntropy(1)))

    assert (signer.calls, remote.calls) == (1, 1)
    assert [name for name, _ in wire.headers] == ["dpop", "accept", "content-type"]
    assert form_of(wire)["s"] == SECRET
    assert claims_of(form_of(wire)["client_assertion"])["jti"] != claims_of(proof_in(wire))["jti"]


def test_json_in_a_form_is_written_and_proves_nothing() -> None:
    rp = relying_party("none")
    details = JsonObject({"type": "a b", "é": ("&", None)})
    form = (("authorization_details", details), ("grant_type", "x"))
    request = evolve(token_request(rp), form=form)

    wire = prepared(own(rp), request)

    assert wire.body is not None
    assert wire.body.isascii()
    assert json.loads(form_of(wire)["authorization_details"]) == {"type": "a b", "é": ["&", None]}
    prepare = partial(own(rp).prepare_async, request, now=NOW, entropy=FixedEntropy(1))
    assert run_asyncio(prepare) == wire
    to_resource = evolve(userinfo_request(rp, "abc"), form=form)
    assert prepared(own(rp), to_resource).body == wire.body


def test_a_request_that_has_json_and_no_owner_is_prepared() -> None:
    """JSON is not a placeholder: it needs no facts of the client."""
    rp = relying_party()
    public = evolve(keys_wanted(rp).request, form=(("claims", JsonObject({})),))

    assert prepared(Credentials(), public).body == b"claims=%7B%7D"


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"]
)
def test_a_secret_that_is_opened_is_opened_for_each_use_and_kept_nowhere(
    method: AuthMethod,
) -> None:
    opened: list[str] = []

    def opens() -> str:
        opened.append(SECRET)
        return SECRET

    rp = relying_party(method)
    held, plain = credentials_for(rp, secret=opens), credentials_for(rp, secret=SECRET)
    before = len(opened)
    for times in (1, 2):
        wire = prepared(Credentials(held), token_request(rp))
        assert wire == prepared(Credentials(plain), token_request(rp))
        assert len(opened) - before == times
    assert SECRET not in repr(held)
    assert callable(held.secret)


# --- signers of the application that fail --------------------------------------------------------


class FailingKey:
    """A key whose service is down, or answers with anything."""

    alg = "EdDSA"
    kid = "failing"

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def public_jwk(self) -> JsonObject:
        return PROVING.public_jwk()

    def sign(self, signing_input: bytes) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class FailingService(FailingKey):
    async def sign(self, signing_input: bytes) -> Any:
        return super().sign(signing_input)


UNSIGNED: Final = [
    (ConnectionError("secret of the service"), "ConnectionError"),
    (TimeoutError(), "TimeoutError"),
    (None, "NoneType"),
    ("text", "str"),
    (5, "int"),
    (b"", "bytes"),
    (bytearray(b"s"), "bytearray"),
]


@pytest.mark.parametrize("kind", [FailingKey, FailingService])
@pytest.mark.parametrize(("answer", "found"), UNSIGNED)
def test_a_signer_that_fails_is_a_store_that_fails(
    kind: type[FailingKey], answer: object, found: str
) -> None:
    key: Any = kind(answer)
    rp = relying_party("private_key_jwt")
    asserting = own(rp, keys=ClientKeys(key)), token_request(rp)
    basic = relying_party("none")
    bound = proving(basic, key), with_proof(token_request(basic), PROVING.thumbprint)
    for credentials, request in (asserting, bound):
        awaiting = partial(credentials.prepare_async, request, now=NOW, entropy=FixedEntropy(1))
        ways: list[Callable[[], object]] = [partial(run_asyncio, awaiting)]
        if kind is FailingKey:
            ways.append(partial(prepared, credentials, request))
        for way in ways:
            with pytest.raises(StoreFailure) as caught:
                way()
            assert (caught.value.code, caught.value.about) == ("store_unavailable", "client key")
            assert caught.value.found == found
            assert "secret" not in str(caught.value)
