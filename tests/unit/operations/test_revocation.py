"""Revoking the tokens of a session that ended."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from attrs import evolve

from oidc_core.machine.steps import Exchange
from oidc_core.operations.revocation import Revocable, Revoked, revoke, to_revoke
from oidc_core.wire.errors import ProtocolViolation, ProviderError, TransportFailure, UsageError
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.parties import (
    ISSUER,
    NOW,
    done,
    form_of,
    json_response,
    refused,
    relying_party,
    resume,
)
from tests.unit.operations.test_refresh import TOKENS

RP = relying_party(provider={"revocation_endpoint": f"{ISSUER}/revoke"})
KEPT = evolve(TOKENS, access_token="access", refresh_token="refresh", scope="openid")
OFFLINE = evolve(KEPT, scope="openid offline_access")
REFRESH = Revocable("refresh", "refresh_token")
ACCESS = Revocable("access", "access_token")
MORE = Revocable("more", "access_token")


def asked(revocable: Revocable = REFRESH) -> Exchange[Revoked]:
    step = revoke(RP, KEPT, revocable)
    assert isinstance(step, Exchange)
    return step


def test_the_refresh_token_goes_first_and_no_token_twice() -> None:
    assert to_revoke(KEPT) == (REFRESH, ACCESS)
    assert to_revoke(KEPT, ["more", "access", "more", ""]) == (REFRESH, MORE, ACCESS)
    assert to_revoke(evolve(KEPT, access_token=""), ("more",)) == (REFRESH, MORE)
    assert to_revoke(evolve(KEPT, refresh_token=None)) == (ACCESS,)
    assert to_revoke(evolve(KEPT, refresh_token=None, access_token="")) == ()


@pytest.mark.req("OIDCBCL-2.7-02")
def test_a_refresh_token_for_offline_access_outlives_a_session_that_the_provider_ends() -> None:
    assert to_revoke(OFFLINE, keep_offline=True) == (ACCESS,)
    assert to_revoke(OFFLINE) == (REFRESH, ACCESS)
    assert to_revoke(KEPT, keep_offline=True) == (REFRESH, ACCESS)
    near = evolve(KEPT, scope="openid offline_access_not")
    assert to_revoke(near, keep_offline=True) == (REFRESH, ACCESS)


@pytest.mark.req("RFC7009-2.1-01", "RFC7009-2.1-02")
@pytest.mark.parametrize("revocable", [REFRESH, ACCESS])
def test_a_token_is_revoked(revocable: Revocable) -> None:
    step = asked(revocable)
    assert form_of(step) == {"token": revocable.token, "token_type_hint": revocable.kind}
    assert done(resume(RP, step, HttpResponse(200, (), b"", NOW))) == Revoked(revocable.kind)
    assert pickle.loads(pickle.dumps(step)) == step
    assert repr(revocable) == f"Revocable(kind={revocable.kind!r})"
    assert "revocable" not in repr(step)


@pytest.mark.req("RFC7009-2.2.1-01", "RFC7009-2.2.1-02")
@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (json_response({"error": "unsupported_token_type"}, status=400), ProviderError,
         "provider_error"),
        (HttpResponse(503, (), b"", NOW), ProtocolViolation, "http_status_unexpected"),
        (HttpResponse(302, (("location", "/"),), b"", NOW), ProtocolViolation,
         "http_redirect_refused"),
        (NoAnswer("maybe", "http_timeout", NOW), TransportFailure, "http_timeout"),
    ],
)  # fmt: skip
def test_a_failure_says_where_it_was(answer: Any, kind: Any, code: str) -> None:
    error = refused(kind, code, lambda: resume(RP, asked(), answer))
    assert error.place is not None
    assert str(error.place) == f"revocation endpoint {ISSUER}/revoke"


def test_tokens_go_to_their_own_provider_only() -> None:
    other = evolve(KEPT, issuer="https://other.example")
    refused(UsageError, "client_issuer_mismatch", lambda: revoke(RP, other, REFRESH))
    another = evolve(KEPT, client_id="client-2")
    refused(UsageError, "client_issuer_mismatch", lambda: revoke(RP, another, REFRESH))


def test_a_provider_may_have_no_such_endpoint() -> None:
    error = refused(
        UsageError, "unsupported_by_provider", lambda: revoke(relying_party(), KEPT, REFRESH)
    )
    assert error.about == "revocation_endpoint"


@pytest.mark.parametrize("name", ["rp", "tokens", "revocable"])
def test_arguments_of_another_type_are_the_callers_fault(name: str) -> None:
    given: dict[str, Any] = {"rp": RP, "tokens": KEPT, "revocable": REFRESH, name: None}
    assert refused(UsageError, "parameter_invalid", lambda: revoke(**given)).about == name
    odd: Any = "access"
    refused(UsageError, "parameter_invalid", lambda: to_revoke(KEPT, odd))
    refused(UsageError, "parameter_invalid", lambda: to_revoke(odd))
