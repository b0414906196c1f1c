"""The client's own private keys: for assertions, request objects and proofs; for decryption.

A key is loaded and judged once, when it is configured; a weak one is refused there. The signing key
can be elsewhere: :class:`Signer` and :class:`AsyncSigner` are ports for a key service.
"""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, NoReturn, Protocol, TypeVar

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.jose.encryption import KEY_MANAGEMENT
from oidc_core.jose.jwk import Jwk, parse_jwk
from oidc_core.jose.jws import is_kid
from oidc_core.jose.key_material import PRIVATE_MEMBERS
from oidc_core.wire.encoding import b64url_decode
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from oidc_core.wire.settings import check_kind, json_object

if TYPE_CHECKING:
    from oidc_adapters.crypto.content_keys import DecryptingKey
    from oidc_adapters.crypto.primitives import PrivateKey


ABOUT: Final = "client key"
"""How errors name the keys of the client."""


_SIGNER: Final = FailsClosed(ABOUT)


class _PublishedKey(Protocol):
    """The public facts of a key."""

    @property
    def alg(self) -> str:
        """The one algorithm it signs with."""
        ...

    @property
    def kid(self) -> str:
        """Its name in the client's key set."""
        ...

    def public_jwk(self) -> JsonObject:
        """Return the public key, for the client's key set or a proof."""
        ...


class Signer(_PublishedKey, Protocol):
    """A key that signs at once."""

    def sign(self, signing_input: bytes) -> bytes:
        """Return the signature in the format of JOSE: ECDSA as r and s of fixed width."""
        ...


class AsyncSigner(_PublishedKey, Protocol):
    """A key elsewhere, as in a key service, whose signatures must be awaited."""

    async def sign(self, signing_input: bytes) -> bytes:
        """Return the signature in the format of JOSE: ECDSA as r and s of fixed width."""
        ...


class ClientKey:
    """A private key of the client, ready to sign with one algorithm.

    Made by :meth:`from_pem` or :meth:`from_jwk`, or of a key of ``cryptography``, which is judged
    alike.

    Attributes:
        alg: the one algorithm it signs with.
        kid: its name in the client's key set.
        thumbprint: its JWK thumbprint (RFC 7638).
    """

    __slots__ = ("_public", "_sign", "alg", "kid", "thumbprint")

    def __init__(self, key: "PrivateKey", *, alg: str, kid: str | None = None) -> None:
        from oidc_adapters.crypto.primitives import signer
        from oidc_adapters.crypto.private_keys import check_signing_key, public_members
        from oidc_adapters.crypto.signing import row_of

        check_signing_key(key)
        _check_texts(alg=alg, kid="" if kid is None else kid)
        self._sign = signer(row_of(key, alg), key)
        public = public_members(key)
        self.alg = alg
        self.thumbprint = _judged(public).thumbprint
        self.kid = _named(self.thumbprint if kid is None else kid)
        self._public = JsonObject({**public, "kid": self.kid, "alg": alg, "use": "sig"})

    @classmethod
    def from_pem(
        cls,
        pem: str | bytes | PathLike[str],
        *,
        alg: str,
        kid: str | None = None,
        password: str | None = None,
    ) -> "ClientKey":
        """Load a key out of PEM text, or out of the file at a path.

        Raises:
            UsageError: ``config_invalid`` if it cannot be read, is weak (``found`` is the code,
                as ``key_too_small``) or does not fit ``alg``.
        """
        from oidc_adapters.crypto.private_keys import private_key_from_pem

        key = private_key_from_pem(_pem(pem), _password(password))
        return cls(key, alg=alg, kid=kid)

    @classmethod
    def from_jwk(
        cls, jwk: Mapping[str, object], *, alg: str | None = None, kid: str | None = None
    ) -> "ClientKey":
        """Load a private JWK; ``alg`` and ``kid`` are its own unless given.

        Raises:
            UsageError: ``config_invalid`` as for :meth:`from_pem`; also if the JWK's public members
                do not fit its private ones, ``use`` or ``key_ops`` leave it to something else than
                signing, or neither it nor the caller names an ``alg``.
        """
        from oidc_adapters.crypto.private_keys import private_key_from_jwk

        jwk = _members(jwk)
        _check_operations(jwk.get("key_ops"), ("sign",))
        public = _judged(JsonObject({name: jwk[name] for name in jwk if name not in _NEVER_PUBLIC}))
        own = alg if alg is not None else public.alg
        if own is None or public.alg not in {None, own} or public.use not in {None, "sig"}:
            raise UsageError("config_invalid", found=public.alg, expected=own, about="alg")
        # The loader compares public members with private ones, for every kind of key.
        return cls(private_key_from_jwk(jwk), alg=own, kid=public.kid if kid is None else kid)

    def sign(self, signing_input: bytes) -> bytes:
        """Return the signature in the format of JOSE: ECDSA as r and s of fixed width."""
        return self._sign(signing_input)

    def public_jwk(self) -> JsonObject:
        """Return the public key with its ``kid``, ``alg`` and ``use`` (RFC 7517 §4)."""
        return self._public

    def __repr__(self) -> str:
        return f"ClientKey(alg={self.alg!r}, kid={self.kid!r})"

    def __reduce__(self) -> NoReturn:
        message = "a private key is not pickled"
        raise TypeError(message)


_NEVER_PUBLIC = frozenset((*PRIVATE_MEMBERS, "key_ops"))


def _judged(public: JsonObject) -> Jwk:
    """Hold our own key to the same demands as a provider's."""
    try:
        return parse_jwk(public)
    except ProtocolViolation as weak:
        raise UsageError(
            "config_invalid", found=weak.code, expected=weak.hint, about=ABOUT
        ) from None


def _named(kid: str) -> str:
    """Refuse a name that no header may carry: nobody would read what names it."""
    if not is_kid(kid):
        raise UsageError("config_invalid", found=kid, about="kid")
    return kid


def _check_operations(key_ops: JsonValue, needed: tuple[str, ...]) -> None:
    """Refuse a key whose operations, if it has any, are none of those it is needed for."""
    named = key_ops if isinstance(key_ops, (list, tuple)) else ()
    if key_ops is not None and not any(name in named for name in needed):
        raise UsageError("config_invalid", expected=needed, about="key_ops")


def _check_texts(**named: object) -> None:
    for name, value in named.items():
        check_kind(value, str, about=name, code="config_invalid")


def _members(jwk: Mapping[str, object]) -> JsonObject:
    """Freeze a JWK; a value that is not a JSON object is not a JWK."""
    members = json_object(jwk)
    check_kind(members, JsonObject, about=ABOUT, code="config_invalid")
    return members


def _pem(pem: str | bytes | PathLike[str]) -> bytes:
    """Return the PEM that is given as text or lies in a file."""
    if isinstance(pem, bytes):
        return pem
    if isinstance(pem, str):
        return _octets(pem)
    check_kind(pem, PathLike, about=ABOUT, code="config_invalid")
    return _read(pem)


def _password(password: str | None) -> bytes | None:
    check_kind(password, str | None, about="password", code="config_invalid")
    return None if password is None else _octets(password)


def _octets(text: str) -> bytes:
    """Encode any text of an environment variable: an error about it would quote the key."""
    return text.encode("utf-8", "surrogatepass")


def _read(path: PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError, TypeError) as failure:
        raise UsageError("config_invalid", found=str(path), about=ABOUT) from failure


SignerT_co = TypeVar("SignerT_co", bound=_PublishedKey, covariant=True)


class ClientKeys(Generic[SignerT_co]):
    """The client's keys, newest first.

    To rotate, put a new key in front: it signs, while the older ones stay published until
    everything that they signed has expired (OIDC Core §10.1.1).
    """

    __slots__ = ("_keys",)

    def __init__(self, *keys: SignerT_co) -> None:
        for key in keys:
            check_kind(key, Signer | AsyncSigner, about=ABOUT, code="config_invalid")
        with _SIGNER:
            kids = [key.kid for key in keys]
        _check_texts(**{f"kid {at}": kid for at, kid in enumerate(kids)})
        if len(set(kids)) != len(kids):
            raise UsageError("config_invalid", found=tuple(kids), about="kid")
        self._keys = keys

    @property
    def newest(self) -> SignerT_co:
        """The key that signs unless another algorithm is asked for.

        Raises:
            UsageError: ``credential_missing`` if there are no keys at all.
        """
        if not self._keys:
            raise UsageError("credential_missing", about=ABOUT)
        return self._keys[0]

    def for_alg(self, alg: str) -> SignerT_co:
        """Return the newest key that signs with this algorithm.

        Raises:
            UsageError: ``credential_missing`` if there is no such key.
        """
        for key in self._keys:
            if key.alg == alg:
                return key
        found = tuple(key.alg for key in self._keys)
        raise UsageError("credential_missing", found=found, expected=alg, about=ABOUT)

    @property
    def public_keys(self) -> tuple[JsonObject, ...]:
        """The public JWK of each key."""
        with _SIGNER:
            return tuple([key.public_jwk() for key in self._keys])

    def public_jwks(self) -> JsonObject:
        """Return the client's JWK Set, for its ``jwks_uri`` or its registration."""
        return JsonObject({"keys": self.public_keys})

    def __repr__(self) -> str:
        return f"ClientKeys({', '.join(key.kid for key in self._keys)})"


class DecryptionKey:
    """A private key of the client that decrypts, and signs nothing.

    Made by :meth:`from_pem` or :meth:`from_jwk`, or of a key of ``cryptography``: RSA of 2048 bits
    or more, P-256, P-384, P-521 or X25519.

    Attributes:
        alg: the one algorithm it serves, or ``None`` for all that its type does.
        kid: its name in the client's key set.
        thumbprint: its JWK thumbprint (RFC 7638).
        private: the key itself, loaded.
    """

    __slots__ = ("_family", "_public", "alg", "kid", "private", "thumbprint")

    def __init__(
        self, key: "DecryptingKey", *, alg: str | None = None, kid: str | None = None
    ) -> None:
        from oidc_adapters.crypto.content_keys import family_of
        from oidc_adapters.crypto.decryption_keys import check_decrypting_key, public_members

        check_decrypting_key(key)
        _check_texts(alg="" if alg is None else alg, kid="" if kid is None else kid)
        public = public_members(key)
        self.private = key
        self._family = family_of(key)
        self.thumbprint = _encryption_thumbprint(public)
        self.kid = _named(self.thumbprint if kid is None else kid)
        self.alg = alg
        if alg is not None and not self.fits(alg):
            raise UsageError("config_invalid", found=alg, expected=self._family, about="alg")
        named = {} if alg is None else {"alg": alg}
        self._public = JsonObject({**public, "kid": self.kid, **named, "use": "enc"})

    @classmethod
    def from_pem(
        cls,
        pem: str | bytes | PathLike[str],
        *,
        alg: str | None = None,
        kid: str | None = None,
        password: str | None = None,
    ) -> "DecryptionKey":
        """Load a key out of PEM text, or out of the file at a path.

        Raises:
            UsageError: ``config_invalid`` if it cannot be read, is weak (``found`` is the code,
                as ``key_too_small``) or does not fit ``alg``.
        """
        from oidc_adapters.crypto.decryption_keys import decrypting_key_from_pem

        key = decrypting_key_from_pem(_pem(pem), _password(password))
        return cls(key, alg=alg, kid=kid)

    @classmethod
    def from_jwk(
        cls, jwk: Mapping[str, object], *, alg: str | None = None, kid: str | None = None
    ) -> "DecryptionKey":
        """Load a private JWK; ``alg`` and ``kid`` are its own unless given.

        Raises:
            UsageError: ``config_invalid`` as for :meth:`from_pem`; also if the JWK's public members
                do not fit its private ones, or ``use`` or ``key_ops`` leave it to something else.
        """
        from oidc_adapters.crypto.decryption_keys import decrypting_key_from_jwk

        jwk = _members(jwk)
        _check_operations(jwk.get("key_ops"), _DECRYPTING)
        own, use, name = (_text(jwk, member) for member in ("alg", "use", "kid"))
        if use not in {None, "enc"} or (None not in {own, alg} and own != alg):
            raise UsageError("config_invalid", found=own, expected=alg, about=ABOUT)
        loaded = cls(
            decrypting_key_from_jwk(jwk),
            alg=own if alg is None else alg,
            kid=name if kid is None else kid,
        )
        public = {member: jwk.get(member) for member in ("kty", "crv", "x", "y", "n", "e")}
        if any(loaded.public_jwk().get(member) != value for member, value in public.items()):
            raise UsageError("config_invalid", expected="one key's members", about=ABOUT)
        return loaded

    def fits(self, alg: str) -> bool:
        """Whether it serves this ``alg`` of a JWE: its own only, or all of its family."""
        row = KEY_MANAGEMENT.get(alg)
        return row is not None and row.family == self._family and self.alg in {None, alg}

    def public_jwk(self) -> JsonObject:
        """Return the public key with ``kid`` and ``use``, for the client's key set."""
        return self._public

    def __repr__(self) -> str:
        return f"DecryptionKey(alg={self.alg!r}, kid={self.kid!r})"

    def __reduce__(self) -> NoReturn:
        message = "a private key is not pickled"
        raise TypeError(message)


_DECRYPTING = ("decrypt", "unwrapKey", "deriveKey", "deriveBits")


def _encryption_thumbprint(public: JsonObject) -> str:
    """Judge a key by the rules for a provider's key; the library does it for X25519."""
    x = public.members.get("x")
    if public.members["kty"] == "OKP" and isinstance(x, str):
        return Jwk(kty="OKP", crv="X25519", material=(b64url_decode(x.encode()),)).thumbprint
    return _judged(public).thumbprint


def _text(jwk: Mapping[str, JsonValue], name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError("config_invalid", expected="a string", about=name)
    return value
