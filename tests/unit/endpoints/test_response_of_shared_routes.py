"""The rules of a response that tell providers apart: the redirect URI, its query, and ``iss``."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_core.endpoints.authorization import CodeResponse, check_authorization_response
from oidc_core.endpoints.authorization.response import check_own_query
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError, OidcError, ProviderError
from tests.parties import ISSUER, NOW, OTHER_ISSUER, came, refused, relying_party, started

BASE = "https://rp.example/callback"
IN_BOTH = pytest.mark.parametrize("mode", ["query", "form_post"])
ANNOUNCING = {"authorization_response_iss_parameter_supported": True}


def at(uri: str, **settings: Any) -> RelyingParty:
    client = {"redirect_uris": (uri,), **settings.pop("client", {})}
    return relying_party(client=client, **settings)


CODE = {"code": "code-1"}
CANCEL = {"error": "access_denied", "error_description": "no"}


def finished(
    rp: RelyingParty,
    answer: dict[str, str] = CODE,
    *,
    own: str = "",
    url: str | None = BASE,
    mode: str = "query",
    login: LoginStarted | None = None,
    with_rp: RelyingParty | None = None,
) -> CodeResponse:
    """Let a response come to a redirect URI whose query is then ``own``."""
    begun = login or started(rp, response_mode=mode)
    given = {"state": begun.pending.state, **answer}
    response = "&".join([f"{name}={value}" for name, value in given.items()])
    if mode == "form_post":
        callback = came(own, url=url, body=response.encode())
    else:
        callback = came(f"{own}&{response}" if own else response, url=url)
    return check_authorization_response(
        with_rp or rp,
        begun.pending,
        callback,
        binding=begun.binding,
        now=NOW,
        single_use="process",
    )


def refusal(code: str, rp: RelyingParty, answer: dict[str, str] = CODE, **how: Any) -> OidcError:
    return refused(CallbackError, code, lambda: finished(rp, answer, **how))


def cancelled(rp: RelyingParty, answer: dict[str, str], **how: Any) -> ProviderError:
    error = refused(ProviderError, "provider_error", lambda: finished(rp, answer, **how))
    assert isinstance(error, ProviderError)
    assert error.error == "access_denied"
    return error


def named(iss: str) -> dict[str, str]:
    return {**CODE, "iss": iss}


def mismatch(rp: RelyingParty, **how: Any) -> OidcError:
    return refusal("redirect_uri_mismatch", rp, **how)


# --- the query of a redirect URI -----------------------------------------------------------------


@IN_BOTH
@pytest.mark.parametrize(
    ("own", "back"),
    [
        ("op=a", "op=a"),
        ("op=a&t=1", "op=a&t=1"),
        ("op=a&op=b", "op=a&op=b"),
        ("op", "op="),
        ("op=a%20b", "op=a+b"),
        ("op=%61", "op=a"),
        ("op=%C3%A9", "op=%c3%a9"),
        ("", ""),
        ("op=a", "op=a&extra=1"),
        ("op=a", "extra=1&op=a&extra=2"),
        ("op=a&t=1", "op=a&extra=1&t=1"),
    ],
)
def test_a_query_of_its_own_comes_back_whatever_else_comes_along(
    mode: str, own: str, back: str
) -> None:
    assert finished(at(f"{BASE}?{own}"), own=back, mode=mode).code == "code-1"


@IN_BOTH
@pytest.mark.parametrize(
    ("back", "found"),
    [
        ("", ()),
        ("op=a", ("op",)),
        ("t=1", ("t",)),
        ("op=b&t=1", "another op"),
        ("op=A&t=1", "another op"),
        ("Op=a&t=1", ("t",)),
        ("op=&t=1", "another op"),
        ("op=a%20&t=1", "another op"),
        ("op=a&t=2", "another t"),
        ("op=a&op=a&t=1", ("op", "op", "t")),
        ("op=a&op=b&t=1", ("op", "op", "t")),
        ("op=b&op=a&t=1", ("op", "op", "t")),
        ("op=a&t=1&t=", ("op", "t", "t")),
        ("t=1&op=a", ("t", "op")),
        ("op=a;t=1", ("op",)),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_query_that_was_changed_is_refused(
    mode: str, back: str, told: bool, found: object
) -> None:
    """Redirect URIs that differ in it alone are told apart by nothing else."""
    rp = at(f"{BASE}?op=a&t=1", client={"response_iss": "required"})
    error = mismatch(rp, own=back, mode=mode, url=BASE if told else None)
    names = isinstance(found, tuple)
    expected = ("op", "t") if names else str(found).replace("another", "the configured")
    assert (error.found, error.expected, error.about) == (found, expected, "query")


@pytest.mark.parametrize("back", ["op=a", "op=a&t=1"])
def test_the_query_of_a_post_is_not_in_its_form(back: str) -> None:
    rp = at(f"{BASE}?op=a")
    login = started(rp, response_mode="form_post")
    body = f"{back}&code=x&state={login.pending.state}".encode()
    error = refused(
        CallbackError,
        "redirect_uri_mismatch",
        lambda: check_own_query("op=a", came("", body=body)),
    )
    assert error.about == "query"


def test_a_redirect_uri_without_a_query_asks_for_none() -> None:
    assert finished(at(BASE), own="op=a&op=b").code == "code-1"
    check_own_query("", came("op=a"))


@IN_BOTH
@pytest.mark.parametrize(
    "url", [f"{BASE}/", f"{BASE}/hostile", "https://RP.example/callback", "http://rp.example/callback"]
)  # fmt: skip
def test_a_response_at_another_url_is_refused_whatever_its_query(mode: str, url: str) -> None:
    error = mismatch(at(f"{BASE}?op=a"), own="op=a", mode=mode, url=url)
    assert (error.found, error.expected) == (url, BASE)
    assert finished(at(f"{BASE}?op=a"), own="op=a", mode=mode, url=f"{BASE}?x=y").code == "code-1"


@IN_BOTH
def test_a_url_that_was_not_told_is_in_the_evidence(mode: str) -> None:
    rp = at(f"{BASE}?op=a")
    told = finished(rp, own="op=a", mode=mode).evidence
    untold = finished(rp, own="op=a", mode=mode, url=None).evidence
    reasons = [
        {check.name: check.reason for check in evidence.checks}["redirect_uri"]
        for evidence in (told, untold)
    ]
    assert reasons == ["", "the URL was not told"]


# --- iss -----------------------------------------------------------------------------------------


def declared(*, announced: bool = False) -> RelyingParty:
    provider = ANNOUNCING if announced else {}
    return at(BASE, provider=provider, client={"response_iss": "required"})


@IN_BOTH
@pytest.mark.parametrize("announced", [True, False])
def test_a_declared_provider_names_itself_whatever_its_metadata_says(
    mode: str, announced: bool
) -> None:
    rp = declared(announced=announced)
    refusal("response_iss_missing", rp, mode=mode)
    refusal("response_iss_missing", rp, named(""), mode=mode)
    response = finished(rp, named(ISSUER), mode=mode)
    assert response.iss == ISSUER
    remark = "the metadata does not announce iss"
    assert (remark in response.evidence.remarks) is not announced
    for iss in (OTHER_ISSUER, f"{ISSUER}/", ISSUER.upper(), "https://OP.example"):
        error = refusal("response_iss_mismatch", rp, named(iss), mode=mode)
        assert (error.found, error.expected, error.about) == (iss, ISSUER, "iss")


def test_what_is_expected_at_the_start_or_at_the_end_is_expected() -> None:
    """Metadata may be read again while a login is in flight, and the setting may change."""
    for begins, ends in ((declared(), at(BASE)), (at(BASE), declared())):
        login = started(begins)
        refusal("response_iss_missing", begins, login=login, with_rp=ends)
        assert finished(begins, named(ISSUER), login=login, with_rp=ends).iss == ISSUER
        assert cancelled(begins, CANCEL, login=login, with_rp=ends).error_description is None


def test_iss_that_is_not_expected_still_has_to_be_right() -> None:
    assert finished(at(BASE), named(ISSUER)).iss == ISSUER
    assert finished(at(BASE)).iss is None
    refusal("response_iss_mismatch", at(BASE), named(OTHER_ISSUER))


def test_a_declared_provider_of_many_tenants_names_one_of_them() -> None:
    pattern = "https://login.example/{t}/v2"
    rp = at(
        BASE,
        provider={"issuer": pattern},
        rule=IssuerRule.template(pattern, tenants=frozenset({"one"})),
        client={"response_iss": "required"},
    )
    one = "https://login.example/one/v2"
    assert finished(rp, named(one)).iss == one
    for iss in ("https://login.example/two/v2", pattern):
        refusal("response_iss_mismatch", rp, named(iss))


@IN_BOTH
@pytest.mark.parametrize(
    "rp",
    [at(BASE), at(BASE, provider=ANNOUNCING), declared(), declared(announced=True)],
    ids=["nothing", "announced", "declared", "both"],
)
def test_a_cancel_is_the_users_where_iss_is_omitted_from_it(rp: RelyingParty, mode: str) -> None:
    """An error carries nothing that could be stolen; its text is withheld while in doubt."""
    omitted = cancelled(rp, CANCEL, mode=mode)
    assert not omitted.issuer_verified
    assert omitted.error_description == (None if rp.expects_iss else "no")
    certain = cancelled(rp, {**CANCEL, "iss": ISSUER}, mode=mode)
    assert (certain.issuer_verified, certain.error_description) == (True, "no")
    refusal("response_iss_mismatch", rp, {**CANCEL, "iss": OTHER_ISSUER}, mode=mode)


def test_an_error_that_brings_a_code_is_no_cancel() -> None:
    refusal("response_ambiguous", declared(), {**CANCEL, **CODE})
