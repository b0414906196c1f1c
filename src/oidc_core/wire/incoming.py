"""A request of the browser, as the network brought it: raw text in, values inside.

A framework's own parser may have normalised things that a check must tell apart: two cookies of one
name, two parameters of one name, octets that are not UTF-8. So what comes in here was parsed by
nobody.
"""

from typing import Final

from attrs import field, frozen

from oidc_core.wire.cookies import cookie_pairs
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.limits import UPPER_BOUNDS, excess
from oidc_core.wire.settings import check_kind
from oidc_core.wire.urls import parse_form

_METHODS: Final = frozenset({"GET", "POST"})
_MAX_COOKIES: Final = 65_536
_BOUNDS: Final = (
    ("query", UPPER_BOUNDS.callback),
    ("body", UPPER_BOUNDS.callback),
    ("cookie", _MAX_COOKIES),
)


def _url(value: object) -> str | None:
    """Take a URL without its query, which would hold a code and a state."""
    if value is None:
        return None
    return _text(value, "url").partition("#")[0].partition("?")[0]


def _query(value: str | bytes) -> str:
    return _header_text(value, "query")


def _cookie(value: str | bytes) -> str:
    return _header_text(value, "cookie")


def _content_type(value: str | bytes) -> str:
    return _header_text(value, "content_type")


def _body(value: bytes | bytearray | memoryview) -> bytes:
    check_kind(value, bytes | bytearray | memoryview, about="body")
    return bytes(value)


def _method(value: object) -> str:
    return _text(value, "method")


def _header_text(value: object, name: str) -> str:
    """Take text as it came over the wire, or the octets that it came in, as ASGI has them."""
    return value.decode("latin-1") if isinstance(value, bytes) else _text(value, name)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        found = type(value).__name__
        raise UsageError("parameter_invalid", found=found, expected="str", about=name)
    return value


@frozen(kw_only=True)
class Incoming:
    """One request at a route of the application.

    Attributes:
        method: ``GET`` or ``POST``.
        url: the URL of the route that was called, as it was configured, scheme and host included;
            a query in it does not count.  Never build it from ``Host`` or ``X-Forwarded-*``: these
            say what a stranger wants.  ``None`` says that it is not known.
        query: the unchanged query string, without its question mark; ASGI's bytes are taken too.
        body: the octets of the body.
        cookie: the unchanged ``Cookie`` header; several of them are joined with ``"; "``.
        content_type: the unchanged ``Content-Type`` header; empty if it is absent or not known.

    Raises:
        UsageError: ``parameter_invalid`` for a value of another type, naming the attribute.
        CallbackError: ``method_unexpected``; ``parameter_too_long`` for a query or a body longer
            than any policy lets a callback be, or cookies beyond all bounds.
    """

    method: str = field(converter=_method)
    url: str | None = field(converter=_url)
    query: str = field(default="", repr=False, converter=_query)
    body: bytes = field(default=b"", repr=False, converter=_body)
    cookie: str = field(default="", repr=False, converter=_cookie)
    content_type: str = field(default="", repr=False, converter=_content_type)

    def __attrs_post_init__(self) -> None:
        if self.method not in _METHODS:
            expected = "GET or POST"
            raise CallbackError(
                "method_unexpected", found=self.method, expected=expected, about="method"
            )
        if len(self.query) + len(self.body) + len(self.cookie) > UPPER_BOUNDS.callback:
            self._check_bounds()

    def _check_bounds(self) -> None:
        for name, most in _BOUNDS:
            held: str | bytes = getattr(self, name)
            if len(held) > most:
                facts = excess("callback", most, len(held), kind="suspicious")
                raise CallbackError("parameter_too_long", about=name, **facts)

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case without parameters, or an empty string."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Names and values: of the query for a GET, of the form for a POST."""
        return (
            self.query_parameters
            if self.method == "GET"
            else parse_form(self.body.decode("utf-8", "replace"))
        )

    @property
    def query_parameters(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the query, however the request was sent."""
        return parse_form(self.query)

    @property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the cookies, in order, as often as they were sent."""
        return cookie_pairs(self.cookie)
