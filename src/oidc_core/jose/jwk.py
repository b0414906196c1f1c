"""Public keys (RFC 7517) and the sets in which providers publish them.

A :class:`Jwk` exists only if its key passed every check, so nobody who is handed one checks again.
A key that does not pass is skipped: it counts as absent, with its code, and the rest of the set
stands, as a provider may publish keys for purposes and algorithms that are not known here.

A set is fetched seldom and asked for one key a login.  Taking it apart therefore looks at nothing
but each ``kid``; a key is judged when it is first wanted, and then remembered.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from attrs import evolve, field, frozen

from oidc_core.jose.algorithms import HMAC, SIGNATURES, row_for, rows_for
from oidc_core.jose.key_material import PRIVATE_MEMBERS, Lookup, public_material
from oidc_core.wire.encoding import b64url_encode, sha256_b64url
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.http import LIMITS, Limits
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from oidc_core.wire.settings import check_fields, check_kind, fields_of, json_array
from oidc_core.wire.way import Channel

MAX_KID: Final = 256
MAX_CANDIDATES: Final = 4
"""How many keys are tried for a token without ``kid``."""

_WITHOUT_CURVE: Final = frozenset(("RSA", "AKP"))
_SIGNING_OPERATIONS: Final = frozenset(("sign", "verify"))


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
            it did not say.
        material: its octets: (n, e), (x, y), (x,) or (pub,).
    """

    kty: str
    crv: str = ""
    kid: str | None = None
    alg: str | None = None
    use: str | None = None
    key_ops: tuple[str, ...] | None = None
    issuers: frozenset[str] = frozenset()
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
        """Whether it can serve this algorithm: its own ``alg`` only, else its type and curve."""
        own = self.alg
        return (own is None or own == alg) and row_for(alg, self.kty, self.crv) is not None


class SkippedKey(NamedTuple):
    """A key of a set that is not used, and why: a code, as ``key_weak``."""

    kid: str | None
    code: str


def parse_jwk(members: JsonObject) -> Jwk:
    """Turn a JSON object into a public key (RFC 7517 §4), wholly checked.

    Members that are ``null`` count as absent, except those of a private key.
    ``x5c``, ``x5u`` and whatever is unknown are ignored.

    Raises:
        ProtocolViolation: ``key_not_public`` for a private or symmetric key, ``kid_malformed``,
            ``jwk_invalid`` for a malformed key or one whose ``alg`` is for other keys,
            ``key_too_small``, ``key_too_large``, ``key_weak``.
    """
    member = members.members.get
    kty = _text(member, "kty")
    if kty == "oct" or not members.members.keys().isdisjoint(PRIVATE_MEMBERS):
        raise ProtocolViolation("key_not_public")
    if kty is None:
        raise ProtocolViolation("jwk_invalid", expected="a string", about="kty")
    crv = "" if kty in _WITHOUT_CURVE else _text(member, "crv") or ""
    alg = _text(member, "alg")
    # An algorithm that is not known may be for encryption; one that is known must fit.
    if alg is not None and rows_for(alg) and row_for(alg, kty, crv) is None:
        raise ProtocolViolation("jwk_invalid", found=alg, about="alg")
    issuer = _text(member, "issuer")
    return Jwk(
        kty=kty,
        crv=crv,
        kid=_kid(member("kid")),
        alg=alg,
        use=_text(member, "use"),
        key_ops=_key_ops(member("key_ops")),
        issuers=frozenset() if issuer is None else frozenset({issuer}),
        material=public_material(kty, crv, member),
    )


def _text(member: Lookup, name: str) -> str | None:
    value = member(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolViolation("jwk_invalid", expected="a string", about=name)
    return value


def _kid(value: JsonValue) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) <= MAX_KID):
        raise ProtocolViolation("kid_malformed", expected=f"at most {MAX_KID} characters")
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


_Outcome: TypeAlias = Jwk | SkippedKey
_Outcomes: TypeAlias = tuple[_Outcome, ...]


def _outcome(published: JsonValue) -> _Outcome:
    if not isinstance(published, JsonObject):
        return SkippedKey(None, "jwk_invalid")
    try:
        return parse_jwk(published)
    except ProtocolViolation as violation:
        kid = published.members.get("kid")
        return SkippedKey(kid[:MAX_KID] if isinstance(kid, str) else None, violation.code)


@frozen
class KeySet:
    """The public keys of one provider.

    Attributes:
        published: what stood in the set's ``keys``, in order and unjudged; two sets are equal if
            these are.
        channel: how the set came, if it was fetched.
    """

    published: tuple[JsonValue, ...] = field(default=(), repr=False, converter=json_array)
    channel: Channel | None = field(default=None, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)

    @cached_property
    def keys(self) -> tuple[Jwk, ...]:
        """The keys that passed every check, in the set's order."""
        return tuple(key for key in self._outcomes if isinstance(key, Jwk))

    @cached_property
    def skipped(self) -> tuple[SkippedKey, ...]:
        """The others, each with the code of what is wrong with it."""
        return tuple(key for key in self._outcomes if isinstance(key, SkippedKey))

    def has(self, kid: str) -> bool:
        """Whether a key of this ``kid`` was published, usable or not."""
        return kid in self._index

    def select(self, kid: str | None, alg: str) -> tuple[Jwk, ...]:
        """Return the keys a token's signature may be tried with.

        That is the one key of this ``kid``; or, for a token without, at most four that fit.  A key
        that is published several times is one, and serves each issuer that one of those names.

        Args:
            kid: as in the token's header.
            alg: the algorithm that was agreed on, asymmetric.

        Raises:
            ProtocolViolation: ``key_not_found``; ``kid_duplicated`` if different keys of this
                ``kid`` fit; ``key_ambiguous`` if too many fit and there is no ``kid``;
                ``key_use_mismatch`` or ``key_alg_mismatch`` if the key is for something else; the
                key's own code if it was skipped; ``alg_not_allowed`` if no public key serves.
        """
        if alg in HMAC or alg not in SIGNATURES:
            raise ProtocolViolation("alg_not_allowed", found=alg)
        if kid is None:
            return self._unnamed(alg)
        found = self._named(kid)
        fitting = [key for key in found if isinstance(key, Jwk) and key.verifies and key.fits(alg)]
        if not fitting:
            raise _refusal(kid, alg, found)
        if len(fitting) == 1:
            return (fitting[0],)
        distinct = _distinct(fitting)
        if len(distinct) > 1:
            raise ProtocolViolation("kid_duplicated", found=kid)
        return distinct

    def _unnamed(self, alg: str) -> tuple[Jwk, ...]:
        fitting = _distinct([key for key in self.keys if key.verifies and key.fits(alg)])
        if not fitting:
            raise ProtocolViolation("key_not_found", expected=alg)
        if len(fitting) > MAX_CANDIDATES:
            raise ProtocolViolation("key_ambiguous", found=len(fitting), expected=MAX_CANDIDATES)
        return fitting

    def _named(self, kid: str) -> _Outcomes:
        outcomes = self._judged.get(kid)
        if outcomes is None:
            outcomes = tuple(map(_outcome, self._index.get(kid, ())))
            if outcomes:  # a stranger's kid is not remembered: that would grow without end
                self._judged[kid] = outcomes
        return outcomes

    @cached_property
    def _outcomes(self) -> _Outcomes:
        return tuple(map(_outcome, self.published))

    @cached_property
    def _index(self) -> Mapping[str, tuple[JsonObject, ...]]:
        index: dict[str, tuple[JsonObject, ...]] = {}
        for key in self.published:
            if isinstance(key, JsonObject):
                kid = key.members.get("kid")
                if isinstance(kid, str):
                    index[kid] = (*index[kid], key) if kid in index else (key,)
        return index

    @cached_property
    def _judged(self) -> dict[str, _Outcomes]:
        """What :meth:`_named` remembers: nothing that is not implied by ``published``."""
        return {}


_FIELDS: Final = fields_of(KeySet, "parameter_invalid", published=tuple[object, ...])


def _distinct(keys: list[Jwk]) -> tuple[Jwk, ...]:
    """Drop keys that occur before; equal octets are equal thumbprints, and cheaper.

    A key that is published once for each of several issuers serves all of these.  Where one copy
    names an issuer and another none, the key stays bound: to be silent takes nothing back.
    """
    distinct: dict[tuple[str, str, tuple[bytes, ...]], Jwk] = {}
    for key in keys:
        name = (key.kty, key.crv, key.material)
        first = distinct.setdefault(name, key)
        if not key.issuers <= first.issuers:
            distinct[name] = evolve(first, issuers=first.issuers | key.issuers)
    return tuple(distinct.values())


def _refusal(kid: str, alg: str, found: _Outcomes) -> ProtocolViolation:
    """Say why none of the keys of this ``kid`` serves."""
    keys = [key for key in found if isinstance(key, Jwk)]
    if any(key.verifies for key in keys):
        return ProtocolViolation("key_alg_mismatch", found=kid, expected=alg)
    if keys:
        return ProtocolViolation("key_use_mismatch", found=kid, expected="sig")
    codes = [key.code for key in found if isinstance(key, SkippedKey)]
    return ProtocolViolation(codes[0] if codes else "key_not_found", found=kid)


def parse_key_set(document: bytes | Mapping[str, object], *, limits: Limits = LIMITS) -> KeySet:
    """Turn a JWK Set (RFC 7517 §5) into a :class:`KeySet`; a set without usable keys is one too.

    Args:
        document: the octets of the answer, or the JSON object they are.
        limits: how many octets and keys are taken.

    Raises:
        UsageError: ``parameter_invalid`` for anything else.
        ProtocolViolation: ``jwks_invalid`` if there is no array ``keys`` or it has too many;
            ``json_too_large``; for octets, the codes of
            :func:`~oidc_core.wire.jsontypes.parse_object`.
    """
    check_kind(limits, Limits, about="limits")
    if isinstance(document, bytes):
        if len(document) > limits.key_set:
            found = len(document)
            raise ProtocolViolation("json_too_large", found=found, expected=limits.key_set)
        document = parse_object(document)
    published = JsonObject(document).members.get("keys")
    if not isinstance(published, tuple):
        raise ProtocolViolation("jwks_invalid", expected="an array", about="keys")
    if len(published) > limits.keys:
        found = len(published)
        raise ProtocolViolation("jwks_invalid", found=found, expected=limits.keys, about="keys")
    return KeySet(published)
