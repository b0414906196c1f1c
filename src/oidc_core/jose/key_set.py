"""The sets in which providers publish their public keys (RFC 7517 §5).

A key that does not pass its checks is skipped: it counts as absent, with the reason, and the rest
of the set remains, as a provider may publish keys for purposes and algorithms that are not known
here.

A set is fetched rarely and asked for one key a login. Taking it apart therefore reads only each
``kid``; a key is judged when it is first wanted, and then remembered.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, TypeAlias

from attrs import evolve, field, frozen

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.jose.jwk import Jwk, SkippedKey, parse_jwk, skipped_for
from oidc_core.jose.key_set_text import read_key_set, too_many_keys
from oidc_core.wire.codes import CODES
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.limits import LIMITS, Limits, excess
from oidc_core.wire.settings import check_fields, check_kind, fields_of, json_array
from oidc_core.wire.way import Channel

MAX_CANDIDATES: Final = 4
"""How many keys are tried for a token without ``kid``."""

_NAMED: Final = 4
"""How many keys an error names that are not used; evidence has all."""
_LENIENT: Final = "the key is sound and oddly encoded: the quirk lenient_key_encoding takes it"

_Outcome: TypeAlias = Jwk | SkippedKey
_Outcomes: TypeAlias = tuple[_Outcome, ...]


def _outcome(published: JsonValue) -> _Outcome:
    if not isinstance(published, JsonObject):
        return SkippedKey(None, "jwk_invalid", reason="expected an object")
    try:
        return parse_jwk(published, lenient=True)
    except ProtocolViolation as violation:
        return skipped_for(published.members.get("kid"), violation)


@frozen
class KeySet:
    """The public keys of one provider.

    Attributes:
        published: the members of the set's ``keys``, in order and unjudged; two sets are equal if
            these are.
        channel: how the set came, if it was fetched.
        unread: elements of ``keys`` that could not even be read as JSON.
    """

    published: tuple[JsonValue, ...] = field(default=(), repr=False, converter=json_array)
    channel: Channel | None = field(default=None, repr=False, eq=False)
    unread: tuple[SkippedKey, ...] = field(default=(), repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)

    @cached_property
    def keys(self) -> tuple[Jwk, ...]:
        """The keys that passed every check, in the set's order."""
        return tuple(key for key in self._outcomes if isinstance(key, Jwk) and key.odd is None)

    @cached_property
    def skipped(self) -> tuple[SkippedKey, ...]:
        """The others, each with its fault."""
        return (*_unused(self._outcomes), *self.unread)

    def has(self, kid: str) -> bool:
        """Whether a key of this ``kid`` was published, usable or not."""
        return kid in self._index

    def select(self, kid: str | None, alg: str, *, lenient: bool = False) -> tuple[Jwk, ...]:
        """Return the keys a token's signature may be tried with.

        That is the one key of this ``kid``; or, for a token without, at most four that fit.  A key
        that is published several times is one, and serves each issuer that one of those names.

        Args:
            kid: as in the token's header.
            alg: the algorithm that was agreed on, asymmetric.
            lenient: whether keys serve that are oddly encoded (:attr:`Jwk.odd`).

        Raises:
            ProtocolViolation: ``key_not_found``, which names the keys that are not used;
                ``kid_duplicated`` if different keys of this ``kid`` fit; ``key_ambiguous`` if too
                many fit and there is no ``kid``; ``key_use_mismatch`` or ``key_alg_mismatch`` if
                the key is for something else; the key's own code if it was skipped;
                ``alg_not_allowed`` if no public key serves.
        """
        if alg in HMAC or alg not in SIGNATURES:
            raise ProtocolViolation("alg_not_allowed", found=alg)
        if kid is None:
            return self._unnamed(alg, lenient=lenient)
        found = self._named(kid)
        fitting = _fitting(found, alg, lenient=lenient)
        if not fitting:
            raise self._refusal(kid, alg, found)
        if len(fitting) == 1:
            return (fitting[0],)
        distinct = _distinct(fitting)
        if len(distinct) > 1:
            raise ProtocolViolation("kid_duplicated", found=kid)
        return distinct

    def _unnamed(self, alg: str, *, lenient: bool) -> tuple[Jwk, ...]:
        fitting = _distinct(_fitting(self._outcomes, alg, lenient=lenient))
        if not fitting:
            raise self.not_found(expected=alg)
        if len(fitting) > MAX_CANDIDATES:
            raise ProtocolViolation("key_ambiguous", found=len(fitting), expected=MAX_CANDIDATES)
        return fitting

    def _refusal(self, kid: str, alg: str, found: _Outcomes) -> ProtocolViolation:
        """Say why none of the keys of this ``kid`` serves."""
        keys = [key for key in found if isinstance(key, Jwk) and key.odd is None]
        if any(key.verifies for key in keys):
            return ProtocolViolation("key_alg_mismatch", found=kid, expected=alg)
        if keys:
            return ProtocolViolation("key_use_mismatch", found=kid, expected="sig")
        first = _unused(found)[:1]
        if not first:
            return self.not_found(found=kid)
        (skipped,) = first
        odd = any(isinstance(key, Jwk) for key in found)
        reason = f" ({skipped.reason})" if skipped.reason else ""
        return ProtocolViolation(
            skipped.code,
            found=kid,
            about=skipped.about,
            hint=f"{_LENIENT if odd else CODES[skipped.code].hint}{reason}",
        )

    def not_found(
        self, *, found: str | None = None, expected: str | None = None
    ) -> ProtocolViolation:
        """Say that there is no such key, and which others there are that cannot be used."""
        named = "; ".join(map(str, self.skipped[:_NAMED]))
        more = f" and {len(self.skipped) - _NAMED} more" if len(self.skipped) > _NAMED else ""
        hint = CODES["key_not_found"].hint
        hint += f"; it publishes keys that are not used: {named}{more}" if named else ""
        return ProtocolViolation("key_not_found", found=found, expected=expected, hint=hint)

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
        """The memory of :meth:`_named`: it holds only values that follow from ``published``."""
        return {}


_FIELDS: Final = fields_of(KeySet, "parameter_invalid", published=tuple[object, ...])


def _unused(outcomes: _Outcomes) -> list[SkippedKey]:
    """Return the keys that are not used, or only by a quirk."""
    found = [key.odd if isinstance(key, Jwk) else key for key in outcomes]
    return [key for key in found if key is not None]


def _fitting(outcomes: _Outcomes, alg: str, *, lenient: bool) -> list[Jwk]:
    keys = [key for key in outcomes if isinstance(key, Jwk) and (lenient or key.odd is None)]
    return [key for key in keys if key.verifies and key.fits(alg)]


def _distinct(keys: list[Jwk]) -> tuple[Jwk, ...]:
    """Drop keys that occur before; equal octets are equal thumbprints, and cheaper.

    A key that is published once for each of several issuers serves all of these. Where one copy
    names an issuer and another does not, the key stays bound: to be silent takes nothing back.
    """
    distinct: dict[tuple[str, str, tuple[bytes, ...]], Jwk] = {}
    for key in keys:
        name = (key.kty, key.crv, key.material)
        first = distinct.setdefault(name, key)
        if not key.issuers <= first.issuers:
            distinct[name] = evolve(first, issuers=first.issuers | key.issuers)
    return tuple(distinct.values())


def parse_key_set(document: bytes | Mapping[str, object], *, limits: Limits = LIMITS) -> KeySet:
    """Turn a JWK Set (RFC 7517 §5) into a :class:`KeySet`; a set without usable keys is one too.

    Args:
        document: the octets of the answer, or the JSON object they are.
        limits: the policy's.

    Raises:
        UsageError: ``parameter_invalid`` for anything else.
        ProtocolViolation: ``jwks_invalid`` if there is no array ``keys`` or it has too many;
            ``json_too_large``; for octets, the codes of
            :func:`~oidc_core.wire.jsontypes.parse_object`.
    """
    check_kind(limits, Limits, about="limits")
    unread: tuple[ProtocolViolation, ...] = ()
    if isinstance(document, bytes):
        if len(document) > limits.key_set:
            facts = excess("key_set", limits.key_set, len(document))
            raise ProtocolViolation("json_too_large", about="key_set", **facts)
        document, unread = read_key_set(document, limits)
    published = JsonObject(document).members.get("keys")
    if not isinstance(published, tuple):
        raise ProtocolViolation("jwks_invalid", expected="an array", about="keys")
    if len(published) > limits.keys:
        raise too_many_keys(len(published), limits)
    return KeySet(published, unread=tuple([skipped_for(None, refusal) for refusal in unread]))
