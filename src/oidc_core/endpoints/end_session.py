"""The end-session endpoint (RP-Initiated Logout 1.0): the URL, and what comes back."""

from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.jose.jws import claims_kept
from oidc_core.model.claim_values import audience
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty, endpoint
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import CallbackError, ProtocolViolation, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_fields, fields_of, pairs
from oidc_core.wire.urls import encode_form, query_names, with_query

RESERVED: Final = frozenset(
    {"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}
)
LOGOUT_LIFETIME: Final = 600
"""Seconds from the start of a logout until its return is expected no more."""

LONGEST_LOGOUT_URL: Final = 8_000
"""Octets of a URL that every recipient has to take (RFC 9110 §4.1)."""

_SKEW: Final = 60


LogoutMethod: TypeAlias = Literal["GET", "POST", "either"]


@frozen(kw_only=True)
class LogoutRequest:
    """The demands on the provider (§2).

    Attributes:
        method: how the browser brings it: ``GET`` with a redirect, or ``POST`` with a form that the
            application writes into a page.  A form has room for any hint; a URL of more than
            :data:`LONGEST_LOGOUT_URL` octets goes without it, and the result has a note.
            ``either`` is ``GET``, and ``POST`` where the hint has no room in a URL.
        id_token_hint: the newest verified ID token of the session that ends, unchanged: some
            providers accept no older one after a refresh.
        logout_hint: a hint who logs out.
        post_logout_redirect_uri: one of the client's; its first by default; the browser comes back
            only if the client has one.
        ui_locales: space-delimited language tags.
        extra: further parameters, as some providers want them.
    """

    method: LogoutMethod = "GET"
    id_token_hint: str = field(default="", repr=False)
    logout_hint: str = ""
    post_logout_redirect_uri: str = ""
    ui_locales: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=(), converter=pairs)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _REQUEST)
        for name, _ in self.extra:
            if name in RESERVED:
                raise UsageError("parameter_reserved", about=name)


_REQUEST: Final = fields_of(LogoutRequest, "parameter_invalid")


def pending_logout(
    rp: RelyingParty, request: LogoutRequest, *, state: str, now: int
) -> PendingLogout:
    """Write down the expectations for the return from a logout.

    Raises:
        UsageError: ``parameter_invalid`` for a redirect URI that is not registered, or a hint that
            is not an ID token of this provider for this client (§2).
    """
    if request.id_token_hint:
        _check_hint(rp, request.id_token_hint)
    registered = rp.client.post_logout_redirect_uris
    uri = request.post_logout_redirect_uri or (registered[0] if registered else "")
    if uri and uri not in registered:
        raise UsageError("parameter_invalid", about="post_logout_redirect_uri", found=uri)
    return PendingLogout(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        connection_id=rp.client.connection_id,
        state=state,
        post_logout_redirect_uri=uri,
        created_at=now,
    )


def _check_hint(rp: RelyingParty, hint: str) -> None:
    try:
        claims = claims_kept(hint)
    except ProtocolViolation as fault:
        raise UsageError("parameter_invalid", about="id_token_hint", found=fault.code) from None
    iss, aud = claims.members.get("iss"), claims.members.get("aud")
    if not isinstance(iss, str) or not rp.issuer_rule.in_token(iss, claims):
        raise UsageError("parameter_invalid", about="id_token_hint", expected=rp.issuer)
    if rp.client.client_id not in (audience(aud) or ()):
        raise UsageError("parameter_invalid", about="id_token_hint", expected=rp.client.client_id)


def end_session_url(rp: RelyingParty, request: LogoutRequest, pending: PendingLogout) -> str:
    """Return the URL to send the browser to; raises as :func:`end_session_form`."""
    form = end_session_form(rp, request, pending)
    return with_query(endpoint(rp, "end_session_endpoint"), encode_form(form))


def end_session_form(
    rp: RelyingParty, request: LogoutRequest, pending: PendingLogout
) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a logout, by name; no parameter is empty.

    Raises:
        UsageError: ``unsupported_by_provider`` without an ``end_session_endpoint``.
        ProtocolViolation: ``metadata_endpoint_invalid`` if its own query sets a parameter too.
    """
    returns = pending.post_logout_redirect_uri != ""
    back = "logout_uri" if "logout_uri" in rp.policy.quirks else "post_logout_redirect_uri"
    parameters = (
        ("id_token_hint", request.id_token_hint),
        ("logout_hint", request.logout_hint),
        ("client_id", pending.client_id),
        (back, pending.post_logout_redirect_uri),
        ("state", pending.state if returns else ""),
        ("ui_locales", request.ui_locales),
    )
    named = tuple([(name, value) for name, value in parameters if value]) + request.extra
    url = endpoint(rp, "end_session_endpoint")
    twice = query_names(url).intersection([name for name, _ in named])
    if twice:
        found = tuple(sorted(twice))
        raise ProtocolViolation(
            "metadata_endpoint_invalid", about="end_session_endpoint", found=found
        )
    return named


def local_url(pending: PendingLogout) -> str:
    """Return where the browser goes if the provider is not asked: at once where it comes back to.

    It is empty if the browser does not go anywhere.
    """
    uri = pending.post_logout_redirect_uri
    return with_query(uri, encode_form((("state", pending.state),))) if uri else ""


def is_of(pending: PendingLogout, rp: RelyingParty) -> bool:
    """Return whether a logout was started by this client at this provider."""
    began = (pending.issuer, pending.client_id, pending.connection_id)
    return began == rp.connection[:3]


def returned_state(incoming: Incoming) -> str:
    """Return the state that a browser brings back from a logout, which names it (§3).

    Raises:
        CallbackError: ``logout_state_mismatch`` without one, or ``parameter_duplicated``.
    """
    states = [value for name, value in incoming.query_parameters if name == "state"]
    if len(states) > 1:
        raise CallbackError("parameter_duplicated", about="state")
    if not states or not states[0]:
        raise CallbackError("logout_state_mismatch", about="state")
    return states[0]


def check_return(pending: PendingLogout, state: str, now: int) -> None:
    """Check that a return from a logout was asked for here, not long ago (§3).

    Raises:
        CallbackError: ``logout_state_mismatch`` or ``logout_expired``.
    """
    if not state or not same(state, pending.state):
        raise CallbackError("logout_state_mismatch", about="state")
    age = now - pending.created_at
    if not -_SKEW <= age <= LOGOUT_LIFETIME:
        raise CallbackError("logout_expired", found=age, expected=LOGOUT_LIFETIME)
