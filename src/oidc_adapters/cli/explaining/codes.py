"""An error code in words: what it means, whose fault it is, what to do about it."""

from difflib import get_close_matches
from itertools import groupby
from types import MappingProxyType
from typing import Final

from oidc_adapters.cli.failures import CLASS_NAMES, RETRYING, row_facts
from oidc_adapters.cli.layout import Page
from oidc_core.wire.causes import CAUSES, PROVIDER_HINTS
from oidc_core.wire.codes import CODES, CodeRow, Fault, Retryable
from oidc_core.wire.errors import verdict
from oidc_core.wire.jsontypes import JsonObject

FAULTS: Final = MappingProxyType(
    {
        "protocol": "the provider, or somebody in its place, broke the protocol",
        "provider": "the provider refused, with its own error code",
        "callback": "what the browser brought back does not hold",
        "transport": "the network, or the server of the provider",
        "store": "a store of the application",
        "usage": "the application or its configuration",
    }
)
"""Whose fault it is, by the ``fault`` of a row."""

KINDS: Final = MappingProxyType(
    {
        "user": "user: a user decided so",
        "stale": "stale: the login is too old or was used before",
        "configuration": "configuration: an operator has to change something",
        "later": "later: a service is down",
        "interaction": "interaction: the user has to do something at the provider",
        "suspicious": "suspicious: it may be an attack",
    }
)
"""The meaning of the ``kind`` of a row."""

_BY_PROVIDER: Final = "an error code of the provider (RFC 6749 §4.1.2.1, §5.2)"
_BY_TRANSPORT: Final = "a cause: why an exchange failed"


def known(word: str) -> bool:
    """Return whether a word is a code of the library, of a provider, or a cause."""
    return word in CODES or word in PROVIDER_HINTS or word in CAUSES


def near(word: str) -> list[str]:
    """Return known words that are spelt nearly like it."""
    lowered = word.lower()
    return get_close_matches(lowered, [*CODES, *PROVIDER_HINTS, *CAUSES], n=3)


def facts_of(word: str) -> tuple[tuple[str, str], ...]:
    """Return the facts about a known word, by name."""
    if word in CODES:
        row = CODES[word]
        first, *others = row_facts(row)
        fault, kind = ("fault", FAULTS[row.fault]), ("kind", KINDS[row.kind])
        return (first, fault, *[pair if pair[0] != "kind" else kind for pair in others])
    if word in PROVIDER_HINTS:
        retryable, what = verdict(word, None)
        return (
            ("class", CLASS_NAMES["provider"]),
            ("fault", _BY_PROVIDER),
            ("retry", RETRYING[retryable]),
            ("kind", KINDS[what]),
            ("hint", PROVIDER_HINTS[word]),
        )
    cause = CAUSES[word]
    return (
        ("class", CLASS_NAMES["transport"]),
        ("fault", _BY_TRANSPORT),
        ("retry", RETRYING[cause.retryable]),
        ("kind", KINDS[cause.kind]),
        ("hint", cause.hint),
    )


def tell_code(page: Page, word: str) -> None:
    """Explain one known word."""
    page.line(word, style="bold")
    page.facts(facts_of(word), indent=3)


def code_json(word: str) -> JsonObject:
    """Return the same as data."""
    return JsonObject({"explains": "code", "code": word, **dict(facts_of(word))})


def tell_all(page: Page) -> None:
    """List the codes of the library, stage by stage."""
    for place, rows in groupby(CODES.values(), _place):
        stage, fault, retryable = place
        page.spread(stage, f"{CLASS_NAMES[fault]}, retry: {retryable}")
        page.facts([(row.code, row.hint) for row in rows], indent=3)
        page.line()


def all_json() -> JsonObject:
    """Return the table of the library's codes as data."""
    rows = {code: JsonObject(dict(facts_of(code))) for code in CODES}
    return JsonObject({"explains": "codes", "codes": JsonObject(rows)})


def _place(row: CodeRow) -> tuple[str, Fault, Retryable]:
    return row.stage, row.fault, row.retryable
