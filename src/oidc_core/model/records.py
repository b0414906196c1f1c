"""The records that an application keeps of a login: its tokens, and a logout in flight."""

from typing import Final

from attrs import field, frozen

from oidc_core.wire.settings import check_fields, check_kind, fields_of, names


@frozen(kw_only=True)
class Tokens:
    """The tokens of a login, with every fact of it that a later refresh or logout needs.

    Attributes:
        issuer: the provider's identity; the tokens go nowhere else.
        client_id: the client they were issued to.
        access_token: the access token; opaque to a client.
        refresh_token: the refresh token, if there is one.
        id_token: the unchanged ID token of the login.
        scope: what was granted, space-delimited.
        resource: the resources they are for (RFC 8707).
        expires_at: when the access token expires, in seconds since the epoch, if that is known.
        thumbprint: the key they are bound to, or an empty string.
        subject: the user.
        nonce: of the login.
        sid: the provider's session, if it named one.
        auth_time: when the user authenticated, if the provider said so.
    """

    issuer: str
    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str = field(repr=False)
    scope: str
    resource: tuple[str, ...] = field(default=(), converter=names)
    expires_at: int | None = None
    thumbprint: str = ""
    subject: str
    nonce: str | None = field(default=None, repr=False)
    sid: str | None = field(default=None, repr=False)
    auth_time: int | None = None

    def __attrs_post_init__(self) -> None:
        check_fields(self, _TOKENS)

    def expires_within(self, seconds: int, now: int) -> bool:
        """Return whether the access token will have expired ``seconds`` after ``now``.

        ``False`` where the provider told no lifetime: only its resource server can say then.

        Raises:
            UsageError: ``parameter_invalid`` for an argument that is not an integer.
        """
        check_kind(seconds, int, about="seconds")
        check_kind(now, int, about="now")
        return self.expires_at is not None and self.expires_at <= now + seconds


_TOKENS: Final = fields_of(Tokens, "parameter_invalid")


@frozen(kw_only=True)
class PendingLogout:
    """A logout in flight: whose it is, where the browser will come back to, with which state."""

    issuer: str
    client_id: str
    connection_id: str = ""
    state: str = field(repr=False)
    post_logout_redirect_uri: str
    created_at: int

    def __attrs_post_init__(self) -> None:
        check_fields(self, _LOGOUT)


_LOGOUT: Final = fields_of(PendingLogout, "parameter_invalid")
