"""The cookies of one browser, kept and sent by the rules of RFC 6265bis."""

from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from oidc_adapters.runtime.clock import Clock

_LONGEST: Final = 4_096
_MOST: Final = 180
"""How many cookies of one host a browser keeps."""

_LONGEST_LIFE: Final = 400 * 86_400


@frozen(kw_only=True)
class Cookie:
    """A cookie that a browser keeps.

    Attributes:
        name: its name.
        value: its value.
        host: the host it belongs to.
        host_only: whether other hosts below that one do not get it.
        path: the path it belongs to.
        secure: whether it goes over https alone.
        http_only: whether scripts cannot read it.
        same_site: ``strict``, ``lax`` or ``none``.
        until: when it expires, in seconds since the epoch; ``None`` for the end of the browser.
    """

    name: str
    value: str = field(repr=False)
    host: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str
    until: int | None


class CookieJar:
    """The cookies of one browser.

    Args:
        clock: tells when they expire.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """The cookies that have not expired, the oldest first."""
        now = self._clock.now()
        kept = {key: each for key, each in self._cookies.items() if not _is_over(each, now)}
        self._cookies = kept
        return tuple(kept.values())

    def keep(self, url: str, header: str) -> None:
        """Keep the cookie of a ``Set-Cookie`` header, or ignore it as browsers do."""
        made = cookie_of(url, header, self._clock.now())
        if made is None:
            return
        key = (made.name, made.host, made.path)
        if _is_over(made, self._clock.now()):
            self._cookies.pop(key, None)
            return
        if key in self._cookies:  # one that is replaced keeps its place
            self._cookies[key] = made
            return
        own = [each for each, cookie in self._cookies.items() if cookie.host == made.host]
        if len(own) >= _MOST:
            del self._cookies[own[0]]
        self._cookies[key] = made

    def header(self, url: str, *, same_site: bool, follows_link: bool) -> str:
        """Return the ``Cookie`` header of a request, or an empty string.

        Args:
            url: the URL of the request.
            same_site: whether a page of the same site asks, or the person by hand.
            follows_link: whether it is a GET that shows a page, as after a link.
        """
        parts = urlsplit(url)
        sent = [
            cookie
            for cookie in self.cookies
            if _is_for(cookie, parts.hostname or "", parts.path or "/")
            and (parts.scheme == "https" or not cookie.secure)
            and _crosses(cookie.same_site, same_site=same_site, follows_link=follows_link)
        ]
        ordered = sorted(sent, key=lambda cookie: -len(cookie.path))
        return "; ".join([f"{each.name}={each.value}" for each in ordered])

    def forget(self) -> None:
        """Lose all cookies."""
        self._cookies.clear()

    def forget_session_cookies(self) -> None:
        """Lose the cookies that a browser loses when it is closed: those that do not expire."""
        kept = {key: each for key, each in self._cookies.items() if each.until is not None}
        self._cookies = kept


def cookie_of(url: str, header: str, now: int) -> Cookie | None:
    """Return the cookie of a ``Set-Cookie`` header, ``None`` for one that browsers ignore.

    Args:
        url: the URL whose answer has the header.
        header: its value.
        now: the time, in seconds since the epoch.
    """
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not equals or not name or len(name) + len(value) > _LONGEST:
        return None
    found: dict[str, str] = {}
    for text in rest:
        key, _, told = text.partition("=")
        found[key.strip().lower()] = told.strip()
    parts = urlsplit(url)
    host, domain = parts.hostname or "", found.get("domain", "").lstrip(".").lower()
    if domain and not (host == domain or host.endswith(f".{domain}")):
        return None
    path = found.get("path", "")
    made = Cookie(
        name=name,
        value=value,
        host=domain or host,
        host_only=not domain,
        path=path if path.startswith("/") else _default_path(parts.path),
        secure="secure" in found,
        http_only="httponly" in found,
        same_site=found.get("samesite", "lax").lower(),
        until=_until(found, now),
    )
    if made.same_site not in {"strict", "lax", "none"}:
        made = evolve(made, same_site="lax")
    return made if _is_allowed(made, parts.scheme) else None


def _is_allowed(cookie: Cookie, scheme: str) -> bool:
    """Whether browsers keep this cookie (RFC 6265bis §5.7)."""
    name = cookie.name.lower()
    if cookie.secure and scheme != "https":
        return False
    if cookie.same_site == "none" and not cookie.secure:
        return False
    if name.startswith("__host-"):
        return cookie.secure and cookie.host_only and cookie.path == "/"
    return cookie.secure or not name.startswith("__secure-")


def _until(found: dict[str, str], now: int) -> int | None:
    """Return when a cookie expires; ``Max-Age`` comes before ``Expires``."""
    age = found.get("max-age", "")
    if age.removeprefix("-").isdecimal() and age.isascii():
        return now + min(int(age), _LONGEST_LIFE)
    try:
        ends = int(parsedate_to_datetime(found.get("expires", "")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
    return min(ends, now + _LONGEST_LIFE)


def _default_path(path: str) -> str:
    """Return the path of a cookie without one: the folder of the page."""
    folder = path.rpartition("/")[0]
    return folder or "/"


def _is_over(cookie: Cookie, now: int) -> bool:
    return cookie.until is not None and cookie.until <= now


def _is_for(cookie: Cookie, host: str, path: str) -> bool:
    below = not cookie.host_only and host.endswith(f".{cookie.host}")
    if host != cookie.host and not below:
        return False
    folder = cookie.path if cookie.path.endswith("/") else f"{cookie.path}/"
    return path == cookie.path or path.startswith(folder)


def _crosses(rule: str, *, same_site: bool, follows_link: bool) -> bool:
    """Whether a cookie with this ``SameSite`` goes along with a request."""
    return same_site or rule == "none" or (rule == "lax" and follows_link)
