"""A relying party by hand, without any part of the library: every message is spelt out."""

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oidc_adapters.testing import AuthorizationResponse, FakeClient, FakeProvider, Session
from oidc_core.wire.http import HttpResponse, NoAnswer, WireRequest

NOW: Final = 1_800_000_000
VERIFIER: Final = "a-code-verifier-of-at-least-forty-three-characters"
STATE: Final = "a-state"
NONCE: Final = "a-nonce"
FORM: Final = ("content-type", "application/x-www-form-urlencoded")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_HASHES: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}


def b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(unb64(text), "big")


def authorization_url(provider: FakeProvider, **changed: str | None) -> str:
    """An authorization request; a parameter changed to None is left out."""
    client = provider.clients[0]
    parameters: dict[str, str | None] = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "openid profile email offline_access",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": b64(hashlib.sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
    }
    parameters |= changed
    sent = {name: value for name, value in parameters.items() if value is not None}
    return f"{provider.issuer}/authorize?{urlencode(sent)}"


def arrive(
    provider: FakeProvider,
    *,
    user: str | None = None,
    approve: bool = True,
    session: Session | None = None,
    now: int = NOW,
    **changed: str | None,
) -> AuthorizationResponse:
    url = authorization_url(provider, **changed)
    return provider.authorize(url, now, user=user, approve=approve, session=session)


def wire(
    method: str, url: str, *headers: tuple[str, str], body: bytes | None = None
) -> WireRequest:
    return WireRequest(
        reach="any",
        method=method,
        url=url,
        headers=headers,
        body=body,
        resend="never",
        max_body=1_000_000,
        deadline=10,
    )


def basic(client: FakeClient, *, raw: bool = False) -> tuple[str, str]:
    parts = [client.client_id, client.client_secret]
    pair = ":".join(part if raw else quote(part, safe="") for part in parts)
    return "authorization", f"Basic {b64encode(pair.encode()).decode()}"


def assertion(issuer: str, client: FakeClient, alg: str, key: Any = None, **changed: object) -> str:
    """A client assertion, signed with the secret or with a private RSA, EC or Ed25519 key."""
    claims: dict[str, object] = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": issuer,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": "a-jti",
    }
    claims |= changed
    kept = {name: value for name, value in claims.items() if value is not None}
    head = f"{b64(json.dumps({'alg': alg}).encode())}.{b64(json.dumps(kept).encode())}"
    octets, digest = head.encode(), _HASHES.get(alg[-3:], hashes.SHA512())
    if alg.startswith("HS"):
        signature = hmac.digest(client.client_secret.encode(), octets, f"sha{alg[-3:]}")
    elif alg.startswith("RS"):
        signature = key.sign(octets, padding.PKCS1v15(), digest)
    else:
        signature = key.sign(octets)
    return f"{head}.{b64(signature)}"


def credentials(
    issuer: str, client: FakeClient, key: Any = None
) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """The headers and the form parameters by which a client authenticates, by its method."""
    method = client.token_endpoint_auth_method
    if method == "client_secret_basic":
        return (basic(client, raw=client.raw_basic),), {}
    form = {"client_id": client.client_id}
    if method == "client_secret_post":
        form["client_secret"] = client.client_secret
    elif method != "none":
        alg = "HS256" if method == "client_secret_jwt" else "RS256"
        form["client_assertion_type"] = ASSERTION_TYPE
        form["client_assertion"] = assertion(issuer, client, alg, key)
    return (), form


def post_token(
    provider: FakeProvider, form: dict[str, str], *headers: tuple[str, str], now: int = NOW
) -> HttpResponse | NoAnswer:
    body = urlencode(form).encode()
    request = wire("POST", f"{provider.issuer}/token", FORM, *headers, body=body)
    return provider.answer(request, now)


def redeem(
    provider: FakeProvider,
    callback: AuthorizationResponse,
    *,
    key: Any = None,
    now: int = NOW,
    **changed: str,
) -> HttpResponse | NoAnswer:
    headers, proof = credentials(provider.issuer, provider.clients[0], key)
    form = {
        "grant_type": "authorization_code",
        "code": callback.parameter("code") or "",
        "redirect_uri": provider.clients[0].redirect_uris[0],
        "code_verifier": VERIFIER,
    }
    return post_token(provider, form | proof | changed, *headers, now=now)


def refresh(
    provider: FakeProvider, token: str, *, now: int = NOW, **changed: str
) -> HttpResponse | NoAnswer:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return post_token(provider, form | changed, basic(provider.clients[0]), now=now)


def responded(answer: HttpResponse | NoAnswer) -> HttpResponse:
    assert isinstance(answer, HttpResponse)
    return answer


def parsed(answer: HttpResponse | NoAnswer, status: int = 200) -> Any:
    """The JSON of an answer whose status is as expected."""
    response = responded(answer)
    assert (status, "application/json") == (response.status, response.header("content-type"))
    return json.loads(response.body)


def fetch(provider: FakeProvider, path: str) -> HttpResponse | NoAnswer:
    return provider.answer(wire("GET", provider.issuer + path), NOW)


def userinfo(
    provider: FakeProvider, access_token: str, *, now: int = NOW, method: str = "GET"
) -> HttpResponse | NoAnswer:
    bearer = ("authorization", f"Bearer {access_token}")
    return provider.answer(wire(method, f"{provider.issuer}/userinfo", bearer), now)


def header_of(token: str) -> Any:
    return json.loads(unb64(token.split(".", maxsplit=1)[0]))


def claims_of(token: str) -> Any:
    return json.loads(unb64(token.split(".")[1]))


def verify(token: str, keys: list[Any], secret: str = "") -> bool:
    """Return true, or raise if the signature is invalid: `cryptography` by hand, key by ``kid``."""
    head, _, tail = token.rpartition(".")
    header, octets, signature = header_of(token), head.encode(), unb64(tail)
    alg = header["alg"]
    if alg.startswith("HS"):
        assert hmac.digest(secret.encode(), octets, f"sha{alg[-3:]}") == signature
        return True
    (jwk,) = [key for key in keys if key["kid"] == header["kid"]]
    assert (alg, "sig") == (jwk["alg"], jwk["use"])
    if jwk["kty"] == "OKP":
        Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(signature, octets)
    elif jwk["kty"] == "EC":
        half = len(signature) // 2
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        point = ec.EllipticCurvePublicNumbers(
            number(jwk["x"]), number(jwk["y"]), _CURVES[jwk["crv"]]
        )
        der = encode_dss_signature(r, s)
        point.public_key().verify(der, octets, ec.ECDSA(_HASHES[alg[-3:]]))
    else:
        digest = _HASHES[alg[-3:]]
        scheme = (
            padding.PKCS1v15()
            if alg.startswith("RS")
            else padding.PSS(padding.MGF1(digest), digest.digest_size)
        )
        public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        public.verify(signature, octets, scheme, digest)
    return True


def logged_in(provider: FakeProvider, key: Any = None) -> Any:
    """The token answer of a whole honest login."""
    return parsed(redeem(provider, arrive(provider), key=key))


def published_keys(provider: FakeProvider) -> Any:
    return parsed(fetch(provider, "/jwks"))["keys"]
