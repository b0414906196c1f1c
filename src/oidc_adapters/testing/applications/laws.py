"""The laws that an application keeps, each with a name, judged from outside.

Each law takes a visit and what is known, and returns what is wrong, or an empty string.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from oidc_adapters.testing.applications.book import Book, Secret
from oidc_adapters.testing.applications.links import browser_url, content_of, origin_of
from oidc_adapters.testing.applications.visits import Visit
from oidc_adapters.testing.applications.world import World
from oidc_adapters.testing.transports import RecordedExchange

Law: TypeAlias = Callable[[Visit, World, Book], str]

_BAD_GATEWAY: Final = frozenset({502, 503, 504})
_NOT_FOUND: Final = 404
_OF_THE_BROWSER: Final = frozenset({"state", "nonce", "id token"})
"""Kinds of secrets that a redirect to a provider carries; the ID token is a hint."""

_OF_THE_APPLICATION: Final = frozenset({"sealing key", "cookie", "state", "nonce"})
"""Kinds of secrets that the application sends to no provider."""


class LawBrokenError(AssertionError):
    """An application broke a law.

    Attributes:
        law: the name of the law.
    """

    def __init__(self, law: str, what: str, trace: list[str]) -> None:
        lines = "\n".join(trace)
        super().__init__(f"{law}: {what}\n{lines}")
        self.law = law


def no_server_fault(visit: Visit, world: World, book: Book) -> str:
    """No answer is a 500; one of 502 to 504 comes only in times of trouble."""
    del world
    status = visit.answer.status
    if status < 500 or (status in _BAD_GATEWAY and visit.troubled):
        return ""
    told = (visit.answer.told or next(reversed(book.logged), "")).strip().splitlines()
    return f"{status} {told[-1]}" if told else str(status)


def no_open_redirect(visit: Visit, world: World, book: Book) -> str:
    """No redirect leaves the site but to a configured provider."""
    answer, url = visit.answer, visit.request.url
    leads = (*filter(None, [answer.location]), *answer.every("hx-redirect"))
    for link in leads:
        to = browser_url(url, link)
        if origin_of(to) != world.routes.origin and world.lines.provider_at(to) is None:
            return f"a redirect leads to {book.shown(to)}"
    return ""


def secrets_stay(visit: Visit, world: World, book: Book) -> str:
    """No secret is in an answer, but in the header that carries it to its receiver."""
    answer = visit.answer
    whole = "\n".join([value for _, value in answer.headers] + [answer.text, answer.told])
    for text, secret in book.secrets.items():
        if text not in whole:
            continue
        for name, value in answer.headers:
            if text in value and not _carries(name, value, secret, visit, world):
                return f"a {secret.kind} is in the header {name}"
        if text in answer.told:
            return f"a {secret.kind} is in the error log"
        if text in answer.text and not _posts(text, secret, visit, world):
            return f"a {secret.kind} is in the page"
    return ""


def _carries(name: str, value: str, secret: Secret, visit: Visit, world: World) -> bool:
    if secret.kind == "cookie":
        return name == "set-cookie"
    if secret.kind not in _OF_THE_BROWSER or name not in {"location", "hx-redirect"}:
        return False
    provider = world.lines.provider_at(browser_url(visit.request.url, value))
    return provider is not None and provider.issuer == secret.issuer


def _posts(text: str, secret: Secret, visit: Visit, world: World) -> bool:
    """Whether a form of the page carries it to a provider, and it is there no second time."""
    if secret.kind not in _OF_THE_BROWSER:
        return False
    for form in content_of(visit.request.url, visit.answer.text).forms:
        carried = any(text in value for _, value in form.fields)
        if carried and world.lines.provider_at(form.action) is not None:
            return visit.answer.text.count(text) == 1
    return False


def sent_secrets_stay(exchange: RecordedExchange, world: World, book: Book) -> str:
    """No request to a provider has a secret of another one, or of the application alone."""
    request, _ = exchange
    provider = world.lines.provider_at(request.url)
    issuer = "" if provider is None else provider.issuer
    body = (request.body or b"").decode("latin-1")
    whole = "\n".join([request.url, body, *[value for _, value in request.headers]])
    for text, secret in book.secrets.items():
        strange = secret.kind in _OF_THE_APPLICATION or secret.issuer != issuer
        if strange and text in whole:
            return f"a {secret.kind} of {secret.issuer or 'the application'} is sent to {issuer}"
    return ""


def way_on(visit: Visit, world: World, book: Book) -> str:
    """Every refusal that a person sees has a link or a form.

    A missing page does not count as a refusal. A fault does not either: another law judges it.
    """
    answer = visit.answer
    if not visit.navigates or answer.status == _NOT_FOUND or answer.status < 300:
        return ""
    if no_server_fault(visit, world, book):
        return ""
    if answer.status < 400:
        return "" if answer.location else f"a {answer.status} leads nowhere"
    content = content_of(visit.request.url, answer.text)
    if content.links or content.forms:
        return ""
    return f"a page with status {answer.status} has no way on"


OF_VISITS: Final[Mapping[str, Law]] = MappingProxyType(
    {
        "no_answer_is_a_server_fault": no_server_fault,
        "no_redirect_leaves_the_site": no_open_redirect,
        "secrets_stay_in_their_messages": secrets_stay,
        "every_refusal_has_a_way_on": way_on,
    }
)
"""The laws of single visits by their names."""
