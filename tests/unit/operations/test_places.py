"""Where an exchange failed, and what the error says to do about it, by its purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_core.endpoints.tokens import authorization_code_request
from oidc_core.machine.credentials import credential_hint
from oidc_core.machine.steps import Exchange
from oidc_core.model.policy import Policy
from oidc_core.operations.discovery import discover
from oidc_core.operations.login import finish
from oidc_core.operations.refresh import renew
from oidc_core.wire.causes import PROVIDER_HINTS
from oidc_core.wire.errors import OidcError, Place, ProviderError
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.parties import (
    ISSUER,
    NOW,
    RP,
    callback,
    json_response,
    relying_party,
    resume,
    secrets,
    started,
)
from tests.unit.operations.test_refresh import TOKENS

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.wire.http import Answer

HTML = HttpResponse(200, (("content-type", "text/html"),), b"<html>", NOW)
MOVED = HttpResponse(302, (("location", f"{ISSUER}/elsewhere?a=b"),), b"", NOW)
METADATA_URL = f"{ISSUER}/.well-known/openid-configuration"
CHECK_TOKEN = "check token_endpoint in the metadata, and what answers in its place"
CHECK_ISSUER = "check the issuer; give discovery_url if the metadata is somewhere else"


def tokens_of(rp: RelyingParty = RP) -> Exchange[Any]:
    login = started(rp)
    step = finish(rp, login.pending, callback(login), binding=secrets().binding, now=NOW)
    assert isinstance(step, Exchange)
    return step


def refusal(step: Exchange[Any], answer: Answer, rp: RelyingParty = RP) -> OidcError:
    with pytest.raises(OidcError) as caught:
        resume(rp, step, answer)
    return caught.value


STEPS: list[tuple[str, Any, str, str, str]] = [
    ("discovery", lambda: discover(RP), METADATA_URL, CHECK_ISSUER, "OIDC Discovery §4.2"),
    ("token", tokens_of, f"{ISSUER}/token", CHECK_TOKEN, "OIDC Core §3.1.3.3"),
    ("refresh", lambda: renew(RP, TOKENS), f"{ISSUER}/token", CHECK_TOKEN, "OIDC Core §12.2"),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[0])
@pytest.mark.parametrize(
    ("answer", "code", "found"),
    [
        (HTML, "content_type_unexpected", "text/html"),
        (MOVED, "http_redirect_refused", f"302 to {ISSUER}/elsewhere"),
        (json_response({}, status=404), "http_status_unexpected", 404),
        (json_response(b"{"), "json_malformed", None),
    ],
)
def test_what_answers_in_place_of_an_endpoint_is_placed(
    step: tuple[str, Any, str, str, str], answer: Answer, code: str, found: Any
) -> None:
    purpose, begin, url, hint, spec = step
    error = refusal(begin(), answer)
    if purpose == "refresh" and isinstance(answer, HttpResponse) and answer.status < 300:
        told = (error.code, error.cause, error.place, error.retryable)
        assert told == ("refresh_in_doubt", code, Place(purpose, url), "later")
        return
    assert (error.code, error.found, error.place) == (code, found, Place(purpose, url))
    assert (error.hint, error.retryable, error.kind) == (hint, "no", "configuration")
    assert error.spec == (error.row.spec if code == "json_malformed" else spec)
    assert url in str(error)


@pytest.mark.parametrize(("purpose", "begin", "url", "hint", "spec"), STEPS)
def test_what_heals_by_itself_needs_no_change(
    purpose: str, begin: Any, url: str, hint: str, spec: str
) -> None:
    error = refusal(begin(), json_response({}, status=503))
    assert (error.retryable, error.place) == ("later", Place(purpose, url))
    assert error.hint != hint
    refused = refusal(begin(), NoAnswer("no", "http_connect_failed", NOW, "refused"))
    assert (refused.cause, refused.retryable, refused.place) == (
        "refused",
        "later",
        Place(purpose, url),
    )
    assert spec


def test_a_code_whose_fate_is_unknown_says_why() -> None:
    error = refusal(tokens_of(), NoAnswer("maybe", "http_malformed", NOW, "reset"))
    assert (error.code, error.found, error.cause) == ("code_in_doubt", "http_malformed", "reset")
    lost = refusal(renew_step(), NoAnswer("maybe", "http_timeout", NOW, "timeout"))
    assert (lost.code, lost.cause) == ("refresh_in_doubt", "timeout")


def renew_step() -> Exchange[Any]:
    step = renew(RP, TOKENS)
    assert isinstance(step, Exchange)
    return step


# --- the client that is refused ------------------------------------------------------------------

QUIRK = "assertion_audience_token_endpoint"
AT_ENDPOINT = frozenset({QUIRK})
RAW = frozenset({"basic_raw_credentials"})


def with_method(method: str, quirks: frozenset[str] = frozenset()) -> RelyingParty:
    client: dict[str, Any] = {"token_endpoint_auth_method": method}
    return relying_party(client=client, policy=Policy(quirks=quirks))


@pytest.mark.parametrize(
    ("method", "quirks", "named"),
    [
        ("client_secret_basic", frozenset[str](), "basic_raw_credentials"),
        ("client_secret_basic", RAW, ""),
        ("client_secret_post", frozenset[str](), ""),
        ("private_key_jwt", frozenset[str](), "there is the quirk " + QUIRK),
        ("private_key_jwt", AT_ENDPOINT, "leave out the quirk " + QUIRK),
        ("none", frozenset[str](), "is the client registered as a public one"),
    ],
)
def test_a_client_that_is_not_known_is_told_what_to_change(
    method: str, quirks: frozenset[str], named: str
) -> None:
    rp = with_method(method, quirks)
    error = refusal(tokens_of(rp), json_response({"error": "invalid_client"}, status=401), rp)
    assert isinstance(error, ProviderError)
    assert (error.retryable, error.kind) == ("no", "configuration")
    head = PROVIDER_HINTS["invalid_client"]
    assert error.hint.startswith(head + ("; " if named else ""))
    assert named in error.hint
    assert (error.hint == head) == (not named)


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (json_response({"error": "invalid_request"}, status=400), True),
        (json_response({"error": "unauthorized_client"}, status=400), True),
        (json_response({}, status=400), True),
        (json_response(b"<html>", status=401), True),
        (json_response({}, status=404), False),
        (json_response({"error": "invalid_client"}, status=503), False),
        (json_response({"error": "invalid_grant"}, status=400), False),
    ],
)
def test_an_assertion_that_may_have_been_refused_names_the_quirk(
    answer: HttpResponse, named: bool
) -> None:
    rp = with_method("private_key_jwt")
    assert (QUIRK in refusal(tokens_of(rp), answer, rp).hint) == named
    assert QUIRK not in refusal(tokens_of(), answer).hint


def test_a_request_without_a_client_has_no_credentials_to_change() -> None:
    request = authorization_code_request(RP, started().pending, "code-1")
    error = ProviderError("invalid_client", status=401)
    assert credential_hint(request, error)
    assert credential_hint(evolve(request, form=None), error) == ""
