"""Public keys as a provider publishes them."""

from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.jsontypes import JsonObject, JsonValue


def rsa(seed: int = 0, /, **members: JsonValue) -> JsonObject:
    modulus = (1 << 2047) + 2**700 + 22 * seed + 7
    n = b64url_encode(modulus.to_bytes(256, "big"))
    return JsonObject({"kty": "RSA", "n": n, "e": "AQAB", **members})


def ec(**members: JsonValue) -> JsonObject:
    return JsonObject(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
            **members,
        }
    )


def akp(alg: JsonValue = "ML-DSA-44", /, **members: JsonValue) -> JsonObject:
    pub = b64url_encode(b"\x2a" * 1312)
    return JsonObject({"kty": "AKP", "alg": alg, "pub": pub, **members})


def secp256k1(**members: JsonValue) -> JsonObject:
    """The generator of secp256k1 (SEC 2)."""
    x = "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g"
    y = "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg"
    return ec(crv="secp256k1", x=x, y=y, **members)


def okp(**members: JsonValue) -> JsonObject:
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    return JsonObject({"kty": "OKP", "crv": "Ed25519", "x": x, **members})
