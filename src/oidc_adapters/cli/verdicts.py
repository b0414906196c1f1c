"""One check of a command: its words, its outcome, the facts found and expected."""

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import frozen

from oidc_adapters.cli.layout import Page
from oidc_core.wire.errors import OidcError
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.messages import SHOWN, Fact, cut, shown

Outcome: TypeAlias = Literal["passed", "failed", "warned", "skipped", "unjudged"]

_LONG: Final = 2 * SHOWN
_SIGNS: Final = MappingProxyType[Outcome, tuple[str, str]](
    {
        "passed": ("✓", "good"),
        "failed": ("✗", "bad"),
        "warned": ("!", "warn"),
        "skipped": ("–", "dim"),
        "unjudged": ("?", "warn"),
    }
)


@frozen(kw_only=True)
class Verdict:
    """One check.

    Attributes:
        name: its name, as in ``iss``.
        says: what it says, in words.
        outcome: ``passed``; ``failed``; ``warned`` for a fault that prevents nothing;
            ``skipped`` where it does not apply; ``unjudged`` where something is missing to judge.
        spec: the sentence of the specification.
        code: the error code of a failure.
        found, expected: the facts; a secret is a fingerprint.
        reason: why it was skipped or not judged.
        cause: why it failed, in one word, where that is known.
        hint: what to do about it.
    """

    name: str
    says: str
    outcome: Outcome
    spec: str = ""
    code: str = ""
    found: Fact = None
    expected: Fact = None
    reason: str = ""
    cause: str = ""
    hint: str = ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The facts that are told below it, by name."""
        told = (
            ("found", _text(self.found)),
            ("expected", _text(self.expected)),
            ("code", self.code),
            ("cause", self.cause),
            ("hint", self.hint),
        )
        return tuple([(name, text) for name, text in told if text])

    def as_json(self) -> JsonObject:
        """Return it as data."""
        return JsonObject(
            {
                "name": self.name,
                "says": self.says,
                "outcome": self.outcome,
                "spec": self.spec,
                "code": self.code,
                "found": self.found,
                "expected": self.expected,
                "reason": self.reason,
                "cause": self.cause,
                "hint": self.hint,
            }
        )


def _text(fact: Fact) -> str:
    """Return a fact for a human: texts with odd characters are in quotes, lists have commas."""
    if isinstance(fact, tuple):
        return cut(", ".join(map(_plain, fact)), _LONG)
    return _plain(fact) if isinstance(fact, str) else "" if fact is None else shown(fact)


def _plain(text: str) -> str:
    """Return a text as it is, if all its characters are visible."""
    plain = text.isascii() and text.isprintable() and text == text.strip() and text != ""
    return cut(text, _LONG) if plain else shown(text)


def failure(name: str, says: str, error: OidcError, *, spec: str = "") -> Verdict:
    """Return the verdict of a check that raised an error."""
    sentence = " " in error.about  # as of two issuers: how they differ
    about = f" ({error.about})" if error.about not in {"", name} and not sentence else ""
    return Verdict(
        name=name,
        says=says,
        outcome="failed",
        spec=spec or error.spec,
        code=error.code + about,
        found=error.found,
        expected=error.expected,
        cause=error.cause,
        hint=error.about if sentence else error.hint,
    )


def judged(name: str, says: str, spec: str, check: Callable[[], str | None]) -> Verdict:
    """Run a check, which raises, returns why it does not apply, or ``None`` if it passed."""
    try:
        skipped = check()
    except OidcError as error:
        return failure(name, says, error, spec=spec)
    outcome: Outcome = "passed" if skipped is None else "skipped"
    return Verdict(name=name, says=says, outcome=outcome, spec=spec, reason=skipped or "")


def tell(page: Page, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts, each with its facts where it did not simply pass."""
    for verdict in verdicts:
        sign, style = _SIGNS[verdict.outcome]
        why = f" ({verdict.reason})" if verdict.reason else ""
        page.verdict(sign, verdict.says + why, verdict.spec, style=style)
        page.facts(verdict.facts, indent=7)


def any_failed(verdicts: Iterable[Verdict]) -> bool:
    """Return whether one of them failed."""
    return any(verdict.outcome == "failed" for verdict in verdicts)
