"""A server that checks proofs of possession by itself (RFC 9449 §4.3), step by step.

It shares nothing with the library: signatures, thumbprints and URLs are its own affair.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oidc_adapters.runtime.clock import Clock
from oidc_core.wire.http import HttpResponse, WireRequest

ACCESS_TOKEN: Final = "bound-token~1"
_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}


class Refused(Exception):
    """The fault of a proof, in the words of the RFC's error codes."""


class DpopServer:
    """Both an authorization server and a resource: what is below ``/token`` is the former.

    Attributes:
        nonce: the nonce that a proof must have, or ``None`` if it needs no nonce.
        gives: the nonce that successful answers hand out, or ``None``.
        proofs: header and claims of each proof that came, good or not.
        forms: the form that came along with it.
    """

    def __init__(self, *, nonce: str | None = None, gives: str | None = None) -> None:
        self.nonce = nonce
        self.gives = gives
        self.proofs: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self.forms: list[dict[str, str]] = []
        self._seen: set[str] = set()

    def send(self, request: WireRequest, clock: Clock) -> HttpResponse:
        """Answer a request."""
        try:
            jkt = self._checked(request, clock.now())
        except Refused as refused:
            return self._refusal(request, str(refused), clock.now())
        given = (("dpop-nonce", self.gives),) if self.gives else ()
        headers = (("content-type", "application/json"), *given)
        return HttpResponse(200, headers, json.dumps({"jkt": jkt}).encode(), clock.now())

    def _refusal(self, request: WireRequest, error: str, now: int) -> HttpResponse:
        nonce = (("dpop-nonce", self.nonce),) if self.nonce and error == "use_dpop_nonce" else ()
        if _is_token_endpoint(request):
            body = json.dumps({"error": error}).encode()
            return HttpResponse(400, (("content-type", "application/json"), *nonce), body, now)
        challenge = ("www-authenticate", f'DPoP error="{error}", algs="ES256 EdDSA"')
        return HttpResponse(401, (challenge, *nonce), b"", now)

    def _checked(self, request: WireRequest, now: int) -> str:
        sent = [value for name, value in request.headers if name == "dpop"]
        _require(len(sent) == 1 and sent[0].count(".") == 2)
        head, payload, signature = sent[0].split(".")
        header, claims = json.loads(_octets(head)), json.loads(_octets(payload))
        self.proofs.append((header, claims))
        self.forms.append(dict(parse_qsl((request.body or b"").decode())))
        _require({*header} == {"typ", "alg", "jwk"} and header["typ"] == "dpop+jwt")
        jwk = header["jwk"]
        _require({*jwk} == {*_MEMBERS[jwk["kty"]]})
        _require(_holds(header["alg"], jwk, f"{head}.{payload}".encode(), _octets(signature)))
        url = urlsplit(request.url)
        _require(claims["htm"] == request.method)
        _require(claims["htu"] == f"https://{url.netloc}{url.path}")
        _require(abs(claims["iat"] - now) <= 5)
        _require(len(claims["jti"]) >= 16 and claims["jti"] not in self._seen)
        self._seen.add(claims["jti"])
        if _is_token_endpoint(request):
            _require("ath" not in claims)
        else:
            _require(("authorization", f"DPoP {ACCESS_TOKEN}") in request.headers)
            _require(claims.get("ath") == _b64(sha256(ACCESS_TOKEN.encode()).digest()))
        if self.nonce is not None and claims.get("nonce") != self.nonce:
            raise Refused("use_dpop_nonce")
        return _thumbprint(jwk)


def _is_token_endpoint(request: WireRequest) -> bool:
    return urlsplit(request.url).path.startswith("/token")


def _require(held: bool) -> None:
    if not held:
        raise Refused("invalid_dpop_proof")


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _thumbprint(jwk: dict[str, str]) -> str:
    members = {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}
    return _b64(sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _holds(alg: str, jwk: dict[str, str], octets: bytes, signature: bytes) -> bool:
    x = _octets(jwk["x"])
    try:
        if alg == "EdDSA":
            ed25519.Ed25519PublicKey.from_public_bytes(x).verify(signature, octets)
        else:
            point = b"\x04" + x + _octets(jwk["y"])
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), octets, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
