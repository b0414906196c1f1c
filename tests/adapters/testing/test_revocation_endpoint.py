"""The fake provider revokes tokens (RFC 7009)."""

from typing import Any
from urllib.parse import urlencode

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_core.wire.http import HttpResponse, NoAnswer

from .raw_client import FORM, NOW, basic, logged_in, parsed, refresh, responded, userinfo, wire

OTHER = FakeClient(client_id="other")


def at() -> FakeProvider:
    return FakeProvider(id_token_alg="EdDSA", clients=(FakeClient(), OTHER))


def revoke(
    provider: FakeProvider, client: FakeClient | None = None, **form: str
) -> HttpResponse | NoAnswer:
    proof = basic(provider.clients[0] if client is None else client)
    body = urlencode(form).encode()
    return provider.answer(wire("POST", f"{provider.issuer}/revoke", FORM, proof, body=body), NOW)


def tried(provider: FakeProvider, tokens: Any) -> tuple[int, int]:
    access = responded(userinfo(provider, tokens["access_token"])).status
    return access, responded(refresh(provider, tokens["refresh_token"])).status


def test_a_refresh_token_takes_all_of_its_grant_along() -> None:
    provider = at()
    tokens, others = logged_in(provider), logged_in(provider)
    answer = responded(revoke(provider, token=tokens["refresh_token"]))
    assert (answer.status, answer.body) == (200, b"")
    assert tried(provider, tokens) == (401, 400)
    assert tried(provider, others) == (200, 200)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of"])
def test_an_access_token_goes_alone_whatever_the_hint(hint: str) -> None:
    provider = at()
    tokens = logged_in(provider)
    answer = revoke(provider, token=tokens["access_token"], token_type_hint=hint)
    assert responded(answer).status == 200
    assert tried(provider, tokens) == (401, 200)


def test_an_unknown_token_needs_no_revocation() -> None:
    assert responded(revoke(at(), token="unknown")).status == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_the_token_of_another_client_stays(kind: str) -> None:
    provider = at()
    tokens = logged_in(provider)
    answer = revoke(provider, OTHER, token=tokens[kind])
    assert parsed(answer, 400)["error"] == "unauthorized_client"
    assert tried(provider, tokens) == (200, 200)


def test_a_client_proves_itself_and_names_a_token() -> None:
    provider = at()
    stranger = FakeClient(client_secret="wrong" * 20)
    assert parsed(revoke(provider, stranger, token="a"), 401)["error"] == "invalid_client"
    assert parsed(revoke(provider), 400)["error"] == "invalid_request"
    got = provider.answer(wire("GET", f"{provider.issuer}/revoke"), NOW)
    assert responded(got).status == 405
