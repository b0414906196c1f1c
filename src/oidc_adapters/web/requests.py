"""A request of a browser to any page of an application, as far as a decision depends on it.

What decides between a redirect and a status is how the browser asked: a navigation can follow a
redirect to a provider, and a script that fetches data cannot.
"""

from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import quote, unquote

from attrs import field, frozen

from oidc_core.wire.errors import UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import check_fields, check_kind, fields_of
from oidc_core.wire.urls import origin_of, parse_form, path_only

_KEPT: Final = frozenset(
    {
        "accept", "content-type", "cookie", "hx-current-url", "hx-request", "origin", "purpose",
        "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-purpose", "upgrade",
        "x-requested-with",
    }
)  # fmt: skip
_PAGES: Final = frozenset({"document", "frame", "iframe", ""})
_PATH_SAFE: Final = "/:@!$&'()*+,;=~%"
_PATH_CHARACTERS: Final = "/:@!$&'()*+,;=~"
_BETWEEN: Final = {"cookie": "; "}


@frozen(kw_only=True)
class WebRequest:
    """A request; :meth:`of`, :meth:`of_wsgi` and :meth:`of_asgi` make one.

    Attributes:
        method: the method, in upper case.
        path: the path as the browser sent it, percent-encoded, with what the application is
            mounted under.
        query: the unchanged query string, without its question mark.
        headers: lower-case names and values of the headers that a decision depends on.
        body: the octets of the body; only the routes of a login read them.

    Raises:
        UsageError: ``parameter_invalid``, naming the attribute.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _REQUEST)

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        *,
        query: str | bytes = "",
        headers: Iterable[tuple[str | bytes, str | bytes]] = (),
        body: bytes = b"",
    ) -> "WebRequest":
        """Return a request with the headers that count.

        Args:
            method: the method.
            path: the path, percent-encoded or not, with what the application is mounted under.
            query: the unchanged query string.
            headers: names and values of all headers, in any case; text or octets.
            body: the octets of the body.

        Raises:
            UsageError: ``parameter_invalid``.
        """
        held: dict[str, str] = {}
        for each, value in headers:
            name = _text(each, "headers").lower()
            if name in _KEPT:
                text = _text(value, "headers")
                held[name] = _BETWEEN.get(name, ", ").join(filter(None, (held.get(name), text)))
        check_kind(path, str, about="path")
        return cls(
            method=_text(method, "method").upper(),
            path=quote(path, safe=_PATH_SAFE),
            query=_text(query, "query"),
            headers=tuple(held.items()),
            body=body,
        )

    @classmethod
    def of_wsgi(cls, environ: Mapping[str, object], body: bytes = b"") -> "WebRequest":
        """Return the request of a WSGI application (PEP 3333)."""
        headers = [
            (name.removeprefix("HTTP_").replace("_", "-"), str(value))
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        ]
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        return cls.of(
            str(environ.get("REQUEST_METHOD", "GET")),
            quote(path.encode("latin-1", "replace"), safe=_PATH_CHARACTERS) or "/",
            query=str(environ.get("QUERY_STRING", "")),
            headers=headers,
            body=body,
        )

    @classmethod
    def of_asgi(cls, scope: Mapping[str, object], body: bytes = b"") -> "WebRequest":
        """Return the request of an ASGI application.

        Some servers and tests leave the mount (``root_path``) out of ``path`` and ``raw_path``: it
        is added where it is missing.
        """
        raw, path = scope.get("raw_path"), str(scope.get("path", "/"))
        text = raw.decode("latin-1") if isinstance(raw, bytes) else quote(path, _PATH_CHARACTERS)
        text, root = text.partition("?")[0], str(scope.get("root_path", "")).rstrip("/")
        if path_below(unquote(text), root) is None:
            text = quote(root, _PATH_CHARACTERS) + text
        headers = cast("Iterable[tuple[bytes, bytes]]", scope.get("headers", ()))
        opens = scope.get("type") == "websocket"
        return cls.of(
            str(scope.get("method", "GET")),
            text,
            query=cast("bytes", scope.get("query_string", b"")),
            headers=(*headers, (b"upgrade", b"websocket")) if opens else headers,
            body=body,
        )

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or an empty string."""
        return next((value for known, value in self.headers if known == name), "")

    @property
    def navigates(self) -> bool:
        """Whether the browser shows the answer as a page, so that it can be sent elsewhere.

        Scripts, HTMX and a browser that loads a page in advance get no redirect: no login starts
        for them.
        """
        if self.is_htmx or "prefetch" in self.header("sec-purpose") + self.header("purpose"):
            return False
        mode = self.header("sec-fetch-mode")
        if mode:
            return mode == "navigate" and self.header("sec-fetch-dest") in _PAGES
        return not self.is_scripted and "text/html" in self.header("accept").lower()

    @property
    def is_scripted(self) -> bool:
        """Whether a script asks, so far as the browser or the script says so."""
        mode = self.header("sec-fetch-mode")
        if mode:
            return mode != "navigate"
        return bool(self.header("x-requested-with")) or "json" in self.header("accept").lower()

    @property
    def is_htmx(self) -> bool:
        """Whether HTMX asks, which follows a header of its own."""
        return self.header("hx-request") == "true"

    @property
    def is_websocket(self) -> bool:
        """Whether it opens a WebSocket, which pages of any site may do with the user's cookies."""
        return "websocket" in self.header("upgrade").lower()

    def is_from(self, origin: str) -> bool:
        """Return whether a page of this origin made the request, by what browsers let no page set.

        A client that says neither ``Sec-Fetch-Site`` nor ``Origin`` with a POST is none of today's
        browsers, and counts as another site.
        """
        site = self.header("sec-fetch-site")
        if site:
            return site in {"same-origin", "none"}
        return origin_of(self.header("origin")) == origin

    def way_back(self, origin: str) -> str:
        """Return the page that the user is on, as a path of this application; empty without one."""
        if self.is_htmx:
            url = self.header("hx-current-url").partition("#")[0]
            _, _, path = url.partition("://")[2].partition("/")
            return path_only(f"/{path}", "") if origin_of(url) == origin else ""
        if self.method not in {"GET", "HEAD"} or not self.navigates:
            return ""
        return path_only(f"{self.path}?{self.query}" if self.query else self.path, "")

    def parameter(self, name: str) -> str:
        """Return the first parameter of that name, in the query or in a posted form."""
        pairs = parse_form(self.query)
        if self.method == "POST" and len(self.body) <= _FORM:
            pairs = (*parse_form(self.body.decode("utf-8", "replace")), *pairs)
        return next((value for known, value in pairs if known == name), "")

    def incoming(self, url: str) -> Incoming:
        """Return the request as a client takes it, at a route of that configured URL.

        Raises:
            CallbackError: ``method_unexpected``, ``parameter_too_long``.
        """
        return Incoming(
            method=self.method,
            url=url,
            query=self.query,
            body=self.body,
            cookie=self.header("cookie"),
            content_type=self.header("content-type"),
        )


_REQUEST: Final = fields_of(WebRequest, "parameter_invalid")
_FORM: Final = 16_384


def path_below(path: str, root: str) -> str | None:
    """Return a path as an application mounted at ``root`` sees it, ``None`` if it is elsewhere."""
    if path == root:
        return "/"
    return path.removeprefix(root) if path.startswith(f"{root}/") else None


def _text(value: object, about: str) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        found = type(value).__name__
        raise UsageError("parameter_invalid", about=about, found=found, expected="str or bytes")
    return value
