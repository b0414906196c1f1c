"""The content of a login's or logout's cookie: whose it is, when it began, how it deviates.

Octets are dear here, since fourteen tabs may start at once.  So configuration is not repeated: a
digest tells whether it is still the same, and the rest is only what deviates from it.
"""

from struct import Struct, error
from typing import Final, NamedTuple

from attrs import evolve

from oidc_adapters.stores.seed_box import Opened, SeedBox
from oidc_core.codec import dump_deviations, load_deviations
from oidc_core.endpoints.authorization import unasked_login
from oidc_core.model.connection import Connection
from oidc_core.model.pending import LoginSecrets, PendingLogin
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from oidc_core.wire.jsontypes import JsonObject, render

LOGOUT_STATE: Final = "logout state"
"""The label of the state that a logout's seed stands for."""

_IDENTITY: Final = 8
_PART: Final = 4
_LOGIN: Final = Struct(f">{_IDENTITY}s{_PART}s{_PART}sIB")
_LENGTH: Final = Struct(">H")
_LOGOUT: Final = Struct(f">{_IDENTITY}s{_PART}sI")
_LATEST: Final = 2**32 - 1
_LONGEST: Final = 2**16 - 1
_EXPECTS_ISS: Final = 1
_DEVIATES: Final = 2


class CookieLogin(NamedTuple):
    """A login in the form of its cookie; the digests are of configuration."""

    identity: bytes
    endpoints: bytes
    policy: bytes
    created_at: int
    expects_iss: bool
    deviations: str
    return_to: str

    def __repr__(self) -> str:
        return f"CookieLogin(created_at={self.created_at})"


class CookieLogout(NamedTuple):
    """A logout in the form of its cookie."""

    identity: bytes
    returns_to: bytes
    created_at: int


def identity_of(box: SeedBox, rp: RelyingParty, key_id: bytes | None = None) -> bytes:
    """Return a digest of the client at its provider, and of the common part of its logins."""
    client = rp.client
    whole = (rp.issuer, client.client_id, client.connection_id, client.scope, *client.redirect_uris)
    return box.digest(render(JsonObject({"client": whole})), _IDENTITY, key_id)


def login_octets(
    box: SeedBox, rp: RelyingParty, pending: PendingLogin, plain: PendingLogin
) -> bytes:
    """Write a login down; ``plain`` is the one that asks for nothing in particular.

    Raises:
        UsageError: ``pending_too_large`` for demands of more octets than can be written down,
            ``config_invalid`` for a clock that is centuries wrong.
    """
    connection, deviations = pending.connection, dump_deviations(pending, plain).encode("utf-8")
    if len(deviations) > _LONGEST:
        raise UsageError("pending_too_large", found=len(deviations), expected=_LONGEST)
    flags = (_EXPECTS_ISS if pending.expects_iss else 0) | (_DEVIATES if deviations else 0)
    fixed = _LOGIN.pack(
        identity_of(box, rp),
        box.digest(connection.endpoints_digest, _PART),
        box.digest(connection.policy_digest, _PART),
        _in_time(pending.created_at),
        flags,
    )
    length = _LENGTH.pack(len(deviations)) if deviations else b""
    return fixed + length + deviations + pending.return_to.encode("utf-8")


def login_of(opened: Opened) -> CookieLogin:
    """Read a login.

    Raises:
        CallbackError: ``cookie_invalid`` for a record of another version.
    """
    octets = opened.octets
    try:
        identity, endpoints, policy, created_at, flags = _LOGIN.unpack_from(octets)
        at, length = _LOGIN.size, 0
        if flags & _DEVIATES:
            (length,) = _LENGTH.unpack_from(octets, at)
            at += _LENGTH.size
        deviations = octets[at : at + length].decode("utf-8")
        return_to = octets[at + length :].decode("utf-8")
    except (error, UnicodeDecodeError):
        raise CallbackError("cookie_invalid", about="cookie") from None
    expects_iss = bool(flags & _EXPECTS_ISS)
    return CookieLogin(identity, endpoints, policy, created_at, expects_iss, deviations, return_to)


def secrets_of(box: SeedBox, seed: bytes, key_id: bytes | None = None) -> LoginSecrets:
    """Return the secrets that a login's seed stands for; a cookie that opens is the binding."""
    return LoginSecrets(
        state=box.secret("state", seed, key_id),
        nonce=box.secret("nonce", seed, key_id),
        code_verifier=box.secret("code_verifier", seed, key_id),
        binding=b64url_encode(seed),
    )


def pending_of(box: SeedBox, rp: RelyingParty, opened: Opened, kept: CookieLogin) -> PendingLogin:
    """Return the login that waits, made of its cookie and of the configuration it belongs to.

    Where endpoints or policy are not the ones it began with, it says so.

    Raises:
        CallbackError: ``cookie_invalid`` for a record of another version.
    """
    key_id, now = opened.key_id, rp.connection
    began = Connection(
        now.issuer,
        now.client_id,
        now.connection_id,
        _still(box, now.endpoints_digest, kept.endpoints, key_id),
        _still(box, now.policy_digest, kept.policy, key_id),
    )
    secrets = secrets_of(box, opened.seed, key_id)
    plain = evolve(
        unasked_login(rp, secrets, kept.created_at), connection=began, expects_iss=kept.expects_iss
    )
    try:
        pending = load_deviations(kept.deviations, plain) if kept.deviations else plain
    except OidcError:
        raise CallbackError("cookie_invalid", about="cookie") from None
    return evolve(pending, return_to=kept.return_to)


def _still(box: SeedBox, digest: str, kept: bytes, key_id: bytes) -> str:
    return digest if box.digest(digest, _PART, key_id) == kept else f"another {kept.hex()}"


def logout_octets(box: SeedBox, rp: RelyingParty, pending: PendingLogout) -> bytes:
    """Write a logout down, without its state; for its redirect URI a digest is enough."""
    returns_to = box.digest(pending.post_logout_redirect_uri, _PART)
    return _LOGOUT.pack(identity_of(box, rp), returns_to, _in_time(pending.created_at))


def logout_of(box: SeedBox, rp: RelyingParty, opened: Opened) -> PendingLogout:
    """Read a logout.

    Raises:
        CallbackError: ``connection_mismatch`` if it is of another client, or comes back to an
            address that is no longer registered; ``cookie_invalid`` for a record of another
            version.
    """
    kept, client = logout_kept(opened), rp.client
    known = [
        uri
        for uri in ("", *client.post_logout_redirect_uris)
        if box.digest(uri, _PART, opened.key_id) == kept.returns_to
    ]
    if kept.identity != identity_of(box, rp, opened.key_id) or not known:
        raise CallbackError("connection_mismatch", about="client")
    return PendingLogout(
        issuer=rp.issuer,
        client_id=client.client_id,
        connection_id=client.connection_id,
        state=box.secret(LOGOUT_STATE, opened.seed, opened.key_id),
        post_logout_redirect_uri=known[0],
        created_at=kept.created_at,
    )


def logout_kept(opened: Opened) -> CookieLogout:
    """Read what the cookie of a logout says by itself.

    Raises:
        CallbackError: ``cookie_invalid`` for a record of another version.
    """
    try:
        return CookieLogout(*_LOGOUT.unpack(opened.octets))
    except error:
        raise CallbackError("cookie_invalid", about="cookie") from None


def _in_time(created_at: int) -> int:
    if not 0 <= created_at <= _LATEST:
        raise UsageError("config_invalid", found=created_at, about="clock")
    return created_at
