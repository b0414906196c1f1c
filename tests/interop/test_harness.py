"""The harness itself, with a client made by hand: provider and browser do as they promise."""

import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import pytest

from tests.interop.browser import Browser, Stranded
from tests.interop.clients import (
    AUTH_METHODS,
    ID_TOKEN_ALGS,
    POST_LOGOUT_REDIRECT_URI,
    REDIRECT_URI,
    AuthMethod,
    client_metadata,
)
from tests.interop.install import Unavailable, python_with, run
from tests.interop.oidc_provider import Answered, Provider, running_provider
from tests.interop.process import ProviderFailed, started
from tests.interop.raw_client import (
    NONCE,
    STATE,
    authorization_url,
    fetched,
    header_and_claims,
    published_kids,
    redeem,
    token_answer,
)

A_PUBLIC_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "rp-1",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}


def registered(op: Provider, metadata: dict[str, object]) -> str:
    """Register the client and give its id."""
    op.register(metadata)
    return str(metadata["client_id"])


@pytest.mark.parametrize("algorithm", ID_TOKEN_ALGS)
def test_a_login_gives_an_id_token_of_the_registered_algorithm(
    op: Provider, browser: Browser, algorithm: str
) -> None:
    client_id = registered(op, client_metadata("client_secret_basic", algorithm))

    arrival = browser.authorize(authorization_url(op.issuer, client_id), login="bob")
    assert arrival.url.startswith(f"{REDIRECT_URI}?")
    assert arrival.parameters.keys() == {"code", "state", "iss"}
    assert arrival.parameters["state"] == STATE
    assert arrival.parameters["iss"] == op.issuer
    assert browser.pages == ["login", "consent"]

    tokens = redeem(op.issuer, client_id, arrival)
    header, claims = header_and_claims(tokens["id_token"])
    assert header["alg"] == algorithm
    assert header["kid"] in published_kids(op.issuer)
    assert (claims["iss"], claims["sub"], claims["aud"]) == (op.issuer, "bob", client_id)
    assert claims["nonce"] == NONCE


@pytest.mark.parametrize("auth_method", AUTH_METHODS)
@pytest.mark.parametrize("algorithm", ID_TOKEN_ALGS)
def test_the_provider_takes_every_client_of_the_matrix(
    op: Provider, auth_method: AuthMethod, algorithm: str
) -> None:
    jwks = {"keys": [A_PUBLIC_KEY]} if auth_method == "private_key_jwt" else None
    client_id = registered(op, client_metadata(auth_method, algorithm, jwks=jwks))
    url = authorization_url(op.issuer, client_id, prompt="none")
    assert Browser(op.issuer).authorize_silently(url).parameters["error"] == "login_required"


def test_a_client_that_the_provider_cannot_serve_is_refused_when_registered(op: Provider) -> None:
    with pytest.raises(ProviderFailed, match="id_token_signed_response_alg must be"):
        op.register(client_metadata("client_secret_basic", "none"))


@pytest.mark.parametrize("page", ["login", "consent"])
def test_cancel_denies_access(
    op: Provider, browser: Browser, page: Literal["login", "consent"]
) -> None:
    client_id = registered(op, client_metadata())
    arrival = browser.authorize(authorization_url(op.issuer, client_id), cancel_at=page)
    assert arrival.parameters["error"] == "access_denied"
    assert arrival.parameters["state"] == STATE


def test_form_post_comes_as_a_form(op: Provider, browser: Browser) -> None:
    client_id = registered(op, client_metadata())
    arrival = browser.authorize(authorization_url(op.issuer, client_id, response_mode="form_post"))
    assert arrival.url == REDIRECT_URI
    assert arrival.form is not None
    assert {name for name, _ in arrival.form} == {"code", "state", "iss"}
    assert redeem(op.issuer, client_id, arrival)["token_type"] == "Bearer"


def test_a_request_without_a_good_redirect_uri_strands_the_browser(
    op: Provider, browser: Browser
) -> None:
    client_id = registered(op, client_metadata())
    url = authorization_url(op.issuer, client_id, redirect_uri="http://127.0.0.1:9999/other")
    with pytest.raises(Stranded) as stranded:
        browser.authorize(url)
    assert stranded.value.status == 400


def test_prompt_none_needs_a_session_and_then_needs_no_page(op: Provider, browser: Browser) -> None:
    client_id = registered(op, client_metadata())
    silent = authorization_url(op.issuer, client_id, prompt="none")
    assert browser.authorize_silently(silent).parameters["error"] == "login_required"

    browser.authorize(authorization_url(op.issuer, client_id))
    assert "code" in browser.authorize_silently(silent).parameters
    assert browser.pages == ["login", "consent"]

    assert Browser(op.issuer).authorize_silently(silent).parameters["error"] == "login_required"


def test_keys_rotate_between_the_code_and_the_tokens(own_op: Provider) -> None:
    client_id = registered(own_op, client_metadata("client_secret_basic", "ES256"))
    browser = Browser(own_op.issuer)
    first = redeem(
        own_op.issuer, client_id, browser.authorize(authorization_url(own_op.issuer, client_id))
    )
    old_kid = header_and_claims(first["id_token"])[0]["kid"]
    old_kids = published_kids(own_op.issuer)
    assert old_kid in old_kids

    arrival = browser.authorize(authorization_url(own_op.issuer, client_id))
    assert browser.pages == ["login", "consent"]  # the session knew who it was
    new_kids = own_op.rotate_keys()
    assert old_kids.isdisjoint(published_kids(own_op.issuer))
    second = redeem(own_op.issuer, client_id, arrival)
    assert header_and_claims(second["id_token"])[0]["kid"] in new_kids

    third = token_answer(
        own_op.issuer,
        client_id,
        {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]},
    )
    assert header_and_claims(third["id_token"])[0]["kid"] in new_kids
    assert browser.authorize_silently(
        authorization_url(own_op.issuer, client_id, prompt="none")
    ).parameters["code"]


def test_rotated_keys_can_stay_published(own_op: Provider) -> None:
    old_kids = published_kids(own_op.issuer)
    new_kids = own_op.rotate_keys(keep_old=True)
    assert published_kids(own_op.issuer) >= old_kids | set(new_kids)
    client_id = registered(own_op, client_metadata())
    arrival = Browser(own_op.issuer).authorize(authorization_url(own_op.issuer, client_id))
    tokens = redeem(own_op.issuer, client_id, arrival)
    assert header_and_claims(tokens["id_token"])[0]["kid"] in new_kids


def test_requests_are_counted(own_op: Provider) -> None:
    fetched(f"{own_op.issuer}/jwks")
    fetched(f"{own_op.issuer}/.well-known/openid-configuration")
    assert own_op.requests() == (
        Answered("GET", "/jwks", 200),
        Answered("GET", "/.well-known/openid-configuration", 200),
    )


@pytest.mark.parametrize("rotates", [True, False])
def test_refresh_tokens_rotate_as_the_client_says(
    op: Provider, browser: Browser, *, rotates: bool
) -> None:
    client_id = registered(op, client_metadata(rotates_refresh_tokens=rotates))
    arrival = browser.authorize(authorization_url(op.issuer, client_id))
    old = redeem(op.issuer, client_id, arrival)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": old}
    new = token_answer(op.issuer, client_id, form)["refresh_token"]
    assert (new != old) is rotates


def test_offline_access_is_granted_when_consent_is_asked_for(
    op: Provider, browser: Browser
) -> None:
    client_id = registered(op, client_metadata())
    url = authorization_url(op.issuer, client_id, scope="openid offline_access", prompt="consent")
    tokens = redeem(op.issuer, client_id, browser.authorize(url))
    assert tokens["scope"] == "openid offline_access"
    assert tokens["refresh_token"]


def test_user_info_is_json_or_signed_as_registered(op: Provider, browser: Browser) -> None:
    plain = registered(op, client_metadata())
    tokens = redeem(op.issuer, plain, browser.authorize(authorization_url(op.issuer, plain)))
    answer = fetched(f"{op.issuer}/me", tokens["access_token"])
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"sub": "alice", "email": "alice@example.com", "email_verified": True}

    signed = registered(op, client_metadata(userinfo_signed_response_alg="PS256"))
    tokens = redeem(op.issuer, signed, browser.authorize(authorization_url(op.issuer, signed)))
    answer = fetched(f"{op.issuer}/me", tokens["access_token"])
    assert answer.headers["Content-Type"].startswith("application/jwt")
    header, claims = header_and_claims(answer.data.decode())
    assert header["alg"] == "PS256"
    assert (claims["iss"], claims["aud"], claims["sub"]) == (op.issuer, signed, "alice")


@pytest.mark.parametrize("confirm", [True, False])
def test_logout_ends_the_session_if_confirmed(
    op: Provider, browser: Browser, *, confirm: bool
) -> None:
    client_id = registered(op, client_metadata())
    tokens = redeem(
        op.issuer, client_id, browser.authorize(authorization_url(op.issuer, client_id))
    )
    parameters = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": POST_LOGOUT_REDIRECT_URI,
        "state": "bye",
    }
    url = f"{op.issuer}/session/end?{urlencode(parameters)}"
    arrival = browser.end_session(url, confirm=confirm)
    assert arrival.url == f"{POST_LOGOUT_REDIRECT_URI}?state=bye"
    assert browser.pages == ["login", "consent", "logout"]

    silent = authorization_url(op.issuer, client_id, prompt="none")
    error = "login_required" if confirm else "consent_required"
    assert browser.authorize_silently(silent).parameters["error"] == error


def test_two_logins_in_one_browser_keep_apart(op: Provider, browser: Browser) -> None:
    first, second = (
        registered(op, client_metadata(id_token_alg=alg)) for alg in ("RS256", "ES256")
    )
    for client_id in (first, second):
        arrival = browser.authorize(authorization_url(op.issuer, client_id))
        _, claims = header_and_claims(redeem(op.issuer, client_id, arrival)["id_token"])
        assert claims["aud"] == client_id
    assert browser.pages == ["login", "consent", "consent"]


def test_the_browser_goes_nowhere_but_to_its_provider(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="is not at"):
        browser.authorize("http://127.0.0.1:9/auth")
    with pytest.raises(AssertionError, match="is not on loopback"):
        Browser("http://example.com")


def test_a_provider_is_gone_when_its_block_ends() -> None:
    with running_provider([client_metadata()]) as provider:
        process = provider.process
        assert process.poll() is None
    assert process.poll() == 0


def test_a_failed_installation_names_its_reason_and_what_it_needs() -> None:
    with pytest.raises(Unavailable, match="no such package\n\nNeeded: a package index"):
        run((sys.executable, "-c", "raise SystemExit('no such package')"), needed="a package index")


def test_an_environment_that_cannot_be_filled_does_not_count_as_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_INTEROP_CACHE", str(tmp_path / "cache"))
    requirements = tmp_path / "impossible.txt"
    requirements.write_text("--no-index\nno-such-package\n")
    with pytest.raises(Unavailable, match="reachable Python package index"):
        python_with(requirements)
    assert list((tmp_path / "cache").glob("*/complete")) == []


def test_a_process_that_ends_at_once_is_a_failure() -> None:
    command = (sys.executable, "-c", "raise SystemExit('no keys')")
    with pytest.raises(ProviderFailed, match="did not get ready:\nno keys"), started(command):
        pass
