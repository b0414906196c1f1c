"""``oidc explain``: an error code, a callback or a token in words, offline and without secrets."""

from types import MappingProxyType
from typing import Final

from oidc_adapters.cli.commands import Explain
from oidc_adapters.cli.explaining.callbacks import (
    ExplainedCallback,
    explain_callback,
    is_callback,
)
from oidc_adapters.cli.explaining.codes import (
    all_json,
    code_json,
    known,
    near,
    tell_all,
    tell_code,
)
from oidc_adapters.cli.explaining.tokens import ExplainedToken, Given, explain_token, is_token
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import indented
from oidc_adapters.cli.message_parts import DATES, member_facts
from oidc_adapters.cli.redaction import without_secrets
from oidc_adapters.cli.times import date_text, distance_text
from oidc_adapters.cli.verdicts import Verdict, any_failed, tell
from oidc_adapters.cli.world import World
from oidc_core.model.claim_values import numeric_date
from oidc_core.wire.jsontypes import JsonObject

NOT_UNDERSTOOD: Final = 2
_MOST: Final = 1_000_000
_COUNTED: Final = MappingProxyType(
    {
        "passed": "passed",
        "failed": "failed",
        "warned": "with a warning",
        "skipped": "did not apply",
        "unjudged": "not judged",
    }
)


def explain(command: Explain, world: World) -> int:
    """Explain something; the exit status is 0, 1 if a client would refuse it, 2 if unknown."""
    page = Page(world.out, world.environ)
    if command.all:
        if command.json:
            world.out.write(indented(all_json()))
        else:
            tell_all(page)
        return 0
    subject = _read(world) if command.subject == "-" else command.subject
    if known(subject):
        if command.json:
            world.out.write(indented(code_json(subject)))
        else:
            tell_code(page, subject)
        return 0
    if is_callback(subject):
        return _callback(subject, command, page, world)
    if is_token(subject):
        return _token(subject, command, page, world)
    return _unknown(subject, Page(world.err, world.environ))


def _read(world: World) -> str:
    """Return what is on standard input; octets that are no text are nothing known."""
    try:
        return world.stdin.read(_MOST).strip()
    except UnicodeDecodeError:
        return ""


def _unknown(subject: str, page: Page) -> int:
    """Say that it is nothing known; it is not repeated, since it may be a secret."""
    close = near(subject)
    text = "oidc explain: neither a code nor a callback URL nor a JWT"
    page.line(f"{text}; near: {', '.join(close)}" if close else text, style="bad")
    page.line("A token that is not a JWT is opaque to clients. Codes: oidc explain --all.")
    return NOT_UNDERSTOOD


def _callback(subject: str, command: Explain, page: Page, world: World) -> int:
    told = explain_callback(subject, command.issuer)
    if command.json:
        world.out.write(indented(_callback_json(told)))
    else:
        _tell_callback(page, told)
    return 1 if any_failed(told.verdicts) or told.error else 0


def _tell_callback(page: Page, told: ExplainedCallback) -> None:
    page.line("A callback: the answer of a provider that a browser brings", style="bold")
    if told.url:
        page.facts([("to", told.url)], indent=3)
    for parameter in told.parameters:
        page.line()
        page.facts([(parameter.name, parameter.shown)], indent=3)
        page.line(parameter.means, indent=5, style="dim")
    page.line()
    page.line("checks that need no login in flight", indent=3, style="dim")
    tell(page, told.verdicts)
    if told.advice:
        page.line()
        page.facts([(told.error, told.advice)], indent=3)
    _tell_counts(page, told.verdicts)


def _callback_json(told: ExplainedCallback) -> JsonObject:
    parameters = [
        JsonObject({"name": each.name, "shown": each.shown, "means": each.means})
        for each in told.parameters
    ]
    return JsonObject(
        {
            "explains": "callback",
            "url": told.url,
            "parameters": tuple(parameters),
            "error": told.error,
            "advice": told.advice,
            "checks": tuple([each.as_json() for each in told.verdicts]),
        }
    )


def _token(subject: str, command: Explain, page: Page, world: World) -> int:
    now = world.clock.now() if command.now is None else command.now
    given = Given(
        issuer=command.issuer,
        client_id=command.client_id,
        nonce=command.nonce,
        jwks=command.jwks,
        now=now,
    )
    told = explain_token(subject, given)
    if command.json:
        world.out.write(indented(_token_json(told, now)))
    else:
        _tell_token(page, told, now)
    return 1 if any_failed(told.verdicts) else 0


def _tell_token(page: Page, told: ExplainedToken, now: int) -> None:
    kind = "an encrypted JWT (JWE)" if told.form == "JWE" else "a signed JWT (JWS)"
    page.line(f"A token: {kind}", style="bold")
    if told.claims.members:
        fits = ", ".join(told.fits) or "no kind that this library knows"
        page.facts([("may be", fits), ("judged as", told.judged_as)], indent=3)
    _tell_members(page, "header, not verified", told.header)
    _tell_members(page, "claims, not verified", told.claims)
    times = _times(told.claims, now)
    if times:
        page.line()
        page.line("times", indent=3, style="dim")
        page.facts([(name, f"{at}, {far}") for name, at, far in times], indent=5)
    page.line()
    page.line(f"checks, at {date_text(now) or now}", indent=3, style="dim")
    tell(page, told.verdicts)
    _tell_counts(page, told.verdicts)


def _tell_members(page: Page, title: str, members: JsonObject) -> None:
    if members.members:
        page.line()
        page.line(title, indent=3, style="dim")
        page.facts(member_facts(members), indent=5)


def _token_json(told: ExplainedToken, now: int) -> JsonObject:
    times = {n: JsonObject({"at": at, "far": far}) for n, at, far in _times(told.claims, now)}
    return JsonObject(
        {
            "explains": "token",
            "form": told.form,
            "may_be": told.fits,
            "judged_as": told.judged_as,
            "header": without_secrets("", told.header),
            "claims": without_secrets("", told.claims),
            "times": JsonObject(times),
            "now": now,
            "checks": tuple([each.as_json() for each in told.verdicts]),
        }
    )


def _times(claims: JsonObject, now: int) -> list[tuple[str, str, str]]:
    """Return the claims that are times: name, date, and how far away."""
    found = [(name, numeric_date(value)) for name, value in claims.items() if name in DATES]
    dated = [(name, date) for name, date in found if date is not None and date_text(date)]
    return [(name, date_text(date), distance_text(date, now)) for name, date in dated]


def _tell_counts(page: Page, verdicts: tuple[Verdict, ...]) -> None:
    outcomes = [verdict.outcome for verdict in verdicts]
    told = [f"{outcomes.count(each)} {said}" for each, said in _COUNTED.items() if each in outcomes]
    page.line()
    page.line(f"{', '.join(told)}.", indent=3)
