"""The end-session endpoint: the URL of a logout, and the return from it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from attrs import evolve

from oidc_core.endpoints.end_session import (
    RESERVED,
    LogoutRequest,
    check_return,
    end_session_url,
    pending_logout,
    returned_state,
)
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, ProtocolViolation, UsageError
from oidc_core.wire.incoming import Incoming
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    claims_for,
    query_of,
    refused,
    relying_party,
)
from tests.signing import signed

STATE = "state-of-the-logout"
HINT = signed(claims_for("n", exp=NOW - 9999))


def pending(rp: RelyingParty = RP, **request: Any) -> PendingLogout:
    return pending_logout(rp, LogoutRequest(**request), state=STATE, now=NOW)


def url(rp: RelyingParty = RP, **request: Any) -> str:
    return end_session_url(rp, LogoutRequest(**request), pending(rp, **request))


def sent(rp: RelyingParty = RP, **request: Any) -> dict[str, str]:
    pairs = query_of(url(rp, **request))
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.req(
    "OIDCRIL-2-01",
    "OIDCRIL-2-02",
    "OIDCRIL-2-03",
    "OIDCRIL-2-05",
    "OIDCRIL-2-08",
    "OIDCRIL-2-09",
)
def test_a_logout_says_whose_session_ends_and_where_to_come_back() -> None:
    assert sent(
        id_token_hint=HINT, logout_hint="al ice", ui_locales="de en", extra=(("x", "1"),)
    ) == {
        "id_token_hint": HINT,
        "logout_hint": "al ice",
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": "https://rp.example/bye",
        "state": STATE,
        "ui_locales": "de en",
        "x": "1",
    }


@pytest.mark.req("OIDCRIL-2-05", "OIDCRIL-2-08")
def test_without_a_registered_return_the_browser_does_not_come_back() -> None:
    rp = relying_party(client={"post_logout_redirect_uris": ()})
    assert sent(rp) == {"client_id": CLIENT_ID}
    assert pending(rp).post_logout_redirect_uri == ""


@pytest.mark.req("OIDCRIL-2-05")
@pytest.mark.parametrize(
    "uri", ["https://evil.example/", "https://rp.example/bye/", "https://RP.example/bye", "/bye"]
)
def test_a_return_that_is_not_registered_is_refused(uri: str) -> None:
    """K17."""
    refused(UsageError, "parameter_invalid", lambda: pending(post_logout_redirect_uri=uri))
    second = "https://rp.example/ciao"
    assert pending(post_logout_redirect_uri=second).post_logout_redirect_uri == second


@pytest.mark.req("OIDCRIL-2-06")
@pytest.mark.parametrize("uri", ["http://rp.example/bye", "https://rp.example/#bye"])
def test_a_return_is_https(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        relying_party(client={"post_logout_redirect_uris": (uri,)})
    assert caught.value.code in {"url_scheme_not_allowed", "url_invalid"}


@pytest.mark.req("OIDCRIL-2-04", "OIDCRIL-2-02")
@pytest.mark.parametrize(
    "hint",
    [
        signed(claims_for("n", aud="other")),
        signed(claims_for("n", aud=None)),
        signed(claims_for("n", aud=[CLIENT_ID, 1])),
        signed(claims_for("n", iss=OTHER_ISSUER)),
        signed(claims_for("n", iss=None)),
        "hint",
        "e30.e30.e30",
        "e30.e30.e30.e30.e30",
    ],
)
def test_a_hint_that_is_no_id_token_for_this_client_by_this_provider_is_refused(hint: str) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: pending(id_token_hint=hint))
    assert error.about == "id_token_hint"


@pytest.mark.req("OIDCRIL-2-01")
def test_the_endpoint_is_https_and_keeps_its_query() -> None:
    rp = relying_party(provider={"end_session_endpoint": f"{ISSUER}/logout?a=b"})
    assert url(rp).startswith(f"{ISSUER}/logout?a=b&client_id=")
    refused(
        UsageError,
        "url_scheme_not_allowed",
        lambda: relying_party(provider={"end_session_endpoint": "http://op.example/logout"}),
    )
    none = relying_party(provider={"end_session_endpoint": None})
    refused(UsageError, "unsupported_by_provider", lambda: url(none))


@pytest.mark.parametrize("query", ["state=x", "a&st%61te", "post_logout_redirect_uri=https://e"])
def test_an_endpoint_that_sets_a_parameter_itself_is_refused(query: str) -> None:
    """K17."""
    rp = relying_party(provider={"end_session_endpoint": f"{ISSUER}/logout?{query}"})
    refused(ProtocolViolation, "metadata_endpoint_invalid", lambda: url(rp))


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_further_parameters_do_not_replace_those_of_the_protocol(name: str) -> None:
    refused(UsageError, "parameter_reserved", lambda: LogoutRequest(extra=((name, "x"),)))


def state_in(query: str) -> str:
    return returned_state(Incoming(method="GET", url="https://rp.example/bye", query=query))


def returned(query: str) -> None:
    check_return(pending(), state_in(query), NOW)


def test_a_provider_may_call_the_return_logout_uri() -> None:
    uri = RP.client.post_logout_redirect_uris[0]
    odd = evolve(RP, policy=evolve(RP.policy, quirks={"logout_uri"}))

    assert sent(odd) == {"client_id": CLIENT_ID, "logout_uri": uri, "state": STATE}
    assert sent(RP) == {"client_id": CLIENT_ID, "post_logout_redirect_uri": uri, "state": STATE}


def test_an_empty_state_is_never_the_one_that_was_sent() -> None:
    empty = evolve(pending(), state="")
    refused(CallbackError, "logout_state_mismatch", lambda: check_return(empty, "", NOW))


@pytest.mark.req("OIDCRIL-2-08")
def test_a_return_with_the_state_that_was_sent_is_taken() -> None:
    for query in (f"state={STATE}", f"a=1&state={STATE}&b", f"st%61te={STATE}"):
        check_return(pending(), state_in(query), NOW)
    for query in ("", "state=", "state", "state=other", f"state={STATE}x", f"State={STATE}", "a=1"):
        refused(CallbackError, "logout_state_mismatch", partial(returned, query))


@pytest.mark.req("OIDCRIL-2-08")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "logout_state_mismatch"),
        (f"state={STATE.upper()}", "logout_state_mismatch"),
        ("state=other", "logout_state_mismatch"),
        (f"state={STATE}&state={STATE}", "parameter_duplicated"),
        ("state=%FF", "logout_state_mismatch"),
    ],
)
def test_any_other_return_was_not_asked_for_here(query: str, code: str) -> None:
    """K17."""
    refused(CallbackError, code, partial(returned, query))


def test_neither_hint_nor_state_is_shown() -> None:
    """K18."""
    request = LogoutRequest(id_token_hint=HINT)
    assert HINT not in repr(request)
    assert STATE not in repr(pending())
