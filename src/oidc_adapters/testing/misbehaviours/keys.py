"""A provider with faults in its key set, or that signs with a key that nobody should trust."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import SIGNATURES, Condition, Needs, takes
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import (
    ALGORITHMS,
    JwtDraft,
    SigningKey,
    b64url,
    is_array,
    is_object,
    rendered,
)
from oidc_adapters.testing.signing_keys import private_key, rsa_key


def _row(
    name: str,
    code: str,
    summary: str,
    changes: Changes,
    *,
    needs: Needs = "",
    when: Condition = SIGNATURES,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="keys",
        during="login",
        code=code,
        summary=summary,
        needs=needs,
        changes=changes,
        when=when,
    )


def _no_keys(_members: Members) -> Members:
    return {"keys": []}


def _jwks(members: Members) -> tuple[dict[str, object], ...]:
    keys = members["keys"]
    return tuple(filter(is_object, keys)) if is_array(keys) else ()


def _private_members(alg: str, slot: str) -> dict[str, object]:
    """Return a private key as a careless provider would publish it."""
    private = private_key(alg, slot)
    public = SigningKey(alg=alg, kid=None, private=private).public_jwk()
    if isinstance(private, Ed25519PrivateKey):
        secret = private.private_bytes_raw()
    elif isinstance(private, rsa.RSAPrivateKey):
        d = private.private_numbers().d
        secret = d.to_bytes((d.bit_length() + 7) // 8, "big")
    else:
        secret = _scalar(private)
    return {**public, "d": b64url(secret)}


def _scalar(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_numbers().private_value.to_bytes((private.key_size + 7) // 8, "big")


_PUBLISHED_SLOT: Final = "published by mistake"


def _with_private_parts(members: Members) -> Members:
    """Publish, under the same identifiers, private keys and nothing else."""
    keys = _jwks(members)
    return {
        "keys": [
            {**_private_members(str(key["alg"]), _PUBLISHED_SLOT), "kid": key["kid"]}
            for key in keys
        ]
    }


def _signed_with_published_private_key(draft: JwtDraft) -> str:
    alg = draft.key.alg
    if isinstance(draft.key.private, bytes):
        return draft.signed()
    key = SigningKey(alg=alg, kid=draft.key.kid, private=private_key(alg, _PUBLISHED_SLOT))
    return draft.signed_by(key).signed()


def _weak_key() -> SigningKey:
    return SigningKey(alg="RS256", kid="weak", private=rsa_key("weak", 1_024))


def _with_weak_key(members: Members) -> Members:
    return {"keys": [*_jwks(members), _weak_key().public_jwk()]}


def _signed_with_weak_key(draft: JwtDraft) -> str:
    return draft.signed_by(_weak_key()).signed()


_IDENTITY: Final = b"\x01" + 31 * b"\x00"
_SMALL_ORDER: Final = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": b64url(_IDENTITY),
    "use": "sig",
    "alg": "EdDSA",
    "kid": "small",
}


def _with_small_order_key(members: Members) -> Members:
    return {"keys": [*_jwks(members), _SMALL_ORDER]}


def _forged_for_small_order_key(draft: JwtDraft) -> str:
    """Sign without any key: under the identity point, this signature fits every message."""
    header = {**draft.header, "alg": "EdDSA", "kid": "small"}
    parts = (rendered(header), rendered(dict(draft.claims)), _IDENTITY + 32 * b"\x00")
    return ".".join(map(b64url, parts))


def _other_algorithm(draft: JwtDraft) -> SigningKey:
    """Return a key, published like any other, for an algorithm that was not announced."""
    alg = "ES384" if ALGORITHMS[draft.key.alg].crv != "P-384" else "ES256"
    return SigningKey(alg=alg, kid="other", private=private_key(alg, "other"))


def _with_other_algorithms(members: Members) -> Members:
    others = (
        SigningKey(alg=alg, kid="other", private=private_key(alg, "other"))
        for alg in ("ES384", "ES256")
    )
    published = {key["alg"] for key in _jwks(members)}
    added = next(key for key in others if key.alg not in published)
    return {"keys": [*_jwks(members), added.public_jwk()]}


def _signed_with_other_algorithm(draft: JwtDraft) -> str:
    return draft.signed_by(_other_algorithm(draft)).signed()


ROWS: Final = (
    _row("jwks_empty", "key_not_found", "publishes an empty key set", Changes(key_set=_no_keys)),
    _row(
        "jwks_private_keys_only",
        "key_not_public",
        "publishes private keys only, and signs with them",
        Changes(key_set=_with_private_parts, id_token=_signed_with_published_private_key),
    ),
    _row(
        "rsa_1024",
        "key_too_small",
        "signs with an RSA key of 1024 bits",
        Changes(key_set=_with_weak_key, id_token=_signed_with_weak_key),
        when=takes("RS256"),
    ),
    _row(
        "small_order_ed25519",
        "key_weak",
        "publishes an Ed25519 key of small order, under which anybody can sign",
        Changes(key_set=_with_small_order_key, id_token=_forged_for_small_order_key),
        needs="EdDSA",
    ),
    _row(
        "unexpected_alg",
        "alg_not_allowed",
        "signs with a good key but an algorithm it did not announce",
        Changes(key_set=_with_other_algorithms, id_token=_signed_with_other_algorithm),
    ),
    _row("jwks_html", "keys_unavailable", "sends a page as key set", Changes(answer=answers.html)),
    _row(
        "jwks_not_json",
        "keys_unavailable",
        "sends a key set that breaks off",
        Changes(answer=answers.with_body(b'{"keys":[')),
    ),
    _row(
        "jwks_redirect",
        "keys_unavailable",
        "redirects the request for keys to another host",
        Changes(answer=answers.redirect),
    ),
    _row(
        "jwks_500",
        "keys_unavailable",
        "sends its key set with the status of a failure",
        Changes(answer=answers.with_status(500)),
    ),
    _row(
        "jwks_dropped",
        "keys_unavailable",
        "closes the connection instead of sending keys",
        Changes(answer=answers.dropped),
    ),
)
