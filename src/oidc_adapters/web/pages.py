"""Pages for a person: a login, a logout, and every failure in plain words with a way on.

The values here say what a page says; :func:`page_html` draws it, and an application may draw it in
its own way.  Nothing that a provider or a stranger wrote is part of a page, except a path of the
application itself.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from types import MappingProxyType
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from attrs import field, frozen

from oidc_core.wire.codes import Kind
from oidc_core.wire.errors import OidcError

MethodOfWayOn: TypeAlias = Literal["get", "post"]
Fields: TypeAlias = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class WayOn:
    """A way on from a page: a link, or a form with one button.

    Attributes:
        label: what the link or button says.
        url: where it leads.
        method: ``get`` for a link, ``post`` for a form.
        fields: names and values that the form posts.
    """

    label: str
    url: str = field(repr=False)
    method: MethodOfWayOn = "get"
    fields: Fields = field(default=(), repr=False)


@frozen(kw_only=True)
class Page:
    """What a page says; all of it is text, to be escaped.

    Attributes:
        status: the HTTP status.
        title: what it is about.
        text: what happened, and what the person can do.
        ways: ways on, the best one first.
    """

    status: int = 200
    title: str
    text: str
    ways: tuple[WayOn, ...]


@frozen(kw_only=True)
class Failure(Page):
    """The page of a failure.

    Attributes:
        kind: whose part it is to go on, see :class:`~oidc_core.wire.codes.CodeRow`.
        code: the stable code of the error, for the person to tell an operator.
        retry_after: after how many seconds trying again can help, if that is known.
    """

    kind: Kind
    code: str
    retry_after: int | None = None


_WORDS: Final[Mapping[Kind, tuple[str, str]]] = MappingProxyType(
    {
        "user": (
            "You are not logged in",
            "The login was cancelled, or a rule of your login service does not let you in here.",
        ),
        "stale": (
            "Please log in again",
            "This login took too long, or it was finished before. Nothing is lost.",
        ),
        "interaction": (
            "Please log in",
            "Your login service wants to ask you something before it lets you in.",
        ),
        "later": (
            "Please try again in a few minutes",
            "We cannot reach a service that a login needs. This is not your fault.",
        ),
        "configuration": (
            "Logging in does not work",
            "Something is not set up as it should be, and only we can correct that.",
        ),
        "suspicious": (
            "Something went wrong",
            "This answer does not belong to a login of yours, so we did not accept it.",
        ),
    }
)

_WORDS_OF_CODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "account_mismatch": (
            "Somebody else is logged in",
            "Another user logged in with this browser while you did. Log in once more.",
        ),
        "account_refused": (
            "You have no account here",
            "Your login service knows you, but we do not. Ask us for an account.",
        ),
    }
)


def login_page(path: str, fields: Fields, names: Sequence[str]) -> Page:
    """Return the page that starts a login.

    Args:
        path: where a login starts.
        fields: what its forms post.
        names: the clients that the user chooses from, each by its name or its provider's.
    """
    ways: list[WayOn] = []
    for name in names:
        several = len(names) > 1
        label = f"Log in with {urlsplit(name).hostname or name}" if several else "Log in"
        chosen = (*fields, ("provider", name)) if several else fields
        ways.append(WayOn(label=label, url=path, method="post", fields=chosen))
    text = "You will be sent to your login service, and come back here."
    return Page(title="Log in", text=text, ways=tuple(ways))


def logout_page(path: str, fields: Fields, home: WayOn) -> Page:
    """Return the page that asks whether to log out."""
    way = WayOn(label="Log out", url=path, method="post", fields=fields)
    text = "You will be logged out here and at your login service."
    return Page(title="Log out?", text=text, ways=(way, home))


def left_page(url: str, fields: Fields, home: WayOn) -> Page:
    """Return the page that leads on to the logout at the provider, which takes a form."""
    way = WayOn(label="Go on", url=url, method="post", fields=fields)
    text = "You are logged out here. Go on to log out at your login service, too."
    return Page(title="Logged out", text=text, ways=(way, home))


def failure_of(error: OidcError, logins: tuple[WayOn, ...], home: WayOn) -> Failure:
    """Return the page of an error.

    Args:
        error: the error.
        logins: the ways to a new login, which are offered where that can help.
        home: the way to the start of the application.
    """
    title, text = _WORDS_OF_CODES.get(error.code) or _WORDS[error.kind]
    ways = (home,) if error.kind in {"configuration", "suspicious"} else (*logins, home)
    return Failure(
        status=error.answer_status,
        title=title,
        text=text,
        ways=ways,
        kind=error.kind,
        code=error.code,
        retry_after=error.retry_after,
    )


def elsewhere(home: WayOn) -> Failure:
    """Return the page of a form that another site has sent."""
    title, text = _WORDS["suspicious"]
    return Failure(
        status=403, title=title, text=text, ways=(home,), kind="suspicious", code="other_site"
    )


_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.25rem;"
    "color:#1c1c1c;background:#fff}h1{font-size:1.6rem;line-height:1.25}"
    "a,button{display:inline-block;font:inherit;margin:.5rem 1rem .5rem 0;color:#0b4f9e}"
    "button{padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0b4f9e;color:#fff}"
    "a:focus-visible,button:focus-visible{outline:3px solid #e08a00;outline-offset:2px}"
    "small{color:#555}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}a{color:#8cc1ff}"
    "small{color:#aaa}}"
)
_DIGEST: Final = b64encode(sha256(_STYLE.encode("ascii")).digest()).decode("ascii")
PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
)
"""The ``Content-Security-Policy`` of these pages: no script, no frame, one style.

It says nothing about ``form-action``: browsers apply that to the redirect that answers a form, too,
and a login is answered with a redirect to the provider.
"""


def page_html(page: Page) -> str:
    """Draw a page as HTML; everything in it is escaped."""
    code = f"<p><small>Code: {escape(page.code)}</small></p>" if isinstance(page, Failure) else ""
    ways = "".join([_way_html(each) for each in page.ways])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(page.title)}</h1><p>{escape(page.text)}</p>"
        f"{ways}{code}</main></body></html>"
    )


def _way_html(way: WayOn) -> str:
    if way.method == "get":
        return f'<a href="{escape(way.url)}">{escape(way.label)}</a>'
    hidden = "".join(
        [
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in way.fields
        ]
    )
    url, label = escape(way.url), escape(way.label)
    return f'<form method="post" action="{url}">{hidden}<button>{label}</button></form>'
