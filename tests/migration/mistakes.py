"""Mistakes of a provider that the libraries of before let pass, as the guides have them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tests.docs.pages import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.migration.stages import Stage

HEADING: Final = "| Mistake of the provider | Before | Here |"
MISTAKES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "The callback names another issuer": "wrong_iss",
        "The callback names no issuer, although the metadata says so": "no_iss",
        "The ID token is of another issuer": "id_token_wrong_iss",
        "The ID token is for another client": "wrong_aud",
        "The ID token is for another client as well": "extra_audience",
        "The ID token was issued to another client": "wrong_azp",
        "The ID token never expires": "no_exp",
        "The ID token is a week old": "week_old",
        "The ID token names no user": "no_sub",
        "The ID token names two users": "id_token_duplicate_sub",
        "The ID token says that it is a logout token": "id_token_typ_logout_token",
        "The ID token belongs to another access token": "wrong_at_hash",
        "UserInfo is about another user": "userinfo_other_sub",
        "The signing key has 1,024 bits": "rsa_1024",
    }
)


def seen(stage: Stage, name: str) -> str:
    """Log in while the provider makes a mistake, and say what the browser shows."""
    stage.provider.misbehave = name
    answer = stage.browser().log_in("/orders")
    stage.provider.misbehave = None
    if answer.status == 200 and "Alice" in answer.text:
        return "logged in"
    return f"`{answer.text.partition('Code: ')[2].partition('<')[0]}`"


def rows(guide: str) -> dict[str, tuple[str, str]]:
    """Return the table of a guide: what was seen before and after, by mistake."""
    lines = Page(f"docs/migrate/{guide}.md").text.partition(HEADING)[2].splitlines()[2:]
    cells = [line.strip("| ").split(" | ") for line in lines[: lines.index("")]]
    return {MISTAKES[what]: (before, here) for what, before, here in cells}


def played(stage: Stage, guide: str) -> dict[str, str]:
    """Play the mistakes of a guide."""
    return {name: seen(stage, name) for name in rows(guide)}
