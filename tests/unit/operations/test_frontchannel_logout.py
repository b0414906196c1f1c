"""A logout that the provider tells by a frame: found by issuer and session, never by a cookie."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any, Final

import pytest

from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.frontchannel_logout import (
    FrontchannelNotice,
    addressees,
    receive,
    reply,
)
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.urls import encode_form
from tests.parties import ISSUER, OTHER_ISSUER, RP, refused, relying_party

URI: Final = "https://rp.example/frame"
SID: Final = "session-1"
FRAMED: Final = relying_party(client={"frontchannel_logout_uri": f"{URI}?a=b"})
STRICT: Final = relying_party(
    client={"frontchannel_logout_uri": URI, "frontchannel_logout_session_required": True}
)


def framed(query: str | None = None, **changed: Any) -> Incoming:
    told = encode_form((("iss", ISSUER), ("sid", SID))) if query is None else query
    members: dict[str, Any] = {"method": "GET", "url": URI, "query": told, **changed}
    return Incoming(**members)


@pytest.mark.req("OIDCFCL-2-02", "OIDCFCL-2-03")
@pytest.mark.parametrize("rp", [FRAMED, STRICT])
def test_the_session_is_the_one_that_the_request_names(rp: RelyingParty) -> None:
    for own in ("", "a=b&"):
        notice = receive(rp, framed(f"{own}{encode_form((('sid', SID), ('iss', ISSUER)))}&c=d"))
        assert notice == FrontchannelNotice(connection=rp.connection, issuer=ISSUER, sid=SID)
        assert SID not in repr(notice)
        assert pickle.loads(pickle.dumps(notice)) == notice


@pytest.mark.req("OIDCFCL-2-03", "OIDCFCL-2-06")
@pytest.mark.parametrize("query", ["", "a=b", "iss=&sid=", "iss&sid=%20"])
def test_a_request_may_name_none_unless_the_client_needs_it(query: str) -> None:
    notice = receive(FRAMED, framed(query))
    assert (notice.issuer, notice.sid) == (ISSUER, None)
    refused(CallbackError, "logout_session_missing", lambda: receive(STRICT, framed(query)))


@pytest.mark.req("OIDCFCL-2-03")
@pytest.mark.parametrize(
    ("query", "about"),
    [
        (encode_form((("iss", ISSUER),)), "sid"),
        (encode_form((("iss", ISSUER), ("sid", ""))), "sid"),
        ("sid=s", "iss"),
        ("sid=s&iss=", "iss"),
    ],
)
def test_issuer_and_session_come_together(query: str, about: str) -> None:
    for rp in (FRAMED, STRICT):
        error = refused(
            CallbackError, "logout_session_missing", partial(receive, rp, framed(query))
        )
        assert (error.about, error.expected) == (about, ("iss", "sid"))


@pytest.mark.req("OIDCFCL-2-04")
@pytest.mark.parametrize("iss", [OTHER_ISSUER, f"{ISSUER}/", "x"])
def test_another_provider_ends_no_session(iss: str) -> None:
    """K10, K16."""
    incoming = framed(encode_form((("iss", iss), ("sid", SID))))
    error = refused(CallbackError, "logout_iss_mismatch", lambda: receive(FRAMED, incoming))
    assert (error.found, error.expected) == (iss, ISSUER)


@pytest.mark.parametrize(
    ("incoming", "code"),
    [
        (framed(method="POST"), "method_unexpected"),
        (framed("iss=a&iss=a&sid=s"), "parameter_duplicated"),
        (framed("iss=a&sid=s&s%69d=t"), "parameter_duplicated"),
    ],
)
def test_another_form_is_refused(incoming: Incoming, code: str) -> None:
    refused(CallbackError, code, lambda: receive(FRAMED, incoming))


def test_arguments_of_another_type_are_the_callers_fault() -> None:
    nothing: Any = None
    refused(UsageError, "parameter_invalid", lambda: receive(nothing, framed()))
    refused(UsageError, "parameter_invalid", lambda: receive(FRAMED, nothing))
    refused(UsageError, "parameter_invalid", lambda: addressees((FRAMED,), nothing))
    odd: Any = "x"
    refused(UsageError, "parameter_invalid", lambda: reply((FRAMED,), odd))


def test_each_tenant_is_an_issuer_of_its_own() -> None:
    pattern = "https://login.example/{tenant}/v2.0"
    rule = IssuerRule.template(pattern, tenants=ANY_TENANT)
    rp = relying_party(provider={"issuer": pattern}, rule=rule)
    iss = "https://login.example/t1/v2.0"
    assert receive(rp, framed(encode_form((("iss", iss), ("sid", SID))))).issuer == iss
    policy = reply((rp,)).header("content-security-policy") or ""
    assert policy.endswith("frame-ancestors https://op.example:443")


def test_the_clients_of_the_issuer_look_for_the_session() -> None:
    second = relying_party(client={"client_id": "client-2"})
    elsewhere = relying_party(
        provider={"issuer": OTHER_ISSUER}, client={"frontchannel_logout_uri": f"{URI}/other"}
    )
    rps = (elsewhere, FRAMED, second)
    assert addressees(rps, framed()) == (1, 2)
    assert addressees(rps, framed(encode_form((("iss", OTHER_ISSUER), ("sid", SID))))) == (0,)
    assert addressees(rps, framed("")) == (1,)
    assert addressees(rps, framed("", url=f"{URI}/other")) == (0,)
    for incoming in (framed("", url="https://rp.example/"), framed("iss=x&sid=s")):
        refused(CallbackError, "logout_iss_mismatch", partial(addressees, rps, incoming))
    refused(CallbackError, "logout_session_missing", lambda: addressees(rps, framed("sid=s")))


@pytest.mark.req("OIDCFCL-2-05")
@pytest.mark.parametrize(
    ("refusal", "status"), [(None, 200), (CallbackError("logout_session_missing"), 400)]
)
def test_the_answer_works_in_a_frame_of_the_providers(
    refusal: CallbackError | None, status: int
) -> None:
    answered = reply((FRAMED,), refusal)
    assert answered.status == status
    assert answered.header("cache-control") == "no-store"
    assert answered.header("x-frame-options") is None
    policy = f"default-src 'none'; frame-ancestors {ISSUER}:443"
    assert answered.header("content-security-policy") == policy
    assert answered.header("content-type") == "text/html; charset=utf-8"


def test_the_page_of_the_provider_may_be_at_another_origin() -> None:
    split = relying_party(provider={"end_session_endpoint": "https://login.op.example/out"})
    none = relying_party(provider={"end_session_endpoint": None, "issuer": OTHER_ISSUER})
    policy = reply((split, none, RP)).header("content-security-policy") or ""
    assert policy.split()[3:] == [
        "https://evil.example:443", "https://login.op.example:443", "https://op.example:443",
    ]  # fmt: skip
    assert (reply(()).header("content-security-policy") or "").endswith("frame-ancestors 'none'")
