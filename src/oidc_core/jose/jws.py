"""Compact JWS: split, header, signature (RFC 7515), in that order and no other.

The payload is not parsed before the signature was verified, so that no JSON of a stranger reaches
the parser. The algorithm comes from the registration, never from the token: the header may only
name one of those allowed. Keys come from the provider's key set, never from the header.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol, TypeGuard

from oidc_core.jose.algorithms import row_for
from oidc_core.jose.jwk import MAX_KID, Jwk
from oidc_core.jose.key_set import KeySet
from oidc_core.jose.profiles import JOSE, media_name, normalized_typ
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.facts import kind_of
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from oidc_core.wire.limits import LIMITS, UPPER_BOUNDS, LimitName, Limits, excess

_IGNORED: Final = ("jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip")
_EXTENSIONS: Final = frozenset({"crit", "b64"})
_NOT_COMPACT: Final = frozenset('{["')


class Recognised(NamedTuple):
    """A header that was read before, with the one key of the set that it means, if any."""

    header: "JoseHeader"
    key: Jwk | None


class SignatureVerifier(Protocol):
    """The port to signature verification: pure, the same answer for the same arguments.

    It may remember headers under which a good signature was seen, so that the next token does not
    have its header parsed and its key looked up again: this memory decides nothing, it only saves
    time.

    Only ``True`` itself says that a signature is good: what is merely true, as the coroutine of a
    method that should not have been ``async``, says nothing.
    """

    def check_mac(self, issuer: str, client_id: str, alg: str) -> None:
        """Refuse to be configured for MACs that this client has no good secret for.

        Raises:
            UsageError: ``credential_missing``; ``config_invalid`` for a client secret that is too
                short (RFC 7518 §3.2).
        """
        ...

    def recall(self, protected: bytes, keys: KeySet) -> Recognised | None:
        """Return the memory of this header with exactly this key set, or ``None``."""
        ...

    def remember(self, protected: bytes, keys: KeySet, recognised: Recognised) -> None:
        """Remember a header with a valid signature; a few dozen are plenty."""
        ...

    def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's; bad input must not raise.

        Raises:
            ProtocolViolation: ``alg_not_allowed`` for an algorithm that it does not have.
        """
        ...

    def verifies_mac(
        self, issuer: str, client_id: str, alg: str, signing_input: bytes, signature: bytes
    ) -> bool:
        """Return whether the MAC was made with this client's secret at this issuer.

        Raises:
            UsageError: as :meth:`check_mac`, where the secret has become another since.
        """
        ...


class JoseHeader(NamedTuple):
    """The content of a JWS's header, before the signature is verified.

    ``typ`` is in lower case and without ``application/``, an empty string without one.
    ``ignored`` names the members that might mean something and were not heeded: those that offer
    keys, which are never used nor fetched; ``b64`` of true, ``zip``, a ``cty`` that announces no
    token, and a ``typ`` of ``JOSE``.
    """

    alg: str
    kid: str | None
    typ: str
    ignored: tuple[str, ...]


class Encryption(NamedTuple):
    """How a JWE is encrypted: its key with ``alg``, its content with ``enc`` (RFC 7516 §4.1)."""

    alg: str
    enc: str


class UnverifiedJws(NamedTuple):
    """The parts of a compact JWS, still encoded, and nothing believed."""

    protected: bytes
    payload: bytes
    signature: bytes
    signing_input: bytes

    def __repr__(self) -> str:
        return f"UnverifiedJws({len(self.signing_input)} octets)"


class VerifiedJws(NamedTuple):
    """A JWS with a valid signature.

    Attributes:
        header: the header.
        payload: the signed octets.
        key: the key of the provider's set that made the signature, ``None`` for a MAC.
        verified_at: when it was verified, in seconds since the epoch.
        keys_fetched_at: when the key set was fetched, ``None`` for a MAC.
        keys: the key set, ``None`` for a MAC.
        encryption: how it was encrypted, ``None`` if it was not.
    """

    header: JoseHeader
    payload: bytes
    key: Jwk | None
    verified_at: int
    keys_fetched_at: int | None
    keys: KeySet | None = None
    encryption: Encryption | None = None

    def __repr__(self) -> str:
        return f"VerifiedJws(header={self.header!r}, verified_at={self.verified_at})"


def split(
    token: str,
    limits: Limits = LIMITS,
    limit: LimitName = "id_token",
    *,
    empty_payload: bool = False,
) -> UnverifiedJws:
    """Split a compact JWS (RFC 7515 §7.1).

    Args:
        token: the JWS.
        limits: the policy's.
        limit: the one that says how many characters it may have.
        empty_payload: whether the payload may be empty, which is legal for a JWS that is not a JWT;
            a payload that is kept elsewhere (RFC 7515, appendix F) looks the same.

    Raises:
        ProtocolViolation: ``token_too_large`` beyond that, ``jws_malformed`` unless
            there are three parts of ASCII, the first two not empty, with no white space around
            them; JSON serializations are not used in OpenID Connect.
    """
    most: int = getattr(limits, limit)
    if len(token) > most:
        raise ProtocolViolation("token_too_large", **excess(limit, most, len(token)))
    if not token.isascii():
        raise ProtocolViolation("jws_malformed", expected="ASCII")
    if token[:1] in _NOT_COMPACT or token.strip() != token:
        raise ProtocolViolation("jws_malformed", expected="compact serialization")
    signing_input, _, signature = token.encode("ascii").rpartition(b".")
    protected, dot, payload = signing_input.partition(b".")
    if not (protected and (payload or (empty_payload and dot))) or b"." in payload:
        raise ProtocolViolation("jws_malformed", expected="three parts")
    return UnverifiedJws(protected, payload, signature, signing_input)


def parse_header(protected: bytes, limits: Limits = LIMITS) -> JoseHeader:
    """Read a JOSE header (RFC 7515 §4); ``limits``: the policy's.

    Raises:
        ProtocolViolation: ``base64url_malformed``, ``jose_header_invalid``, ``crit_unsupported``
            for ``crit`` and for a ``b64`` other than true, ``kid_malformed``, ``typ_unexpected``,
            ``cty_unexpected`` for a token in a token, ``alg_not_allowed`` without an ``alg``, or
            what :func:`~oidc_core.wire.jsontypes.parse_object` raises.
    """
    members = header_members(protected, limits)
    refuse_extensions(members)
    alg, kid, typ = members.get("alg"), members.get("kid"), members.get("typ")
    if not isinstance(alg, str):
        raise ProtocolViolation("alg_not_allowed", about="alg")
    if kid is not None and not is_kid(kid):
        raise malformed_kid(kid)
    if typ is not None and not isinstance(typ, str):
        raise ProtocolViolation("typ_unexpected", about="typ")
    cty = members.get("cty")
    if cty is not None and (not isinstance(cty, str) or media_name(cty) == "jwt"):
        raise ProtocolViolation("cty_unexpected", about="cty")
    ignored = filter(members.__contains__, _IGNORED)
    of_no_kind = (("cty", cty is not None), ("typ", media_name(typ) == JOSE))
    unheeded = tuple([name for name, met in of_no_kind if met])
    return JoseHeader(alg, kid, normalized_typ(typ), (*ignored, *unheeded))


def refuse_extensions(members: Mapping[str, JsonValue]) -> None:
    """Refuse an extension that must be understood; ``b64`` of true changes nothing (RFC 7797 §3).

    Raises:
        ProtocolViolation: ``crit_unsupported``.
    """
    if "crit" in members or members.get("b64", True) is not True:
        found = tuple(sorted(_EXTENSIONS.intersection(members)))
        raise ProtocolViolation("crit_unsupported", found=found)


def header_members(protected: bytes, limits: Limits = LIMITS) -> Mapping[str, JsonValue]:
    """Return the members of an encoded JOSE header; it has some.

    Raises:
        ProtocolViolation: ``jose_header_invalid``, ``base64url_malformed``, or a code of the JSON's
            refusal.
    """
    if len(protected) > limits.jose_header:
        facts = excess("jose_header", limits.jose_header, len(protected))
        raise ProtocolViolation("jose_header_invalid", **facts)
    try:
        octets = b64url_decode(protected)
        members = parse_object(octets, members=limits.members, tolerant=True).members
    except ProtocolViolation as violation:
        if violation.code != "json_not_object":
            raise
        raise ProtocolViolation("jose_header_invalid", expected="a JSON object") from None
    if not members:
        raise ProtocolViolation("jose_header_invalid", expected="a JSON object with alg")
    return members


def is_kid(value: JsonValue) -> TypeGuard[str]:
    """Take what may be looked up; it is never a path, a URL or a query (RFC 8725 §3.10)."""
    return isinstance(value, str) and len(value) <= MAX_KID and value.isprintable()


def malformed_kid(value: JsonValue) -> ProtocolViolation:
    """Return the refusal of the name of a key."""
    found = len(value) if isinstance(value, str) else kind_of(value)
    expected = f"up to {MAX_KID} printable characters"
    return ProtocolViolation("kid_malformed", found=found, expected=expected, about="kid")


def first_seen(protected: bytes, limits: Limits = LIMITS) -> Recognised:
    """Read a header that the verifier does not recall; which key it means is not known yet.

    Raises:
        ProtocolViolation: what :func:`parse_header` refuses.
    """
    return Recognised(parse_header(protected, limits), None)


def verify(
    jws: UnverifiedJws,
    keys: KeySet,
    verifier: SignatureVerifier,
    *,
    algorithms: frozenset[str],
    types: frozenset[str],
    now: int,
    keys_fetched_at: int,
    known: Recognised,
    lenient: bool = False,
) -> VerifiedJws:
    """Verify the signature with a key of the provider's set (RFC 7515 §5.2).

    ``known``: its header, as the verifier recalled it or as :func:`first_seen` read it.
    ``lenient``: whether a key may be oddly encoded (:attr:`Jwk.odd`).

    Raises:
        ProtocolViolation: what :func:`parse_header`, :func:`check_header` and
            :meth:`KeySet.select` refuse, ``signature_length_mismatch``, ``signature_invalid``,
            ``base64url_malformed``.
    """
    header, key = known
    check_header(header, algorithms, types)
    payload = b64url_decode(jws.payload)
    if not jws.signature:
        raise ProtocolViolation("jws_malformed", expected="a signature")
    signature = b64url_decode(jws.signature)
    if key is None:
        candidates = keys.select(header.kid, header.alg, lenient=lenient)
        key = _signer(jws, candidates, verifier, header, signature)
        if len(candidates) == 1 and key.odd is None:
            # An odd one is not remembered: another relying party with this verifier may be strict.
            verifier.remember(jws.protected, keys, Recognised(header, key))
    elif verifier.verifies(key, header.alg, jws.signing_input, signature) is not True:
        _check_length(header.alg, key, signature)
        raise ProtocolViolation("signature_invalid")
    return VerifiedJws(header, payload, key, now, keys_fetched_at, keys)


def _signer(
    jws: UnverifiedJws,
    candidates: tuple[Jwk, ...],
    verifier: SignatureVerifier,
    header: JoseHeader,
    signature: bytes,
) -> Jwk:
    """Find the key that made the signature."""
    if len(candidates) == 1:
        _check_length(header.alg, candidates[0], signature)
    for candidate in candidates:
        if verifier.verifies(candidate, header.alg, jws.signing_input, signature) is True:
            return candidate
    raise ProtocolViolation("signature_invalid")


def verify_mac(
    jws: UnverifiedJws,
    header: JoseHeader,
    owner: tuple[str, str],
    verifier: SignatureVerifier,
    now: int,
) -> VerifiedJws:
    """Verify a MAC made with the client's secret (OIDC Core §10.1); ``owner``: issuer, client id.

    Raises:
        ProtocolViolation: ``jws_malformed`` without a signature, ``base64url_malformed``,
            ``signature_invalid``.
    """
    if not jws.signature:
        raise ProtocolViolation("jws_malformed", expected="a signature")
    payload, signature = b64url_decode(jws.payload), b64url_decode(jws.signature)
    if verifier.verifies_mac(*owner, header.alg, jws.signing_input, signature) is not True:
        raise ProtocolViolation("signature_invalid")
    return VerifiedJws(header, payload, None, now, None)


def _check_length(alg: str, key: Jwk, signature: bytes) -> None:
    """Name DER, padding and truncation in the error (RFC 7518 §3.4)."""
    row = row_for(alg, key.kty, key.crv)
    expected = (row.signature_length if row else 0) or len(key.material[0])
    if len(signature) != expected:
        raise ProtocolViolation(
            "signature_length_mismatch", found=len(signature), expected=expected
        )


def check_header(header: JoseHeader, algorithms: frozenset[str], types: frozenset[str]) -> None:
    """Refuse an algorithm that was not registered and a token of another kind (RFC 8725 §3).

    ``types``: the accepted ``typ`` in lower case and without ``application/``; ``""`` for an absent
    one.

    Raises:
        ProtocolViolation: ``alg_not_allowed``, ``typ_unexpected``.
    """
    if header.alg not in algorithms:
        raise ProtocolViolation(
            "alg_not_allowed", found=header.alg, expected=tuple(sorted(algorithms)), about="alg"
        )
    if header.typ not in types:
        raise ProtocolViolation("typ_unexpected", found=header.typ, about="typ")


def claims_kept(token: str) -> JsonObject:
    """Read the claims of a token that was verified when it was kept; it is not verified again here.

    Raises:
        ProtocolViolation: a code of the refusal of its form.
    """
    payload = b64url_decode(split(token, UPPER_BOUNDS).payload)
    return parse_object(payload, members=UPPER_BOUNDS.members, tolerant=True)
