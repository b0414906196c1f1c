"""Public keys (RFC 7517).

A :class:`Jwk` exists only if its key passed every check, so nobody who is handed one checks again.
A key that does not pass has a reason, by which an operator can tell what is wrong.
"""

from functools import cached_property
from typing import Final, NamedTuple

from attrs import evolve, field, frozen

from oidc_core.jose.algorithms import row_for, rows_for
from oidc_core.jose.key_material import PRIVATE_MEMBERS, Lookup, public_material
from oidc_core.wire.encoding import b64url_encode, sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.messages import shown

MAX_KID: Final = 1_024
"""How many characters the name of a key may have."""

_WITHOUT_CURVE: Final = frozenset(("RSA", "AKP"))
_SIGNING_OPERATIONS: Final = frozenset(("sign", "verify"))
_NO_ISSUER: Final = "malformed"
"""In place of an ``issuer`` that is not text: no issuer is called that, so it fits no issuer."""


class SkippedKey(NamedTuple):
    """A key of a set that is not used, and why.

    Attributes:
        kid: the key's name, where it could be read.
        code: the fault, for example ``key_weak``.
        about: the member at fault, or an empty string.
        reason: what was found and expected, in words, or an empty string.
    """

    kid: str | None
    code: str
    about: str = ""
    reason: str = ""

    def __str__(self) -> str:
        member, reason = self.about and f" ({self.about})", self.reason and f": {self.reason}"
        name = "a key without kid" if self.kid is None else shown(self.kid)
        return f"{name}: {self.code}{member}{reason}"


def skipped_for(kid: JsonValue, refusal: ProtocolViolation) -> SkippedKey:
    """Return the key that was refused, and why."""
    facts = (("found", refusal.found), ("expected", refusal.expected))
    reason = ", ".join([f"{name} {shown(fact)}" for name, fact in facts if fact is not None])
    name = kid[:MAX_KID] if isinstance(kid, str) else None
    return SkippedKey(name, refusal.code, refusal.about, reason)


@frozen(kw_only=True)
class Jwk:
    """A public key that passed every check of :func:`parse_jwk`.

    Attributes:
        kty: ``RSA``, ``EC``, ``OKP`` or ``AKP``.
        crv: the curve, empty for RSA and AKP.
        kid: the key's name in its set.
        alg: the one algorithm it serves, or ``None`` if it did not say.
        use: ``sig``, ``enc`` or another word, or ``None``.
        key_ops: the operations it is for, or ``None``.
        issuers: the only issuers it signs for, where a set serves many (as Entra's does); empty if
            it did not say.  Only an issuer rule with a template heeds that.
        odd: why it is only used under the quirk ``lenient_key_encoding``: it has the octets of a
            sound key, in a wrong encoding. ``None`` for any other key.
        material: its octets: (n, e), (x, y), (x,) or (pub,).
    """

    kty: str
    crv: str = ""
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    key_ops: tuple[str, ...] | None = None
    issuers: frozenset[str] = frozenset()
    odd: SkippedKey | None = field(default=None, eq=False)
    material: tuple[bytes, ...] = field(repr=False)

    @cached_property
    def thumbprint(self) -> str:
        """The JWK thumbprint with SHA-256 (RFC 7638, RFC 8037 §2), 43 characters.

        The ``alg`` of an AKP key is part of it, as it says what ``pub`` is.
        """
        first, *rest = map(b64url_encode, self.material)
        if self.kty == "RSA":
            return sha256_b64url(f'{{"e":"{rest[0]}","kty":"RSA","n":"{first}"}}')
        if self.kty == "AKP":
            return sha256_b64url(f'{{"alg":"{self.alg}","kty":"AKP","pub":"{first}"}}')
        y = "".join([f',"y":"{member}"' for member in rest])
        return sha256_b64url(f'{{"crv":"{self.crv}","kty":"{self.kty}","x":"{first}"{y}}}')

    @property
    def verifies(self) -> bool:
        """Whether ``use`` and ``key_ops`` leave it to signatures (RFC 7517 §4.2, §4.3)."""
        if self.use is not None and self.use != "sig":
            return False
        operations = self.key_ops
        if operations is None:
            return True
        agrees = self.use is None or _SIGNING_OPERATIONS.issuperset(operations)
        return agrees and "verify" in operations

    def fits(self, alg: str) -> bool:
        """Whether it can serve this algorithm: its own ``alg``, or any of its type and curve."""
        own = self.alg
        return (own is None or own == alg) and row_for(alg, self.kty, self.crv) is not None


def parse_jwk(members: JsonObject, *, lenient: bool = False) -> Jwk:
    """Turn a JSON object into a public key (RFC 7517 §4), wholly checked.

    Members that are ``null`` count as absent, as some serializers write them.
    ``x5c``, ``x5u`` and unknown members are ignored.

    Args:
        members: the JWK.
        lenient: whether a key is taken whose octets are not encoded as they should be: RSA with
            leading zero octets, coordinates of another width, padded base64.

    Raises:
        ProtocolViolation: ``key_not_public`` for a private or symmetric key, ``kid_malformed``,
            ``jwk_invalid`` for a malformed key or one whose ``alg`` is for other keys,
            ``key_too_small``, ``key_too_large``, ``key_weak``.
    """
    member = members.members.get
    kty = _text(member, "kty")
    private = [name for name in PRIVATE_MEMBERS if member(name) is not None]
    if private or kty == "oct":
        raise ProtocolViolation("key_not_public", about=private[0] if private else "kty")
    if kty is None:
        raise ProtocolViolation("jwk_invalid", expected="a string", about="kty")
    crv = "" if kty in _WITHOUT_CURVE else _text(member, "crv") or ""
    alg = _text(member, "alg")
    # An algorithm that is not known may be for encryption; one that is known must fit.
    if alg is not None and rows_for(alg) and row_for(alg, kty, crv) is None:
        raise ProtocolViolation("jwk_invalid", found=alg, about="alg")
    key = Jwk(
        kty=kty,
        crv=crv,
        kid=_kid(member("kid")),
        alg=alg,
        use=_text(member, "use"),
        key_ops=_key_ops(member("key_ops")),
        issuers=_issuers(member("issuer")),
        material=(),
    )
    return _with_material(key, member, lenient=lenient)


def _with_material(key: Jwk, member: Lookup, *, lenient: bool) -> Jwk:
    """Read the octets of a key, and leniently once more if they were refused.

    Raises:
        ProtocolViolation: what is wrong with the key, or only with its encoding.
    """
    kty, crv = key.kty, key.crv
    try:
        return evolve(key, material=public_material(kty, crv, member))
    except ProtocolViolation as refusal:
        if not lenient:
            raise
        strict = refusal
    try:
        material = public_material(kty, crv, member, lenient=True)
    except ProtocolViolation as refusal:
        raise (strict if refusal.code == strict.code else refusal) from None
    return evolve(key, material=material, odd=skipped_for(key.kid, strict))


def _issuers(value: JsonValue) -> frozenset[str]:
    """Read a member of one provider family, which is anybody's guess at every other provider."""
    if value is None:
        return frozenset()
    return frozenset({value if isinstance(value, str) else _NO_ISSUER})


def _text(member: Lookup, name: str) -> str | None:
    value = member(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolViolation("jwk_invalid", expected="a string", about=name)
    return value


def _kid(value: JsonValue) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) <= MAX_KID):
        expected = f"at most {MAX_KID} characters"
        raise ProtocolViolation("kid_malformed", expected=expected, about="kid")
    return value


def _key_ops(value: JsonValue) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ProtocolViolation("jwk_invalid", expected="an array", about="key_ops")
    operations = tuple(operation for operation in value if isinstance(operation, str))
    if len(set(operations)) != len(value):  # RFC 7517 §4.3: no duplicates
        raise ProtocolViolation("jwk_invalid", expected="different strings", about="key_ops")
    return operations
