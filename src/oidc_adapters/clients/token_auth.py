"""The rules of an ``auth=`` for httpx and httpx2: one class for both, made for either library.

A request gets the access token of a session.  Where a resource server answers 401, the request is
sent once more with another token, if its body can be sent again and nothing was done yet.  A token
that was just issued is not renewed: then the application gets the 401.
"""

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any, Final

from oidc_adapters.clients.session_tokens import (
    LEEWAY,
    AsyncSessionTokens,
    SessionTokens,
    asked,
)
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import parse_origin, parse_url

_HEADER: Final = "Authorization"


class TokenAuth:
    """Attaches the access token of a session to each request of a client.

    It keeps nothing of its own and holds no lock while a request or an answer is under way.  Of all
    requests that need another token at the same time, one makes the exchange.

    A token goes over TLS, or to this machine, and to ``origins`` if they are named; a request to
    elsewhere is refused before it is sent.

    Args:
        tokens: the tokens of a session: ``client.tokens(grant_id)`` of an ``OidcClient`` for a
            client that waits, of an ``AsyncOidcClient`` for one that is awaited.
        leeway: seconds that the access token must still be valid.
        scope: a part of the granted scope, where an access token is wanted for less.
        resource: the resources of the access token, if they differ from the login's (RFC 8707).
        origins: the only origins that may get the token, as in ``https://api.example``; one with
            ``http`` is trusted although others can read along.

    Raises:
        UsageError: ``config_invalid`` or ``parameter_invalid`` for a setting that cannot be used.
    """

    def __init__(
        self,
        tokens: SessionTokens | AsyncSessionTokens,
        *,
        leeway: int = LEEWAY,
        scope: str = "",
        resource: Sequence[str] = (),
        origins: Sequence[str] = (),
    ) -> None:
        kinds = SessionTokens | AsyncSessionTokens
        check_kind(tokens, kinds, about="tokens", code="config_invalid")
        check_kind(origins, list[str] | tuple[str, ...], about="origins", code="config_invalid")
        asked(leeway, None, scope, resource)
        self._tokens = tokens
        self._wish: dict[str, Any] = {"leeway": leeway, "scope": scope, "resource": tuple(resource)}
        self._origins = frozenset([parse_origin(o, about="origins").origin for o in origins])

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Attach a token, for a client that waits.

        Raises:
            UsageError: ``config_invalid`` for the tokens of a client that is awaited, or that are
                bound to a key; a ``url_`` code for a place that must not get them.
            OidcError: what ``tokens.fresh()`` raises.
        """
        if not isinstance(self._tokens, SessionTokens):
            raise UsageError("config_invalid", about="tokens", expected="those of an OidcClient")
        self._check_place(request)
        token = _attach(request, self._tokens.fresh(**self._wish))
        answer = yield request
        if not _is_refused(answer, token):
            return
        try:
            _attach(request, self._tokens.fresh(**self._wish, refused=token))
        except StoreFailure as failure:
            _check_is_hopeless(failure)
            return
        if _may_be_sent_again(request, answer):
            yield request

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Attach a token, for a client that is awaited; as for one that waits."""
        if not isinstance(self._tokens, AsyncSessionTokens):
            expected = "those of an AsyncOidcClient"
            raise UsageError("config_invalid", about="tokens", expected=expected)
        self._check_place(request)
        token = _attach(request, await self._tokens.fresh(**self._wish))
        answer = yield request
        if not _is_refused(answer, token):
            return
        try:
            _attach(request, await self._tokens.fresh(**self._wish, refused=token))
        except StoreFailure as failure:
            _check_is_hopeless(failure)
            return
        if _may_be_sent_again(request, answer):
            yield request

    def _check_place(self, request: Any) -> None:
        """Refuse a place that must not get a token (RFC 6750 §5.2).

        Raises:
            UsageError: a ``url_`` code.
        """
        url = parse_url(f"{request.url}", http=True, http_origins=self._origins)
        if self._origins and url.origin not in self._origins:
            raise UsageError("url_invalid", about="origins", found=url.origin)


def _attach(request: Any, tokens: Tokens) -> str:
    """Put an access token into a request, in place of what is there; return it."""
    if tokens.thumbprint:
        raise UsageError("config_invalid", about="tokens", expected="tokens without a key (DPoP)")
    request.headers[_HEADER] = f"Bearer {tokens.access_token}"
    return tokens.access_token


def _is_refused(answer: Any, token: str) -> bool:
    """Whether a server that got this very token refused it.

    After a redirect to elsewhere it did not get the token.
    """
    sent: str | None = answer.request.headers.get(_HEADER)
    return bool(answer.status_code == 401 and sent == f"Bearer {token}")


def _check_is_hopeless(failure: StoreFailure) -> None:
    """Leave the 401 to the application if the refused token was just issued.

    Raises:
        StoreFailure: any other failure.
    """
    if failure.code != "token_refused":
        raise failure


def _may_be_sent_again(request: Any, answer: Any) -> bool:
    """Whether sending it again sends the same, and does nothing twice.

    A stream has been read by now, and a file stands at its end.  Where a redirect made a GET of a
    request, the server has done what the request asked for (RFC 9110 §15.4.4).
    """
    if answer.request.method != request.method:
        return False
    try:
        return isinstance(request.content, bytes)
    except RuntimeError:  # RequestNotRead of the library
        return False
