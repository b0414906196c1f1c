"""Compact JWE: split, header, decryption, and the required content (RFC 7516), in that order.

The registration says which ``alg`` and ``enc`` a token has, and whether it must be encrypted at
all; the token's header may only agree. Until it does, no token is decrypted. From there on every
failure is one and the same error, so that nobody learns from it what went wrong (RFC 7516 §11.5).
Encryption proves nothing about the sender: the content must be signed (RFC 7519 §11.2).

The algorithms that may be registered are in the tables of :mod:`oidc_core.jose.encryption`.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn, Protocol, TypeAlias

from oidc_core.jose.encryption import CONTENT_ENCRYPTION, KEY_MANAGEMENT, KeyFamily
from oidc_core.jose.jws import (
    Encryption,
    header_members,
    is_kid,
    malformed_kid,
    parse_header,
    refuse_extensions,
)
from oidc_core.jose.key_material import PRIVATE_MEMBERS
from oidc_core.jose.profiles import JOSE, media_name, normalized_typ
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.limits import LIMITS, LimitName, Limits, excess


class EphemeralKey(NamedTuple):
    """The sender's one-time public key; whether it is on the curve is not known yet."""

    kty: str
    crv: str
    x: bytes
    y: bytes


class JweHeader(NamedTuple):
    """The content of a JWE's header, once it agrees with the registration.

    Attributes:
        encryption: ``alg`` and ``enc``.
        kid: the name of the recipient's key, if the header has one.
        epk, apu, apv: what the two sides agree on a key with (RFC 7518 §4.6.1).
        iv, tag: what comes with a key wrapped by AES-GCM (RFC 7518 §4.7.1).
        replicated: claims of the token that are repeated in the header (RFC 7519 §5.3).
        ignored: the names of members that might mean something and were not heeded: ``b64``,
            ``cty``, ``typ`` as in a JWS, and ``epk`` where it says more than a key needs.
    """

    encryption: Encryption
    kid: str | None = None
    epk: EphemeralKey | None = None
    apu: bytes = b""
    apv: bytes = b""
    iv: bytes = b""
    tag: bytes = b""
    replicated: tuple[tuple[str, JsonValue], ...] = ()
    ignored: tuple[str, ...] = ()


class Jwe(NamedTuple):
    """A JWE whose header may be believed as far as decryption; ``protected`` is still encoded."""

    header: JweHeader
    protected: bytes
    encrypted_key: bytes
    iv: bytes
    ciphertext: bytes
    tag: bytes


class Decrypted(NamedTuple):
    """The content of a JWE, and the header it came with."""

    header: JweHeader
    plaintext: bytes

    def __repr__(self) -> str:
        return f"Decrypted({len(self.plaintext)} octets)"


class Decrypter(Protocol):
    """The port to decryption: pure, local, the same answer for the same arguments."""

    def check(self, issuer: str, client_id: str, encryption: Encryption) -> None:
        """Refuse a configuration for tokens that this client has no key for.

        Raises:
            UsageError: ``credential_missing``; ``config_invalid`` for a client secret that is too
                short.
        """
        ...

    def decrypt(self, issuer: str, client_id: str, jwe: Jwe) -> bytes | None:
        """Return the plaintext, or ``None`` for any fault; never raise for bad input."""
        ...


def decrypt(
    token: str,
    decrypter: Decrypter,
    owner: tuple[str, str],
    *,
    encryption: Encryption,
    types: frozenset[str],
    nested: bool = True,
    limits: Limits = LIMITS,
    limit: LimitName = "id_token",
) -> Decrypted:
    """Decrypt a compact JWE.

    Args:
        token: the JWE.
        decrypter: has the client's keys.
        owner: issuer and client id.
        encryption: what was registered.
        types: the accepted ``typ`` in lower case, ``""`` for an absent one.
        nested: whether a JWS is expected inside, or claims.
        limits: the policy's.
        limit: the one that says how many characters the token may have.

    Raises:
        ProtocolViolation: what :func:`split` and :func:`parse_jwe_header` raise;
            ``decryption_failed`` for everything after these.
    """
    protected, *encoded = split(token, limits, limit)
    header = parse_jwe_header(protected, encryption, types, nested=nested, limits=limits)
    plaintext = _plaintext(protected, header, encoded, decrypter, owner)
    if plaintext is None:
        _fail()
    return Decrypted(header, plaintext)


def split(token: str, limits: Limits = LIMITS, limit: LimitName = "id_token") -> tuple[bytes, ...]:
    """Split a compact JWE into its five parts, still encoded (RFC 7516 §7.1).

    ``limits``: the policy's; ``limit``: the one that says how many characters it may have.

    Raises:
        ProtocolViolation: ``token_too_large`` beyond that; ``encryption_missing``
            for a JWS; ``jwe_malformed`` for anything else that has not five parts of ASCII.
    """
    most: int = getattr(limits, limit)
    if len(token) > most:
        raise ProtocolViolation("token_too_large", **excess(limit, most, len(token)))
    if not token.isascii():
        raise ProtocolViolation("jwe_malformed", expected="ASCII")
    parts = token.encode("ascii").split(b".", 5)
    if len(parts) == 3:
        raise ProtocolViolation("encryption_missing", found="three parts", expected="five parts")
    if len(parts) != 5:
        raise ProtocolViolation("jwe_malformed", expected="five parts")
    return tuple(parts)


def _plaintext(
    protected: bytes,
    header: JweHeader,
    encoded: list[bytes],
    decrypter: Decrypter,
    owner: tuple[str, str],
) -> bytes | None:
    try:
        jwe = Jwe(header, protected, *map(b64url_decode, encoded))
    except ProtocolViolation:
        return None
    plaintext = decrypter.decrypt(*owner, jwe)
    return plaintext if type(plaintext) is bytes else None


def _fail() -> NoReturn:
    """Raise the one error of all failures: equal in every detail, and chained to nothing."""
    raise ProtocolViolation("decryption_failed")


def parse_jwe_header(
    protected: bytes,
    encryption: Encryption,
    types: frozenset[str],
    *,
    nested: bool,
    limits: Limits = LIMITS,
) -> JweHeader:
    """Read a JWE's header and compare it with the registration (RFC 7516 §4).

    Raises:
        ProtocolViolation: ``base64url_malformed``, ``jose_header_invalid``, ``crit_unsupported``,
            ``zip_unsupported``, ``alg_not_allowed`` for an algorithm that is implemented nowhere
            here, ``encryption_mismatch`` for one that was not registered, ``kid_malformed``,
            ``typ_unexpected``; ``decryption_failed`` without a header or for parameters of the key
            that are malformed; or a code of the JSON's refusal.
    """
    if not protected:
        _fail()
    members = header_members(protected, limits)
    if members.get("zip") is not None:
        raise ProtocolViolation("zip_unsupported")
    refuse_extensions(members)
    alg = members.get("alg")
    if (alg, members.get("enc")) != encryption or alg not in KEY_MANAGEMENT:
        raise _unregistered(members, encryption)
    kid = members.get("kid")
    if kid is not None and not is_kid(kid):
        raise malformed_kid(kid)
    _check_typ(members.get("typ"), types)
    _check_cty(members.get("cty"), nested=nested)
    family = KEY_MANAGEMENT[encryption.alg].family
    parameters = _key_parameters(members, family)
    if parameters is None:
        _fail()
    ignored = _ignored(members, family)
    return JweHeader(encryption, kid, *parameters, _replicated(members), ignored)


def _unregistered(members: Mapping[str, JsonValue], encryption: Encryption) -> ProtocolViolation:
    """Distinguish algorithms that nothing here implements from those that were not registered."""
    for name, table in (("alg", KEY_MANAGEMENT), ("enc", CONTENT_ENCRYPTION)):
        value = members.get(name)
        if not isinstance(value, str) or value not in table:
            found = value if isinstance(value, str) else type(value).__name__
            return ProtocolViolation("alg_not_allowed", found=found, about=name)
    found, agreed = f"{members['alg']} {members['enc']}", " ".join(encryption)
    return ProtocolViolation("encryption_mismatch", found=found, expected=agreed, about="alg")


def _check_typ(value: JsonValue, types: frozenset[str]) -> None:
    if not (value is None or isinstance(value, str)) or normalized_typ(value) not in types:
        found = value if isinstance(value, str) else type(value).__name__
        raise ProtocolViolation("typ_unexpected", found=found, about="typ")


def _check_cty(value: JsonValue, *, nested: bool) -> None:
    """A token inside is announced as ``JWT``, or by nothing; what else is said does not decide."""
    if not (value is None or isinstance(value, str)):
        raise ProtocolViolation("cty_unexpected", found=type(value).__name__, about="cty")
    if media_name(value) == "jwt" and not nested:
        raise ProtocolViolation("cty_unexpected", found=value, about="cty")


def _ignored(members: Mapping[str, JsonValue], family: KeyFamily) -> tuple[str, ...]:
    """Name the ignored members that might mean something."""
    cty, typ, epk = members.get("cty"), members.get("typ"), members.get("epk")
    met = (
        ("b64", "b64" in members),
        ("cty", isinstance(cty, str) and media_name(cty) != "jwt"),
        ("typ", isinstance(typ, str) and media_name(typ) == JOSE),
        (
            "epk",
            family == "ECDH-ES"
            and isinstance(epk, JsonObject)
            and not epk.members.keys() <= _EPK_MEMBERS,
        ),
    )
    return tuple([name for name, is_there in met if is_there])


_EPK_MEMBERS: Final = frozenset(("kty", "crv", "x", "y"))
_Parameters: TypeAlias = tuple[EphemeralKey | None, bytes, bytes, bytes, bytes]
_NO_PARAMETERS: Final[_Parameters] = (None, b"", b"", b"", b"")


def _key_parameters(members: Mapping[str, JsonValue], family: KeyFamily) -> _Parameters | None:
    """Read what the family of ``alg`` needs, and only that; ``None`` if it is malformed."""
    if family == "ECDH-ES":
        epk = _ephemeral(members.get("epk"))
        apu, apv = _octets(members.get("apu", "")), _octets(members.get("apv", ""))
        return None if epk is None or apu is None or apv is None else (epk, apu, apv, b"", b"")
    if family == "AES-GCMKW":
        iv, tag = _octets(members.get("iv")), _octets(members.get("tag"))
        return None if iv is None or tag is None else (None, b"", b"", iv, tag)
    return _NO_PARAMETERS


def _ephemeral(value: JsonValue) -> EphemeralKey | None:
    """Read the members that a public key needs, and ignore others (RFC 7518 §4.6.1.1).

    A private key has no business there: it shows that the sender gave the secret away.
    """
    if not isinstance(value, JsonObject):
        return None
    member = value.members.get
    if any(member(name) is not None for name in PRIVATE_MEMBERS):
        return None
    kty, crv, x = member("kty"), member("crv"), _octets(member("x"))
    y = _octets(member("y", "")) if kty == "EC" else b""
    if not isinstance(kty, str) or not isinstance(crv, str) or x is None or y is None:
        return None
    return EphemeralKey(kty, crv, x, y)


def _octets(value: JsonValue) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return b64url_decode(value.encode("utf-8", "surrogatepass"))
    except ProtocolViolation:
        return None


_REPLICATED: Final = ("iss", "sub", "aud")


def _replicated(members: Mapping[str, JsonValue]) -> tuple[tuple[str, JsonValue], ...]:
    return tuple([(name, members[name]) for name in _REPLICATED if name in members])


def check_replicated(header: JweHeader, claims: JsonObject, *, of: str) -> None:
    """Hold what the header repeats to the claims themselves (RFC 7519 §5.3).

    Raises:
        ProtocolViolation: ``iss_mismatch``, ``aud_mismatch``, ``sub_mismatch``.
    """
    for name, value in header.replicated:
        claimed = claims.members.get(name)
        if value != claimed and (name != "aud" or _members(value) != _members(claimed)):
            found = "another in the header"
            raise ProtocolViolation(f"{name}_mismatch", found=found, about=name, of=of)


def _members(value: JsonValue) -> frozenset[JsonValue] | tuple[JsonValue, ...]:
    """An array may hold one audience, or several in any order; only strings are hashed."""
    members = value if isinstance(value, tuple) else (value,)
    return frozenset(members) if all(isinstance(each, str) for each in members) else members


def signed_inside(plaintext: bytes, limits: Limits = LIMITS) -> str:
    """Return the JWS inside, which is not yet verified. ``limits``: the policy's.

    Raises:
        ProtocolViolation: ``signature_missing`` for claims, for another JWE, and for a JWS without
            a signature, whether the signature is absent or its ``alg`` is ``none``.
    """
    if not _signed(plaintext) or _says_none(plaintext.partition(b".")[0], limits):
        raise ProtocolViolation("signature_missing", expected="a signed compact JWS")
    return plaintext.decode("ascii")


_signed: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+").fullmatch


def _says_none(protected: bytes, limits: Limits) -> bool:
    """Name it early; the signature check refuses every token that is overlooked here."""
    try:
        return b"none" in b64url_decode(protected).lower() and (
            parse_header(protected, limits).alg.lower() == "none"
        )
    except ProtocolViolation:
        return False
