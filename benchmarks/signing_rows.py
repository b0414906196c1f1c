"""What it costs to sign for the client, over the signature itself."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, ratio_row
from benchmarks.tokens import CLIENT_ID, ISSUER, NOW
from oidc_adapters.client_keys import ClientKey
from oidc_adapters.entropy import SystemEntropy
from oidc_core.credentials import assertion_claims, signing_input
from oidc_core.encoding import b64url_encode
from oidc_core.http import ClientAssertion


def assertion_row(effort: Effort) -> Row:
    """A client assertion with a fresh ``jti``, from its claims to the compact JWT."""
    private = ec.generate_private_key(ec.SECP256R1())
    samples = interleaved({"ours": assertion(private), "raw": raw(private)}, effort)
    return ratio_row("assertion_es256", samples.cost("ours"), samples.ratio("ours", "raw"))


def assertion(private: ec.EllipticCurvePrivateKey) -> Call:
    """Return what sealing does for each transmission."""
    key, entropy = ClientKey(private, alg="ES256"), SystemEntropy()
    named = ClientAssertion(
        issuer=ISSUER, client_id=CLIENT_ID, audience=ISSUER, alg=key.alg, lifetime=60
    )

    def signed() -> str:
        claims = assertion_claims(named, now=NOW, jti=entropy.token())
        octets = signing_input(key.alg, key.kid, "JWT", claims)
        return f"{octets.decode('ascii')}.{b64url_encode(key.sign(octets))}"

    return signed


def raw(private: ec.EllipticCurvePrivateKey) -> Call:
    """Return the bare signature over as many octets."""
    octets, sign, scheme = b"x" * 420, private.sign, ec.ECDSA(hashes.SHA256())
    return lambda: sign(octets, scheme)
