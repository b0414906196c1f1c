"""Links and pages as a browser reads them: where a link leads, and the ways that a page offers."""

from functools import lru_cache
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen

_SPECIAL: Final = frozenset({"http", "https"})
_STRIPPED: Final = "".join(map(chr, range(0x21)))
_DROPPED: Final = str.maketrans("", "", "\t\r\n")


def browser_url(base: str, link: str) -> str:
    """Return where a link leads, as browsers read it (WHATWG URL §4.4).

    They drop tabs and line ends, take a backslash for a slash, and take any number of slashes
    before a host for two.

    Args:
        base: the absolute URL of the page, of http or https.
        link: the text of the link or of a ``Location``.
    """
    text = link.strip(_STRIPPED).translate(_DROPPED)
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in _SPECIAL:
        slashed = rest.replace("\\", "/")
        own = scheme.lower() == urlsplit(base).scheme
        if own and not slashed.startswith("//"):
            return _joined(base, slashed)
        return f"{scheme.lower()}://{slashed.lstrip('/')}"
    if colon and scheme and scheme.isascii() and scheme.replace("-", "").isalnum():
        return text
    return _joined(base, text)


def _joined(base: str, text: str) -> str:
    path, mark, query = text.partition("?")
    path = path.replace("\\", "/")
    if path.startswith("//"):
        return f"{urlsplit(base).scheme}://{path.lstrip('/')}{mark}{query}"
    return urljoin(base, f"{path}{mark}{query}")


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL; an empty string for a URL without a host."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    shown = "" if port in {None, usual} else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{shown}"


@frozen(kw_only=True)
class PageForm:
    """A form of a page.

    Attributes:
        action: where it is sent, as an absolute URL.
        method: ``get`` or ``post``.
        fields: names and values of its fields as the page fills them in, with its first button.
    """

    action: str
    method: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)


@frozen(kw_only=True)
class PageContent:
    """A page as a person sees it.

    Attributes:
        title: its title, or an empty string.
        links: where its links lead, as absolute URLs.
        forms: its forms.
    """

    title: str
    links: tuple[str, ...]
    forms: tuple[PageForm, ...]


class _Reader(HTMLParser):
    """Collects title, links and forms."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.title = ""
        self.links: list[str] = []
        self.forms: list[tuple[str, str, list[tuple[str, str]]]] = []
        self._in_title = False
        self._in_form = False
        self._has_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag."""
        given = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = True
        elif tag == "a" and "href" in given:
            self.links.append(browser_url(self.url, given["href"]))
        elif tag == "form":
            action = browser_url(self.url, given.get("action") or self.url)
            self.forms.append((action, given.get("method", "get").lower(), []))
            self._in_form, self._has_button = True, False
        elif self._in_form and tag in {"input", "button", "select", "textarea"}:
            self._add(tag, given)

    def _add(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "submit" if tag == "button" else "text").lower()
        pressed = kind == "submit"
        left_out = kind in {"radio", "checkbox"} and "checked" not in given
        if "name" in given and not left_out and not (pressed and self._has_button):
            self.forms[-1][2].append((given["name"], given.get("value", "")))
        self._has_button = self._has_button or pressed

    def handle_endtag(self, tag: str) -> None:
        """Read the end of an element."""
        self._in_title = self._in_title and tag != "title"
        self._in_form = self._in_form and tag != "form"

    def handle_data(self, data: str) -> None:
        """Read text."""
        if self._in_title:
            self.title += data


@lru_cache(maxsize=128)
def content_of(url: str, text: str) -> PageContent:
    """Return title, links and forms of a page.

    Args:
        url: the URL of the page.
        text: its HTML.
    """
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    forms = [
        PageForm(action=action, method=method, fields=tuple(fields))
        for action, method, fields in reader.forms
    ]
    title = " ".join(reader.title.split())
    return PageContent(title=title, links=tuple(reader.links), forms=tuple(forms))
