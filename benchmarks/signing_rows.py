"""The cost to sign for the client, compared with the signature itself."""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, ratio_row
from benchmarks.tokens import ACCESS_TOKEN, CLIENT_ID, ISSUER, NOW
from oidc_adapters.credentials.client_keys import ClientKey
from oidc_adapters.credentials.dpop import DpopKeys
from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_core.machine.credentials import assertion_payload, encoded_header, signing_input
from oidc_core.machine.dpop import dpop_payload
from oidc_core.wire.encoding import b64url_encode, sha256_b64url
from oidc_core.wire.http import ClientAssertion, DpopProof

OCTETS: Final = 420
"""About as many are signed in an assertion or a proof."""


def signing_rows(effort: Effort) -> tuple[Row, ...]:
    """A client assertion and a proof, each with a fresh ``jti``, from the claims to the JWT."""
    private = ec.generate_private_key(ec.SECP256R1())
    calls = {"assertion": assertion(private), "proof": proof(private), "raw": raw(private)}
    samples = interleaved(calls, effort)
    return tuple(
        [
            ratio_row(f"{row}_es256", samples.cost(name), samples.ratio(name, "raw"))
            for row, name in (("assertion", "assertion"), ("dpop", "proof"))
        ]
    )


def assertion(private: ec.EllipticCurvePrivateKey) -> Call:
    """Return what preparing a request does for each transmission; the header is encoded once."""
    key, entropy = ClientKey(private, alg="ES256"), SystemEntropy()
    named = ClientAssertion(
        issuer=ISSUER, client_id=CLIENT_ID, audience=ISSUER, alg=key.alg, lifetime=60
    )
    header = encoded_header({"alg": key.alg, "typ": "JWT", "kid": key.kid})

    def signed() -> str:
        payload = assertion_payload(named, now=NOW, jti=entropy.token())
        return _signed(key, signing_input(header, payload))

    return signed


def proof(private: ec.EllipticCurvePrivateKey) -> Call:
    """Return what preparing a request does for each request to a resource that gave out a nonce."""
    keys, entropy = DpopKeys(ClientKey(private, alg="ES256")), SystemEntropy()
    named = DpopProof(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        thumbprint=keys.thumbprints[0],
        htm="GET",
        htu=f"{ISSUER}/userinfo",
        ath=sha256_b64url(ACCESS_TOKEN),
    )
    nonce = entropy.token()

    def signed() -> str:
        key, header = keys.find(named.thumbprint)
        payload = dpop_payload(named, now=NOW, jti=entropy.token(), nonce=nonce)
        return _signed(key, signing_input(header, payload))

    return signed


def _signed(key: ClientKey, octets: bytes) -> str:
    return f"{octets.decode('ascii')}.{b64url_encode(key.sign(octets))}"


def raw(private: ec.EllipticCurvePrivateKey) -> Call:
    """Return the bare signature over as many octets."""
    octets, sign, scheme = b"x" * OCTETS, private.sign, ec.ECDSA(hashes.SHA256())
    return lambda: sign(octets, scheme)
