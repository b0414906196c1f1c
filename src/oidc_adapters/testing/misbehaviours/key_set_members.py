"""A provider whose key set has members that no client should use (RFC 7517)."""

from collections.abc import Callable
from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours import answers
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    SIGNATURES,
    Condition,
    both,
    takes,
    within,
)
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.signing import (
    JwtDraft,
    SigningKey,
    b64url,
    b64url_octets,
    is_array,
    is_object,
)
from oidc_adapters.testing.signing_keys import private_key
from oidc_core.wire.limits import LIMITS


def _row(
    name: str, code: str, summary: str, changes: Changes, *, when: Condition = SIGNATURES
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="keys",
        during="login",
        code=code,
        summary=summary,
        changes=changes,
        when=when,
    )


def _found(members: Members) -> list[dict[str, object]]:
    keys = members["keys"]
    return [key for key in (keys if is_array(keys) else ()) if is_object(key)]


def _each(change: Callable[[Members], Members]) -> Changes:
    """Change each key of the set."""

    def changed(members: Members) -> Members:
        return {**members, "keys": [change(key) for key in _found(members)]}

    return Changes(key_set=changed)


def _set(name: str, value: object) -> Changes:
    return _each(lambda key: {**key, name: value})


def _plus(*more: Members) -> Changes:
    def changed(members: Members) -> Members:
        return {**members, "keys": [*_found(members), *more]}

    return Changes(key_set=changed)


def _others(members: Members) -> Members:
    """Replace each key by another one of its kind under its name."""
    return _swapped(members, keep=False)


def _both(members: Members) -> Members:
    """Put another key of its kind, under the same name, before each key."""
    return _swapped(members, keep=True)


def _swapped(members: Members, *, keep: bool) -> Members:
    found = _found(members)
    strange = [{**_stranger(str(key["alg"])), "kid": key["kid"]} for key in found]
    return {**members, "keys": [*strange, *(found if keep else ())]}


def _stranger(alg: str) -> Members:
    return SigningKey(alg=alg, kid=None, private=private_key(alg, "stranger")).public_jwk()


def _without_kid(draft: JwtDraft) -> str:
    header = {name: value for name, value in draft.header.items() if name != "kid"}
    return evolve(draft, header=header).signed()


def _many(members: Members) -> Members:
    """Put nine more keys of its kind before each key, all without a name."""
    found = _found(members)
    all_keys = [*(_similar(key, n) for key in found for n in range(9)), *found]
    return {
        **members,
        "keys": [{name: key[name] for name in key if name != "kid"} for key in all_keys],
    }


def _similar(key: Members, number: int) -> Members:
    """Return another key of the same kind; making one of RSA would take too long."""
    if key["kty"] != "RSA":
        private = private_key(str(key["alg"]), f"similar {number}")
        return SigningKey(alg=str(key["alg"]), kid=None, private=private).public_jwk()
    octets = bytearray(b64url_octets(str(key["n"])))
    octets[1] = number
    return {**key, "n": b64url(bytes(octets))}


def _signed_by_published_secret(draft: JwtDraft) -> str:
    return draft.signed_by(SigningKey(alg="HS256", kid="oct", private=64 * b"s")).signed()


_OCT: Final = {"kty": "oct", "k": b64url(64 * b"s"), "kid": "oct", "alg": "HS256"}


def _with_key_for_ps256(members: Members) -> Members:
    key = {**_stranger("PS256"), "kid": "for PS256"}
    return {**members, "keys": [*_found(members), key]}


def _as_rs256(draft: JwtDraft) -> str:
    header = {**draft.header, "alg": "RS256", "kid": "for PS256"}
    key = SigningKey(alg="RS256", kid="for PS256", private=private_key("PS256", "stranger"))
    return evolve(draft, header=header, key=key).signed()


def _huge_key(members: Members) -> Members:
    huge = {"kty": "RSA", "n": b64url(b"\xff" * 2_048 + b"\x01"), "e": "AQAB", "kid": "huge"}
    return {**members, "keys": [*_found(members), huge]}


def _as_huge(draft: JwtDraft) -> str:
    header = {**draft.header, "alg": "RS256", "kid": "huge"}
    return ".".join([*draft.with_header(**header).signed().split(".")[:2], b64url(2_049 * b"s")])


def _cut(key: Members) -> Members:
    """Shorten what the key consists of."""
    return {name: "AAAA" if name in {"n", "x"} else value for name, value in key.items()}


ROWS: Final = (
    _row(
        "jwks_of_stranger",
        "signature_invalid",
        "publishes the keys of a stranger under its own names",
        Changes(key_set=_others),
    ),
    _row(
        "jwks_kid_twice",
        "kid_duplicated",
        "publishes two different keys under one name",
        Changes(key_set=_both),
    ),
    _row(
        "jwks_for_encryption", "key_use_mismatch", "publishes keys that encrypt", _set("use", "enc")
    ),
    _row(
        "jwks_to_sign",
        "key_use_mismatch",
        "publishes keys that may only sign",
        _each(lambda key: {**{n: key[n] for n in key if n != "use"}, "key_ops": ["sign"]}),
    ),
    _row(
        "jwks_for_other_alg",
        "key_alg_mismatch",
        "signs with a key that it publishes for another algorithm",
        Changes(key_set=_with_key_for_ps256, id_token=_as_rs256),
        when=takes("RS256"),
    ),
    _row("jwks_cut", "jwk_invalid", "publishes keys that are too short", _each(_cut)),
    _row(
        "jwks_other_kty",
        "jwk_invalid",
        "publishes its keys under another type",
        _each(lambda key: {**key, "kty": "EC" if key["kty"] == "RSA" else "RSA"}),
    ),
    _row("jwks_unknown_kty", "jwk_invalid", "publishes no known type", _set("kty", "LATTICE")),
    _row(
        "jwks_renamed",
        "key_not_found",
        "publishes its keys under other names",
        _each(lambda key: {**key, "kid": f"{key['kid']}-later"}),
    ),
    _row(
        "jwks_not_a_list",
        "keys_unavailable",
        "publishes one key where a list is due",
        Changes(key_set=lambda _: {"keys": {"kty": "RSA"}}),
    ),
    _row(
        "jwks_without_keys",
        "keys_unavailable",
        "publishes a key set without keys",
        Changes(key_set=lambda _: {"jwks": []}),
    ),
    _row(
        "jwks_too_many",
        "keys_unavailable",
        "publishes more keys than the limit",
        _plus(*((LIMITS.keys + 1) * [{"kty": "LATTICE"}])),
        when=both(SIGNATURES, within("keys", LIMITS.keys + 1)),
    ),
    _row(
        "jwks_too_large",
        "keys_unavailable",
        "sends a key set beyond the limit",
        Changes(answer=answers.padded(LIMITS.key_set + 1)),
        when=both(SIGNATURES, within("key_set", LIMITS.key_set + 1)),
    ),
    _row(
        "jwks_encoded",
        "keys_unavailable",
        "sends a key set with a Content-Encoding nobody offered",
        Changes(answer=answers.gzipped),
    ),
    _row(
        "jwks_404",
        "keys_unavailable",
        "has no key set",
        Changes(answer=answers.html_with_status(404)),
    ),
    _row(
        "no_kid_and_many_keys",
        "key_ambiguous",
        "signs without a kid and publishes ten keys of a kind",
        Changes(key_set=_many, id_token=_without_kid),
    ),
    _row(
        "published_secret",
        "alg_not_allowed",
        "publishes an HMAC secret and signs with it",
        Changes(key_set=_plus(_OCT).key_set, id_token=_signed_by_published_secret),
    ),
    _row(
        "rsa_16392",
        "key_too_large",
        "publishes an RSA key that takes long to verify with",
        Changes(key_set=_huge_key, id_token=_as_huge),
        when=takes("RS256"),
    ),
)
