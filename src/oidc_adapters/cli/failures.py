"""How a failure is told: on standard error to a human, as one JSON object to a program."""

from types import MappingProxyType
from typing import Final

from oidc_adapters.cli.layout import Page
from oidc_core.wire.codes import CodeRow
from oidc_core.wire.errors import (
    CallbackError,
    OidcError,
    ProtocolViolation,
    ProviderError,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.messages import shown

_CLASSES: Final = (
    ProtocolViolation,
    ProviderError,
    CallbackError,
    TransportFailure,
    StoreFailure,
    UsageError,
)
_REFUSALS: Final = frozenset({"protocol", "provider", "callback"})
CLASS_NAMES: Final = MappingProxyType({kind.fault: kind.__name__ for kind in _CLASSES})
"""The name of the class of error that carries the codes of a fault."""

RETRYING: Final = MappingProxyType(
    {
        "no": "no: something must be changed first",
        "restart": "restart: start a new login",
        "later": "later: the same may succeed in a while",
    }
)
"""The meaning of ``retryable``."""


def tell_failure(page: Page, error: OidcError) -> None:
    """Say what was refused, what was found, which rule it broke and what to do."""
    about = f" ({error.about})" if error.about else ""
    verb = "refused" if error.fault in _REFUSALS else "failed"
    page.line(f"{verb}: {error.code}{about}", style="bad")
    facts = [("class", CLASS_NAMES[error.fault])]
    if error.place is not None:
        facts.append(("at", f"the {error.place}"))
    if error.found is not None:
        facts.append(("found", shown(error.found)))
    if error.expected is not None:
        facts.append(("expected", shown(error.expected)))
    if error.cause:
        facts.append(("cause", error.cause))
    if error.said:
        facts.append(("the provider says", error.spoken))
    if error.spec:
        facts.append(("rule", error.spec))
    after = "" if error.retry_after is None else f", in {error.retry_after} seconds"
    facts += [("hint", error.hint), ("retry", RETRYING[error.retryable] + after)]
    page.facts(facts, indent=3)
    page.flush()


def failure_json(error: OidcError) -> JsonObject:
    """Return the same as data; ``error`` is the code."""
    return JsonObject(
        {
            "error": error.code,
            "class": CLASS_NAMES[error.fault],
            "about": error.about,
            "found": error.found,
            "expected": error.expected,
            "spec": error.spec,
            "hint": error.hint,
            "retryable": error.retryable,
            "kind": error.kind,
            "cause": error.cause,
            "purpose": None if error.place is None else error.place.purpose,
            "url": None if error.place is None else error.place.url,
            "retry_after": error.retry_after,
        }
    )


def row_facts(row: CodeRow) -> tuple[tuple[str, str], ...]:
    """Return the row of the table for a code."""
    return (
        ("class", CLASS_NAMES[row.fault]),
        ("stage", row.stage),
        ("retry", RETRYING[row.retryable]),
        ("kind", row.kind),
        *([("rule", row.spec)] if row.spec else []),
        ("hint", row.hint),
    )
