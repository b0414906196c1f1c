"""The words for claims and evidence, so that a person understands them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from oidc_core import JsonObject, render

LABELS: Final = {
    "name": "Name",
    "given_name": "Given name",
    "family_name": "Family name",
    "middle_name": "Middle name",
    "nickname": "Nickname",
    "preferred_username": "User name",
    "email": "E-mail address",
    "email_verified": "E-mail address is verified",
    "phone_number": "Phone number",
    "phone_number_verified": "Phone number is verified",
    "address": "Address",
    "birthdate": "Date of birth",
    "gender": "Gender",
    "locale": "Language",
    "zoneinfo": "Time zone",
    "profile": "Profile page",
    "picture": "Picture",
    "website": "Web site",
    "updated_at": "Last change of these data",
    "auth_time": "Time of the login at the provider",
    "acr": "Level of the login",
    "amr": "Methods of the login",
}
"""The standard claims (OIDC Core §5.1) and those about the login (§2), in the order of the page."""

ACCEPTED: Final = {
    "authorization_response": (
        "The answer that your browser brought",
        "The provider sent your browser back here. We checked that this answer is for you.",
    ),
    "id_token": (
        "The ID token",
        "This signed statement of the provider says who you are.",
    ),
    "userinfo": (
        "UserInfo",
        "The provider told us more about you, directly and without your browser.",
    ),
}
_TIMES: Final = frozenset({"updated_at", "auth_time"})


class Line(NamedTuple):
    """A claim as a person reads it."""

    label: str
    name: str
    value: str


def moment(seconds: object) -> str:
    """Return a time in words, in UTC."""
    if isinstance(seconds, int | float):
        try:
            when = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return str(seconds)
        return f"{when.day} {when:%B %Y, %H:%M:%S} UTC"
    return "unknown"


def lines(claims: JsonObject) -> list[Line]:
    """Return the claims for the page, the standard ones first."""
    names = [name for name in LABELS if name in claims]
    names += [name for name in claims if name not in LABELS]
    return [Line(LABELS.get(name, name), name, _shown(name, claims[name])) for name in names]


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if name in _TIMES and isinstance(value, int | float):
        return moment(value)
    if isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        texts = [each for each in parts if isinstance(each, str)]
        if len(texts) == len(parts):
            return ", ".join(texts)
    # All other values are shown as JSON.
    text = render(JsonObject({"value": value}))
    return text.removeprefix('{"value":').removesuffix("}")
