"""Who asks, and whether the provider may answer there."""

from __future__ import annotations

import pytest

from oidc_adapters.testing import Dialect, FakeProvider, RequestRefused
from oidc_adapters.testing.authorization_request import arrival, check_request
from oidc_adapters.testing.oauth_messages import OAuthError

from .raw_client import authorization_url


def test_a_request_is_read_from_query_and_form() -> None:
    provider = FakeProvider()
    url, _, query = authorization_url(provider, prompt="login consent").partition("?")

    asked = arrival(provider, url, query.encode())

    assert asked == arrival(provider, f"{url}?{query}")
    assert (asked.mode, sorted(asked.prompts)) == ("query", ["consent", "login"])
    assert asked.words("nothing") == []


def test_a_form_that_is_none_is_refused() -> None:
    provider = FakeProvider()

    with pytest.raises(RequestRefused) as refused:
        arrival(provider, authorization_url(provider), "ü=1".encode())

    assert refused.value.error == "invalid_request"


def test_a_challenge_counts_for_nothing_where_pkce_is_ignored() -> None:
    provider = FakeProvider(dialect=Dialect(pkce="ignored"))
    url = authorization_url(provider, code_challenge="short", code_challenge_method="plain")

    check_request(provider, arrival(provider, url))
    provider.dialect = Dialect()
    with pytest.raises(OAuthError) as refused:
        check_request(provider, arrival(provider, url))
    assert refused.value.error == "invalid_request"
