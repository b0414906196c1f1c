"""The callback: the client believes it only if it answers exactly the login that waits for it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_core.endpoints.authorization import (
    BELONGING_RULES,
    CALLBACK_RULES,
    LOOPBACK_LISTENER,
    Callback,
    CodeResponse,
    ExaminedCallback,
    Unbound,
    brings,
    check_authorization_response,
    pending_id,
)
from oidc_core.endpoints.authorization.callback import MAX_STATE
from oidc_core.model.evidence import RuleTable
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.errors import CallbackError, OidcError, ProtocolViolation, ProviderError
from oidc_core.wire.limits import LIMITS, UPPER_BOUNDS, Limits
from tests.parties import (
    ISSUER,
    NOW,
    OTHER_ISSUER,
    REDIRECT_URI,
    RP,
    callback,
    came,
    refused,
    relying_party,
    started,
)

LOGIN = started()
PROMISING = relying_party(provider={"authorization_response_iss_parameter_supported": True})


def accepted(
    arrival: Callback,
    *,
    rp: RelyingParty = RP,
    login: LoginStarted = LOGIN,
    binding: Any = None,
    now: int = NOW + 10,
) -> CodeResponse:
    proof = login.binding if binding is None else binding
    return check_authorization_response(
        rp, login.pending, arrival, binding=proof, now=now, single_use="process"
    )


def refusal(code: str, arrival: Callback, **how: Any) -> CallbackError:
    error = refused(CallbackError, code, lambda: accepted(arrival, **how))
    assert isinstance(error, CallbackError)
    return error


def op_error(arrival: Callback, **how: Any) -> ProviderError:
    error = refused(ProviderError, "provider_error", lambda: accepted(arrival, **how))
    assert isinstance(error, ProviderError)
    return error


def answer(text: str) -> Callback:
    return came(text.format(state=LOGIN.pending.state))


@pytest.mark.req("OIDCC-3.1.2.5-01", "OIDCC-3.1.2.7-01", "RFC6749-4.1.2-02")
def test_a_good_callback_gives_its_code_and_evidence() -> None:
    code, evidence, _, session_state = accepted(callback(LOGIN, session_state="s.1", vendor="x"))

    assert (code, session_state) == ("code-1", "s.1")
    assert (evidence.of, evidence.checked_at) == ("authorization_response", NOW + 10)
    assert evidence.notes == ("single_use: process",)
    assert dict(evidence.skipped) == {
        "account": "not a link",
        "redirect_uri": "the URL was not told",
        "iss": "the provider does not announce iss",
    }


# --- state ---------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.2.6-02", "RFC6749-10.12-01")
@pytest.mark.parametrize("parameters", [{}, {"error": "access_denied", "code": None}])
def test_a_callback_without_a_state_is_refused(parameters: dict[str, Any]) -> None:
    """A01."""
    refusal("state_missing", callback(LOGIN, state=None, **parameters))
    empty = callback(LOGIN, state="", **parameters)
    refusal("state_missing", empty)
    refused(CallbackError, "state_missing", lambda: pending_id(empty))


@pytest.mark.parametrize(
    ("error", "found"),
    [("access_denied", "access_denied"), ("x" * 500, "x" * 126 + "..." + "x" * 127), (None, None)],
)
def test_an_error_without_a_state_tells_the_operator_its_code(
    error: str | None, found: str | None
) -> None:
    stray = callback(LOGIN, state=None, code=None, error=error, error_description="of a stranger")
    for told in (refusal("state_missing", stray), _of_pending_id(stray)):
        assert (told.found, told.about) == (found, "state")
        assert "stranger" not in str(told)


def _of_pending_id(stray: Callback) -> OidcError:
    return refused(CallbackError, "state_missing", lambda: pending_id(stray))


@pytest.mark.req("OIDCC-3.1.2.7-01", "OIDCC-3.1.2.6-02")
@pytest.mark.parametrize("parameters", [{}, {"error": "access_denied", "code": None}])
def test_a_callback_with_another_state_is_refused_whatever_it_says(
    parameters: dict[str, Any],
) -> None:
    """A02, A08, A09."""
    state = LOGIN.pending.state
    for other in (started(seed=2).pending.state, state[:-1], f"{state}x", state.swapcase(), "x"):
        error = refusal("state_mismatch", callback(LOGIN, state=other, **parameters))
        assert state not in str(error)


# --- browser -------------------------------------------------------------------------------------


@pytest.mark.req("RFC6749-10.12-01", "OIDCC-3.1.2.1-07")
def test_another_browser_is_refused() -> None:
    """A03, A11."""
    binding = LOGIN.binding
    for other in (started(seed=2).binding, binding[:-1], f"{binding} ", binding.swapcase()):
        refusal("binding_mismatch", callback(LOGIN), binding=other)


def test_the_stored_digest_is_no_binding() -> None:
    """A03."""
    refusal("binding_mismatch", callback(LOGIN), binding=LOGIN.pending.binding_digest)


@pytest.mark.req("RFC6749-10.12-01")
def test_a_browser_without_the_cookie_is_refused() -> None:
    """A20."""
    refusal("binding_missing", callback(LOGIN), binding="")


def test_only_a_listener_stands_in_for_the_browser_and_the_evidence_says_so() -> None:
    _, evidence, *_ = accepted(callback(LOGIN), binding=LOOPBACK_LISTENER)
    assert dict(evidence.skipped)["binding"] == LOOPBACK_LISTENER.value


def test_that_no_browser_is_bound_takes_a_quirk_to_say() -> None:
    """A20: what is relaxed is named in the policy, and so in the evidence."""
    refusal("binding_missing", callback(LOGIN), binding=Unbound.NOT_BOUND)
    rp = relying_party(policy=Policy(quirks=frozenset({"unbound_browser"})))
    login = started(rp)
    _, evidence, *_ = accepted(callback(login), rp=rp, login=login, binding=Unbound.NOT_BOUND)
    assert dict(evidence.skipped)["binding"] == Unbound.NOT_BOUND.value
    assert evidence.relaxations == ("unbound_browser",)


# --- time ----------------------------------------------------------------------------------------


def test_a_login_expires_to_the_second() -> None:
    """A06."""
    rp = relying_party(policy=Policy(login_lifetime=100, leeway=5))
    login = started(rp)

    refusal("state_expired", callback(login), rp=rp, login=login, now=NOW + 101)
    refusal("state_expired", callback(login), rp=rp, login=login, now=NOW - 6)
    for now in (NOW + 100, NOW - 5):
        assert accepted(callback(login), rp=rp, login=login, now=now).code == "code-1"


# --- connection ----------------------------------------------------------------------------------


def test_a_login_at_one_provider_is_not_finished_at_another() -> None:
    """A07, A08, B01."""
    other = relying_party(provider={"issuer": OTHER_ISSUER})
    error = refusal("connection_mismatch", callback(LOGIN), rp=other)
    assert (error.about, error.found, error.expected) == ("issuer", OTHER_ISSUER, ISSUER)


@pytest.mark.parametrize("change", [{"client_id": "client-2"}, {"connection_id": "tenant-2"}])
def test_a_login_of_one_connection_is_not_finished_at_another(change: dict[str, Any]) -> None:
    """B28."""
    error = refusal("connection_mismatch", callback(LOGIN), rp=relying_party(client=change))
    ((about, found),) = change.items()
    expected = getattr(LOGIN.pending.connection, about)
    assert (error.about, error.found, error.expected) == (about, found, expected)


@pytest.mark.parametrize("member", ["token_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize("url", [f"{OTHER_ISSUER}/x", None])
def test_a_login_whose_endpoint_moved_ends(member: str, url: str | None) -> None:
    """B11, B15, H14: the code is not sent to an endpoint that appeared in the meantime."""
    moved = relying_party(provider={member: url})
    error = refused(
        ProtocolViolation, "metadata_changed", lambda: accepted(callback(LOGIN), rp=moved)
    )
    assert error.retryable == "restart"


@pytest.mark.parametrize("member", ["authorization_endpoint", "jwks_uri", "end_session_endpoint"])
def test_a_login_goes_on_where_an_endpoint_moved_that_no_secret_goes_to(member: str) -> None:
    moved = relying_party(provider={member: f"{ISSUER}/x"})
    assert accepted(callback(LOGIN), rp=moved).code == "code-1"


@pytest.mark.parametrize("parameters", [{}, {"error": "access_denied", "code": None}])
@pytest.mark.parametrize("account", ["", "user-2", "user-1 ", "USER-1"])
def test_an_identity_is_linked_by_the_user_who_began_it_only(
    account: str, parameters: dict[str, Any]
) -> None:
    """A11, A12."""
    login = started(account="user-1")

    def linked(who: str) -> CodeResponse:
        arrival = callback(login, **parameters)
        proof: dict[str, Any] = {"binding": login.binding, "now": NOW, "single_use": "shared"}
        return check_authorization_response(RP, login.pending, arrival, account=who, **proof)

    refused(CallbackError, "account_mismatch", lambda: linked(account))
    if parameters:
        refused(ProviderError, "provider_error", lambda: linked("user-1"))
    else:
        assert "account" not in dict(linked("user-1").evidence.skipped)


# --- where and how it arrived --------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.5-01", "FORMPOST-2-01", "FORMPOST-2-03")
@pytest.mark.parametrize("parameters", [{}, {"error": "access_denied", "code": None}])
def test_a_callback_comes_in_the_mode_that_was_asked_for(parameters: dict[str, Any]) -> None:
    """A24."""
    posted = started(response_mode="form_post")
    arrival = callback(posted, **parameters)

    refusal("response_mode_mismatch", arrival, login=posted)
    refusal("response_mode_mismatch", evolve(callback(LOGIN, **parameters), mode="form_post"))


@pytest.mark.req("FORMPOST-2-01", "FORMPOST-2-02")
def test_a_form_is_read_from_the_body() -> None:
    posted = started(response_mode="form_post")
    body = f"code=a%2Bb+c&state={posted.pending.state}&submit=Go&submit=Go"
    arrival = came("", body=body.encode())
    assert accepted(arrival, login=posted).code == "a+b c"


@pytest.mark.req("FORMPOST-2-03")
def test_errors_arrive_by_the_form_too() -> None:
    posted = started(response_mode="form_post")
    body = f"error=access_denied&state={posted.pending.state}"
    assert op_error(came("", body=body.encode()), login=posted).error == "access_denied"


def test_a_callback_on_the_url_of_another_issuer_is_refused() -> None:
    """B04."""
    for url in (
        "https://rp.example/callback/",
        "https://rp.example/b",
        "http://rp.example/callback",
    ):
        refusal("redirect_uri_mismatch", evolve(callback(LOGIN), url=url))
    whole = evolve(callback(LOGIN), url=f"{REDIRECT_URI}?code=code-1")
    assert "code-1" not in str(refusal("redirect_uri_mismatch", whole))
    _, evidence, *_ = accepted(evolve(callback(LOGIN), url=REDIRECT_URI))
    assert "redirect_uri" not in dict(evidence.skipped)


def test_of_a_redirect_uri_with_a_query_the_path_is_compared() -> None:
    login = started(redirect_uri="https://rp.example/other?x=1")
    query = f"x=1&code=c&state={login.pending.state}"
    arrival = came(query, url="https://rp.example/other")
    assert accepted(arrival, login=login).code == "c"


# --- issuer --------------------------------------------------------------------------------------


@pytest.mark.req("RFC9207-2.4-01", "RFC9207-2.4-03", "OAUTH21-4.1.2-01")
@pytest.mark.parametrize("rp", [RP, PROMISING])
@pytest.mark.parametrize(
    "iss",
    [OTHER_ISSUER, f"{ISSUER}/", ISSUER.upper(), f"{ISSUER}:443", "https://op.exampl%65", "x"],
)
def test_a_response_from_another_issuer_is_refused(rp: RelyingParty, iss: str) -> None:
    """B01."""
    login = started(rp)
    refusal("response_iss_mismatch", callback(login, iss=iss), rp=rp, login=login)


@pytest.mark.req("RFC9207-2.4-01", "RFC9207-2.4-03")
@pytest.mark.parametrize("rp", [RP, PROMISING])
def test_a_response_that_names_the_issuer_passes(rp: RelyingParty) -> None:
    login = started(rp)
    _, evidence, *_ = accepted(callback(login, iss=ISSUER), rp=rp, login=login)
    assert "iss" not in dict(evidence.skipped)


@pytest.mark.req("RFC9207-2.4-02", "RFC9207-2.4-05")
@pytest.mark.parametrize("iss", [None, ""])
def test_a_promised_issuer_that_is_missing_is_refused(iss: str | None) -> None:
    """B02: what counts is the promise when the login began."""
    login = started(PROMISING)
    refusal("response_iss_missing", callback(login, iss=iss), rp=PROMISING, login=login)


@pytest.mark.req("RFC9207-2.4-01", "RFC9207-2.4-04")
def test_an_error_from_another_issuer_is_refused_and_its_text_not_shown() -> None:
    """B03."""
    arrival = callback(
        LOGIN, code=None, iss=OTHER_ISSUER, error="evil_error", error_description="EVIL TEXT"
    )
    error = refusal("response_iss_mismatch", arrival)
    assert (error.found, error.expected) == (OTHER_ISSUER, ISSUER)
    assert "evil_error" not in str(error)
    assert "EVIL" not in repr(error.__dict__)
    assert error.__cause__ is None


@pytest.mark.req("OIDCC-3.1.2.6-01", "RFC9207-2.4-04")
def test_an_error_without_the_promised_issuer_is_the_provider_s_with_its_text_withheld() -> None:
    """B02, B03."""
    login = started(PROMISING)
    arrival = callback(
        login, code=None, error="access_denied", error_description="text", error_uri="https://x"
    )

    error = op_error(arrival, rp=PROMISING, login=login)

    assert (error.error, error.issuer_verified) == ("access_denied", False)
    assert (error.error_description, error.error_uri) == (None, None)


def test_of_many_tenants_a_response_names_one_that_is_let_in() -> None:
    """B10."""
    pattern = "https://login.example/{tenantid}/v2.0"
    rule = IssuerRule.template(pattern, tenants=frozenset({"t1"}))
    rp = relying_party(provider={"issuer": pattern}, rule=rule)
    login = started(rp)

    good = callback(login, iss="https://login.example/t1/v2.0")
    assert accepted(good, rp=rp, login=login).code == "code-1"
    for iss in ("https://login.example/t2/v2.0", pattern, "https://login.example//v2.0"):
        refusal("response_iss_mismatch", callback(login, iss=iss), rp=rp, login=login)


# --- code or error -------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.2.6-01", "UNMETAUTH-1-01", "RFC8707-2.1-01", "RFC6749-4.1.2.1-01")
@pytest.mark.parametrize(
    "code",
    [
        "login_required",
        "interaction_required",
        "account_selection_required",
        "consent_required",
        "invalid_request_uri",
        "invalid_request_object",
        "request_not_supported",
        "request_uri_not_supported",
        "registration_not_supported",
        "unmet_authentication_requirements",
        "invalid_target",
        "access_denied",
        "x-vendor error!",
    ],
)
def test_the_provider_s_error_keeps_its_words(code: str) -> None:
    arrival = callback(
        LOGIN, code=None, iss=ISSUER, error=code, error_description="why", error_uri="https://op/e"
    )
    error = op_error(arrival)
    assert (error.error, error.error_description, error.error_uri) == (code, "why", "https://op/e")
    assert (error.status, error.issuer_verified) == (None, True)


@pytest.mark.req("RFC6749-4.1.2.1-02")
def test_the_provider_s_text_is_bounded_and_no_reason_to_refuse() -> None:
    """B03: text is data; the message has it bounded, quoted and in printable ASCII."""
    text = "<script>\0\r\n\u202e" + "x" * 5000
    arrival = callback(LOGIN, code=None, error="e", error_description=text, error_uri=text)

    error = op_error(arrival)

    assert error.error_description == text[:510] + "..." + "x" * 511
    assert error.error_uri == error.error_description
    assert len(str(error)) < 1_200
    assert str(error).replace("§", "S").isascii()
    assert str(error).isprintable()
    assert error.issuer_verified is False
    bare = op_error(callback(LOGIN, code=None, error="e"))
    assert (bare.error_description, bare.error_uri) == (None, None)


@pytest.mark.parametrize(
    ("error", "request_", "named"),
    [
        ("invalid_request", {"prompt": "login"}, True),
        ("login_required", {"prompt": "login"}, True),
        ("access_denied", {"prompt": "login"}, False),
        ("server_error", {"prompt": "login"}, False),
        ("invalid_request", {"prompt": "login", "max_age": 0}, False),
        ("invalid_request", {"prompt": "login", "reauthentication": "unproven"}, False),
        ("invalid_request", {}, False),
    ],
)
def test_an_error_after_an_added_max_age_says_who_added_it(
    error: str, request_: dict[str, Any], named: bool
) -> None:
    login = started(**request_)
    told = str(op_error(callback(login, code=None, error=error), login=login))
    assert ("the library added max_age=0" in told) is named
    assert ('reauthentication="unproven"' in told) is named


@pytest.mark.req("RFC6749-4.1.2.1-02")
@pytest.mark.parametrize("odd", ["error_description=nein%FF", "error_uri=%C3", "x=%FF", "%FF=x"])
def test_octets_that_are_not_utf_8_do_not_hide_the_provider_s_error(odd: str) -> None:
    error = op_error(answer(f"{odd}&error=access_denied&state={LOGIN.pending.state}"))
    assert (error.error, error.kind) == ("access_denied", "user")
    if odd.startswith("error_description"):
        assert error.error_description == "nein\ufffd"


@pytest.mark.req("MRT-3-01")
@pytest.mark.parametrize("name", ["access_token", "id_token", "response"])
def test_tokens_are_not_taken_from_a_callback(name: str) -> None:
    """A25, D31."""
    error = refusal("parameter_unexpected", callback(LOGIN, **{name: "x"}))
    assert error.about == name


@pytest.mark.req("RFC6749-4.1.2.1-01")
def test_a_code_beside_an_error_is_refused() -> None:
    """A27."""
    refusal("response_ambiguous", callback(LOGIN, error="access_denied"))


@pytest.mark.req("RFC6749-4.1.2.1-01", "RFC6749-3.1-04")
@pytest.mark.parametrize(
    "query",
    ["state={state}", "state={state}&code=", "state={state}&error=", "state={state}&Code=c"],
)
def test_a_callback_with_neither_code_nor_error_is_refused(query: str) -> None:
    refusal("code_missing", answer(query))


@pytest.mark.req("RFC6749-3.1-04")
def test_a_parameter_without_a_value_counts_as_omitted() -> None:
    arrival = answer("state={state}&code=c&error=&iss=&id_token=&access_token")
    assert accepted(arrival).code == "c"


# --- form ----------------------------------------------------------------------------------------


@pytest.mark.req("RFC6749-3.1-03")
@pytest.mark.parametrize(
    "query",
    [
        "code=c&state={state}&state={state}",
        "code=c&code=d&state={state}",
        "code=c&state={state}&code=",
        "code=c&state={state}&iss=a&iss=b",
        "error=a&state={state}&error=a",
        "code=c&state={state}&s%74ate=x",
        "code=c&state={state}&session_state=a&session_state=b",
    ],
)
def test_a_parameter_that_is_there_twice_is_refused(query: str) -> None:
    """A26."""
    refusal("parameter_duplicated", answer(query))


@pytest.mark.req("OIDCSM-2-01")
@pytest.mark.parametrize(
    ("told", "kept"),
    [(None, None), ("", None), ("a+/=.b", "a+/=.b"), ("a b", None), ("a\t", None), (" ", None)],
)
def test_a_session_state_is_kept_as_it_is_unless_a_space_is_in_it(
    told: str | None, kept: str | None
) -> None:
    response = accepted(callback(LOGIN, session_state=told))

    assert response.session_state == kept
    assert (told or "") not in repr(response) or not told
    note = "session_state has a space: it counts as absent"
    assert (note in response.evidence.notes) == bool(told and kept is None)


@pytest.mark.req("RFC6749-4.1.2-02")
def test_foreign_parameters_may_be_there_twice() -> None:
    assert accepted(answer("x=1&code=c&state={state}&x=2")).code == "c"


@pytest.mark.req("RFC6749-4.1.2-03")
@pytest.mark.parametrize(
    ("name", "limit"), [("state", MAX_STATE), ("code", 65_536), ("error", MAX_STATE)]
)
def test_parameters_have_a_length_that_is_taken_and_no_more(name: str, limit: int) -> None:
    """A28."""
    refusal("parameter_too_long", callback(LOGIN, **{name: "x" * (limit + 1)}))
    assert callback(LOGIN, **{name: "x" * limit}).named[name] == "x" * limit


@pytest.mark.parametrize("length", [5_000, 16_000])
def test_a_code_may_be_as_long_as_its_callback_lets_it(length: int) -> None:
    query = f"code={'c' * length}&state={LOGIN.pending.state}"
    assert accepted(came(query)).code == "c" * length


@pytest.mark.parametrize("most", [LIMITS.callback, 200, UPPER_BOUNDS.callback])
def test_a_callback_has_the_length_that_the_client_takes_and_no_more(most: int) -> None:
    """A28."""
    rp = relying_party(policy=Policy(limits=Limits(callback=most)))
    login = started(rp)
    query = f"code=c&state={login.pending.state}&x="
    full = query + "y" * (most - len(query))
    assert accepted(came(full), rp=rp, login=login).code == "c"
    if most == UPPER_BOUNDS.callback:
        return
    error = refusal("parameter_too_long", came(f"{full}y"), rp=rp, login=login)
    assert (error.about, error.found, error.expected) == ("callback", most + 1, f"up to {most}")
    assert (error.retryable, error.kind) == ("no", "suspicious")
    assert error.hint.startswith("raise Policy.limits.callback, up to 65536")


def test_no_callback_is_longer_than_any_client_takes() -> None:
    """A28."""
    full = "x=" + "y" * (UPPER_BOUNDS.callback - 2)
    for query, body in ((f"{full}y", None), ("", f"{full}y".encode()), ("x" * 2**20, None)):
        with pytest.raises(CallbackError) as caught:
            came(query, body=body)
        assert caught.value.code == "parameter_too_long"


@pytest.mark.req("RFC6749-10.14-01", "RFC6749-4.1.2.1-02")
@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
@pytest.mark.parametrize("value", ["a\0b", "a\nb", "é", "\x7f", "\t", "\u2028", "x\n"])
def test_characters_beyond_the_grammar_are_refused(name: str, value: str) -> None:
    """A28."""
    error = refusal("parameter_malformed", callback(LOGIN, **{name: value}))
    assert error.about == name


@pytest.mark.req("RFC6749-4.1.2.1-02")
@pytest.mark.parametrize("value", ['a"b', "a\\b"])
def test_an_error_has_neither_quote_nor_backslash(value: str) -> None:
    refusal("parameter_malformed", callback(LOGIN, code=None, error=value))
    assert accepted(callback(LOGIN, code=value)).code == value


def test_the_response_tells_which_issuer_it_named_and_no_secret() -> None:
    response = accepted(callback(LOGIN, iss=ISSUER))
    assert response.iss == ISSUER
    assert repr(response) == f"CodeResponse(iss={ISSUER!r})"
    assert accepted(callback(LOGIN)).iss is None


@pytest.mark.parametrize(
    "change",
    [{"leeway": 0}, {"quirks": frozenset({"nonce_not_echoed"})}, {"require_at_hash": True}],
)
def test_a_login_does_not_end_under_a_policy_it_did_not_begin_with(change: dict[str, Any]) -> None:
    rp = relying_party(policy=Policy(**change))
    error = refusal("policy_changed", callback(LOGIN), rp=rp)
    assert (error.found, error.expected) == (rp.policy.digest, RP.policy.digest)
    assert error.retryable == "restart"


def test_a_policy_is_what_it_accepts_and_not_its_name() -> None:
    renamed = relying_party(policy=Policy(name="renamed"))
    assert accepted(callback(LOGIN), rp=renamed).code == "code-1"


def test_that_it_belongs_here_is_found_out_before_what_it_says() -> None:
    belonging = [rule.name for rule in BELONGING_RULES.rules]
    assert belonging == [
        *("state", "binding", "lifetime", "connection", "account"),
        *("response_mode", "redirect_uri"),
    ]
    assert CALLBACK_RULES.rules[: len(belonging)] == BELONGING_RULES.rules
    assert [rule.name for rule in CALLBACK_RULES.rules[len(belonging) :]] == ["iss", "parameters"]
    assert BELONGING_RULES.of == CALLBACK_RULES.of == "authorization_response"
    foreign = callback(LOGIN, state="x", iss=OTHER_ISSUER, id_token="x", error="e")
    refusal("state_mismatch", foreign)


@pytest.mark.req("MRT-3-01")
@pytest.mark.parametrize("name", ["access_token", "id_token", "response"])
def test_a_token_beside_an_error_is_told_as_a_token(name: str) -> None:
    """A25, A27."""
    for code in (None, "c"):
        arrival = callback(LOGIN, code=code, error="access_denied", **{name: "x"})
        assert refusal("parameter_unexpected", arrival).about == name


def test_the_foreign_party_is_told_before_the_policy() -> None:
    other = relying_party(client={"connection_id": "b"}, policy=Policy(leeway=0))
    assert refusal("connection_mismatch", callback(LOGIN), rp=other).about == "connection_id"


# --- the rules of another response type ----------------------------------------------------------


def test_what_a_response_type_brings_is_a_row() -> None:
    """As of ``code id_token``: each of the two has to come, and nothing else."""
    codes = {"code": "code_missing", "id_token": "parameter_unexpected"}
    table = RuleTable(CALLBACK_RULES.of, (*BELONGING_RULES.rules, brings(codes)))
    login = started()

    def brought(**parameters: str) -> str:
        arrival = Callback(parameters=(("state", login.pending.state), *parameters.items()))
        return check_authorization_response(
            RP, login.pending, arrival, binding=login.binding, now=NOW, single_use="process",
            rules=table,
        ).code  # fmt: skip

    assert brought(code="c", id_token="a.b.c") == "c"
    refused(CallbackError, "code_missing", lambda: brought(id_token="a.b.c"))
    refused(CallbackError, "parameter_unexpected", lambda: brought(code="c"))
    error = refused(
        CallbackError, "parameter_unexpected", lambda: brought(code="c", id_token="a", response="b")
    )
    assert error.about == "response"


def test_rules_that_let_a_response_without_a_code_pass_give_no_code() -> None:
    login = started()
    arrival = Callback(parameters=(("state", login.pending.state),))
    refused(
        CallbackError,
        "code_missing",
        lambda: check_authorization_response(
            RP, login.pending, arrival, binding=login.binding, now=NOW, single_use="process",
            rules=BELONGING_RULES,
        ),
    )  # fmt: skip


def test_what_is_examined_shows_no_secret() -> None:
    login = started()
    shown = repr(
        ExaminedCallback(RP, login.pending, callback(login), {"code": "c-1"}, "b-1", NOW, "")
    )
    assert shown == f"ExaminedCallback({login.pending.id!r})"
