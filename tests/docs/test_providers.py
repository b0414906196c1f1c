"""The settings of each provider's page log in at an imitation of it, and all are needed."""

from __future__ import annotations

from typing import Final

import pytest

import provider_pages
from oidc_adapters import OidcError
from provider_facts import Mistake, Need, Provider, providers
from tests.docs.pages import ROOT
from tests.docs.provider_logins import Imitation, settings_of, told, without

ALL: Final = providers()
NEEDS: Final = [
    pytest.param(each, need, id=f"{each.slug}-{need.of}") for each in ALL for need in each.needs
]
MISTAKES: Final = [
    pytest.param(each, mistake, id=f"{each.slug}-{place}")
    for each in ALL
    for place, mistake in enumerate(each.mistakes)
    if mistake.change
]


def lost(all_there: str, left: str) -> str:
    """Name what a login no longer gives, as the pages do; a refusal is its code."""
    if left.startswith(("`", "its page")):
        return left
    gone = [name for name in all_there.split(", ") if name not in left.split(", ")]
    return ", ".join([f"no {name}" for name in gone])


@pytest.mark.parametrize("provider", ALL, ids=lambda each: each.slug)
def test_the_settings_log_in(provider: Provider) -> None:
    settings = settings_of(provider)

    assert Imitation.of(provider, settings).outcome(settings) == provider.outcome


@pytest.mark.parametrize(("provider", "need"), NEEDS)
def test_a_login_without_a_needed_setting_ends_as_the_page_says(
    provider: Provider, need: Need
) -> None:
    settings = settings_of(provider)

    left = Imitation.of(provider, settings).outcome(without(settings, need.of))

    assert lost(provider.outcome, left) == need.without


@pytest.mark.parametrize(("provider", "mistake"), MISTAKES)
def test_a_mistake_shows_as_the_page_says(provider: Provider, mistake: Mistake) -> None:
    imitation = Imitation.of(provider, settings_of(provider), mistake.at_provider)

    try:
        left = imitation.outcome(settings_of(provider, mistake.change))
    except OidcError as refused:  # the settings themselves
        left = told(refused)

    assert lost(provider.outcome, left) == mistake.shows


def test_the_pages_are_up_to_date() -> None:
    assert provider_pages.outdated() == [], "run .venv/bin/python scripts/providers"


@pytest.mark.parametrize("provider", ALL, ids=lambda each: each.slug)
def test_a_setting_is_explained_and_a_need_is_a_setting(provider: Provider) -> None:
    named = {need.of.partition(".")[0].partition(":")[0] for need in provider.needs}
    explained = {setting.name for setting in provider.settings if setting.why}
    of_all = {"OIDC_ISSUER", *[name for name, _ in provider_pages.OF_ALL]}

    assert named <= {setting.name for setting in provider.settings}
    assert explained <= named
    assert {setting.name for setting in provider.settings} <= named | of_all


def test_each_page_stands_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")

    assert [each.slug for each in ALL if f"(providers/{each.slug}.md)" not in index] == []
