"""The facts about providers: one file of TOML for each in docs/providers/."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from cattrs import Converter

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "providers"


@frozen(kw_only=True)
class Summary:
    """The row of the overview.

    Attributes:
        issuer: the form of the issuer.
        pkce: whether PKCE is known.
        nonce: whether the ID token has the nonce of the request.
        authentication: how a client authenticates.
        response_mode: how the authorization response comes.
        userinfo: whether there is UserInfo.
        refresh: what a refresh token takes.
        logout: how a logout at the provider goes.
    """

    issuer: str
    pkce: str
    nonce: str
    authentication: str
    response_mode: str
    userinfo: str
    refresh: str
    logout: str


@frozen(kw_only=True)
class Setting:
    """A setting of an application.

    Attributes:
        name: as in ``OIDC_ISSUER``.
        value: the source text of its value.
        why: its purpose; empty for those that every provider needs.
        remark: a remark behind the value, in the block of settings.
    """

    name: str
    value: str
    why: str = ""
    remark: str = ""


@frozen(kw_only=True)
class Need:
    """A setting, or a part of one, that this provider needs: without it a login ends otherwise.

    Attributes:
        of: the setting; ``NAME.member`` is a member of its value, and ``NAME:word`` is a word of
            it: a scope, or a quirk of the policy.
        without: how a login ends without it.
        cost: what it gives up; empty for nothing.
    """

    of: str
    without: str
    cost: str = ""


@frozen(kw_only=True)
class Mistake:
    """A usual mistake.

    Attributes:
        what: what was done.
        shows: how a login ends then: an error code, or what is on the provider's page.
        remedy: what to do.
        change: settings that make this mistake, each with the source text of its value; an empty
            text leaves the setting out.
        at_provider: settings of the imitation that make it.
    """

    what: str
    shows: str
    remedy: str
    change: dict[str, str] = field(factory=dict[str, str])
    at_provider: dict[str, Any] = field(factory=dict[str, Any])


@frozen(kw_only=True)
class Source:
    """Where facts come from."""

    title: str
    url: str


@frozen(kw_only=True)
class Provider:
    """The facts about a provider.

    Attributes:
        slug: the name of its files.
        name: its name.
        about: a sentence or two for the head of its page.
        looked_at: the day on which the sources were read.
        summary: its row of the overview.
        where: where an application is registered.
        console: the fields there, and what to enter.
        before: the lines of Python above the settings.
        settings: the settings of an application, in their order.
        needs: those of them that are there for this provider.
        outcome: how a login with the settings ends: what it gives, or the error code.
        claims: claims, and what they say.
        notes: further facts.
        mistakes: what usually goes wrong.
        unverified: facts that no source supports.
        sources: the sources of all others.
        imitation: the settings of a fake provider that does as the facts say.
    """

    slug: str
    name: str
    about: str
    looked_at: str
    summary: Summary
    where: str
    console: tuple[tuple[str, str], ...]
    before: str = ""
    settings: tuple[Setting, ...]
    needs: tuple[Need, ...] = ()
    outcome: str
    claims: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...]
    unverified: tuple[str, ...] = ()
    sources: tuple[Source, ...]
    imitation: dict[str, Any]


@cache
def providers() -> tuple[Provider, ...]:
    """Return the facts about all providers, by their names."""
    converter = Converter(forbid_extra_keys=True)
    found = [
        converter.structure({"slug": path.stem, **tomllib.loads(path.read_text("utf-8"))}, Provider)
        for path in FOLDER.glob("*.toml")
    ]
    return tuple(sorted(found, key=lambda each: each.name.lower()))
