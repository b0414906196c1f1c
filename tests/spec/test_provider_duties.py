"""The duties of the fake provider in a code flow, each a test that names its specification.

The relying party here is written by hand, so that the library has no part in the judgement.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import pytest
from attrs import evolve

from oidc_adapters.testing import FakeClient, FakeProvider, FakeUser, RequestRefused
from oidc_adapters.testing.claims import SCOPE_CLAIMS
from tests.adapters.testing.raw_client import (
    FORM,
    NONCE,
    NOW,
    STATE,
    VERIFIER,
    arrive,
    authorization_url,
    basic,
    claims_of,
    fetch,
    header_of,
    parsed,
    post_token,
    published_keys,
    redeem,
    refresh,
    responded,
    userinfo,
    verify,
    wire,
)

CAROL: Final = FakeUser.complete("carol")
DAVE: Final = FakeUser.complete("dave")
PASSWORD, TWO_FACTOR = "urn:example:password", "urn:example:two-factor"
NO_PKCE: Final[dict[str, Any]] = {"code_challenge": None, "code_challenge_method": None}


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(users=(CAROL, DAVE), id_token_alg="EdDSA")


@pytest.fixture
def lenient() -> FakeProvider:
    """A provider whose client need not use PKCE."""
    return FakeProvider(
        users=(CAROL,), id_token_alg="EdDSA", clients=(FakeClient(require_pkce=False),)
    )


def error_of(provider: FakeProvider, **changed: Any) -> str | None:
    """The error that a changed request is answered with."""
    return arrive(provider, **changed).parameter("error")


def tokens_of(provider: FakeProvider, **changed: Any) -> Any:
    """The token answer of a login whose request is changed."""
    return parsed(redeem(provider, arrive(provider, **changed)))


def id_claims(provider: FakeProvider, **changed: Any) -> Any:
    """The claims in the ID token of such a login."""
    return claims_of(tokens_of(provider, **changed)["id_token"])


def told(provider: FakeProvider, **changed: Any) -> Any:
    """What UserInfo says after such a login."""
    return parsed(userinfo(provider, tokens_of(provider, **changed)["access_token"]))


def wanting(place: str, **claims: Any) -> str:
    """A ``claims`` parameter."""
    return json.dumps({place: claims})


def refusal(answer: Any, status: int = 400) -> str:
    """The OAuth error in an answer."""
    error: str = parsed(answer, status)["error"]
    return error


def metadata(provider: FakeProvider) -> Any:
    return parsed(fetch(provider, "/.well-known/openid-configuration"))


# The authorization request


@pytest.mark.parametrize("posted", [False, True])
def test_requests_come_by_get_and_by_post(provider: FakeProvider, posted: bool) -> None:
    """OIDC Core §3.1.2.1: the endpoint supports GET and POST."""
    url, _, query = authorization_url(provider).partition("?")

    way: dict[str, Any] = {"form": query.encode()} if posted else {}
    answer = provider.authorize(url if posted else f"{url}?{query}", NOW, **way)

    assert (answer.parameter("state"), answer.parameter("error")) == (STATE, None)
    assert parsed(redeem(provider, answer))["token_type"] == "Bearer"


def test_a_parameter_counts_once_in_query_and_form_together(provider: FakeProvider) -> None:
    """RFC 6749 §3.1: request parameters are not included more than once."""
    answer = provider.authorize(authorization_url(provider), NOW, form=b"scope=openid")

    assert answer.parameter("error") == "invalid_request"


@pytest.mark.parametrize("name", ["scope", "nonce", "state", "unheard_of"])
def test_repeated_parameters_are_refused(provider: FakeProvider, name: str) -> None:
    """RFC 6749 §3.1, §4.1.2.1: a repeated parameter is an invalid request."""
    query = urlencode([(name, "openid"), (name, "openid")])
    url = authorization_url(provider, **{name: None}) + "&" + query

    assert provider.authorize(url, NOW).parameter("error") == "invalid_request"


def test_resource_may_be_repeated(provider: FakeProvider) -> None:
    """RFC 8707 §2: several resources are several parameters."""
    url = authorization_url(provider) + "&resource=https%3A%2F%2Fa.example&resource=urn%3Ab"

    assert provider.authorize(url, NOW).parameter("error") is None


def test_parameters_without_a_value_count_as_left_out(provider: FakeProvider) -> None:
    """RFC 6749 §3.1: treated as if they were omitted."""
    answer = arrive(provider, state="", prompt="", nonce="")

    assert answer.parameter("state") is None
    assert "nonce" not in claims_of(parsed(redeem(provider, answer))["id_token"])
    assert error_of(provider, response_type="") == "invalid_request"


def test_unknown_parameters_are_ignored(provider: FakeProvider) -> None:
    """RFC 6749 §3.1, OIDC Core §3.1.2.1: unrecognized parameters are ignored."""
    assert error_of(provider, colour="green", trace_id="1") is None


def test_a_request_without_response_type_is_invalid(provider: FakeProvider) -> None:
    """RFC 6749 §3.1.1, §4.1.2.1: it is required."""
    assert error_of(provider, response_type=None) == "invalid_request"


@pytest.mark.parametrize("value", ["token", "id_token", "code token", "none"])
def test_other_response_types_are_not_supported(provider: FakeProvider, value: str) -> None:
    """RFC 6749 §4.1.2.1: unsupported_response_type."""
    assert error_of(provider, response_type=value) == "unsupported_response_type"


@pytest.mark.parametrize("scope", [None, "email", "OpenID", "openidx"])
def test_scope_has_openid(provider: FakeProvider, scope: str | None) -> None:
    """OIDC Core §3.1.2.1, §3.1.2.2: openid is there, by its exact name."""
    assert error_of(provider, scope=scope) == "invalid_scope"


def test_scopes_that_are_not_understood_are_ignored(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: scope values that are not understood should be ignored."""
    assert set(told(provider, scope="openid orders:read")) == {"sub"}


@pytest.mark.parametrize("client_id", [None, "stranger"])
def test_an_unknown_client_is_never_redirected(
    provider: FakeProvider, client_id: str | None
) -> None:
    """RFC 6749 §4.1.2.1: the resource owner is told, and not redirected."""
    with pytest.raises(RequestRefused) as refused:
        arrive(provider, client_id=client_id)

    assert refused.value.error == "unauthorized_client"


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "https://rp.example/callback/",
        "https://rp.example/callback?x=1",
        "https://RP.example/callback",
        "https://rp.example:443/callback",
        "http://rp.example/callback",
        "https://rp.example/callback#x",
        "https://evil.example/callback",
    ],
)
def test_a_redirect_uri_that_is_not_registered_is_never_redirected_to(
    provider: FakeProvider, uri: str | None
) -> None:
    """OIDC Core §3.1.2.1, RFC 9700 §2.1: compared exactly, as strings."""
    with pytest.raises(RequestRefused) as refused:
        arrive(provider, redirect_uri=uri)

    assert refused.value.error == "invalid_request"


def test_a_native_client_may_use_any_port_of_loopback() -> None:
    """RFC 8252 §7.3, RFC 9700 §2.1: the port is free on 127.0.0.1."""
    client = FakeClient(redirect_uris=("http://127.0.0.1/cb",))
    native = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    answer = arrive(native, redirect_uri="http://127.0.0.1:50123/cb")

    assert answer.url.startswith("http://127.0.0.1:50123/cb?code=")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ],
)
def test_what_is_not_supported_is_refused_by_its_name(
    provider: FakeProvider, name: str, error: str
) -> None:
    """OIDC Core §3.1.2.6, §6.1, §6.2, §7.2.1: request objects and registrations."""
    assert error_of(provider, **{name: "eyJ"}) == error


@pytest.mark.parametrize("name", ["display", "ui_locales", "claims_locales"])
def test_wishes_for_pages_cause_no_error(provider: FakeProvider, name: str) -> None:
    """OIDC Core §3.1.2.1, §5.2: no error if locales or display are not supported."""
    assert error_of(provider, **{name: "touch fr-CA tlh"}) is None


# The authorization response


def test_state_comes_back_unchanged(provider: FakeProvider) -> None:
    """RFC 6749 §4.1.2: the exact value received."""
    state = "a b+c%26&=ü~"

    assert arrive(provider, state=state).parameter("state") == state
    assert arrive(provider, state=state, scope="email").parameter("state") == state
    assert "state" not in dict(arrive(provider, state=None).parameters)


def test_each_answer_names_its_issuer(provider: FakeProvider) -> None:
    """RFC 9207 §2, §3: iss is in every answer, errors too, and metadata says so."""
    assert metadata(provider)["authorization_response_iss_parameter_supported"] is True
    assert arrive(provider).parameter("iss") == metadata(provider)["issuer"]
    assert arrive(provider, prompt="none").parameter("iss") == metadata(provider)["issuer"]


def test_a_redirect_uri_keeps_its_query() -> None:
    """RFC 6749 §4.1.2, §3.1.2: the query component is retained."""
    client = FakeClient(redirect_uris=("https://rp.example/callback?tenant=1",))
    with_query = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    assert arrive(with_query).url.startswith("https://rp.example/callback?tenant=1&code=")


def test_answers_come_as_a_form_where_asked(provider: FakeProvider) -> None:
    """OAuth 2.0 Form Post Response Mode §2: the parameters are posted."""
    answer = arrive(provider, response_mode="form_post")

    assert answer.form is not None
    assert b"code=" in answer.form
    assert "code" not in answer.url


def test_another_response_mode_is_refused(provider: FakeProvider) -> None:
    """OAuth 2.0 Multiple Response Type Encoding Practices §2.1: an unsupported mode."""
    assert error_of(provider, response_mode="fragment") == "invalid_request"


def test_an_end_user_may_refuse(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.4, RFC 6749 §4.1.2.1: access_denied, and no code."""
    answer = arrive(provider, approve=False)

    assert (answer.parameter("error"), answer.parameter("code")) == ("access_denied", None)


def test_an_error_has_a_description_in_its_alphabet(provider: FakeProvider) -> None:
    """RFC 6749 §4.1.2.1: error_description is ASCII without quotes and backslashes."""
    said = arrive(provider, scope="email").parameter("error_description") or ""

    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", said)


# Who signs in


def test_prompt_none_shows_no_page(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1, §3.1.2.6: login_required where nobody is signed in."""
    assert error_of(provider, prompt="none") == "login_required"


def test_prompt_none_answers_from_the_session(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: the end-user is signed in already."""
    session = arrive(provider, user="dave").session

    claims = id_claims(provider, session=session, prompt="none", now=NOW + 40)

    assert (claims["sub"], claims["auth_time"]) == ("dave", NOW)


def test_prompt_none_without_consent_is_an_error(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.6: consent_required."""
    session = arrive(provider).session

    assert error_of(provider, session=session, prompt="none", approve=False) == "consent_required"


@pytest.mark.parametrize("other", ["login", "consent", "select_account"])
def test_prompt_none_stands_alone(provider: FakeProvider, other: str) -> None:
    """OIDC Core §3.1.2.1: none with any other value is an error."""
    session = arrive(provider).session

    assert error_of(provider, session=session, prompt=f"none {other}") == "invalid_request"


def test_an_unknown_prompt_is_refused(provider: FakeProvider) -> None:
    """Initiating User Registration §4.1.1: a value that is not supported is an invalid request."""
    assert error_of(provider, prompt="dance") == "invalid_request"


def test_prompt_login_signs_in_again(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: the end-user is authenticated again."""
    session = arrive(provider, user="dave").session

    again = arrive(provider, session=session, prompt="login", now=NOW + 40)

    assert again.session is not None
    assert (again.session.sub, again.session.auth_time) == ("dave", NOW + 40)


def test_prompt_consent_asks_and_keeps_the_session(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: consent is asked for, nobody signs in again."""
    session = arrive(provider).session

    assert arrive(provider, session=session, prompt="consent", now=NOW + 40).session == session
    refused = arrive(provider, session=session, prompt="consent", approve=False)
    assert refused.parameter("error") == "access_denied"


def test_prompt_select_account_lets_another_user_in(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: the end-user selects an account."""
    session = arrive(provider, user="carol").session

    other = arrive(provider, session=session, prompt="select_account", user="dave")
    same = arrive(provider, session=session, prompt="select_account")

    assert (other.session and other.session.sub) == "dave"
    assert same.session == session


def test_a_session_is_used_without_a_prompt(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.3: a user who is signed in may be answered from the session."""
    session = arrive(provider, user="dave").session

    assert id_claims(provider, session=session, user="carol")["sub"] == "dave"


@pytest.mark.parametrize(("max_age", "again"), [("40", False), ("39", True), ("0", True)])
def test_a_session_older_than_max_age_is_made_again(
    provider: FakeProvider, max_age: str, again: bool
) -> None:
    """OIDC Core §3.1.2.1: the elapsed time is greater than max_age."""
    session = arrive(provider).session

    claims = id_claims(provider, session=session, max_age=max_age, now=NOW + 40)

    assert claims["auth_time"] == (NOW + 40 if again else NOW)


def test_a_max_age_of_zero_signs_in_again_even_at_once(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: max_age=0 is equivalent to prompt=login."""
    session = arrive(provider).session

    assert error_of(provider, session=session, max_age="0", prompt="none") == "login_required"


def test_a_session_too_old_fails_silently_asked(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: prompt=none shows no page to sign in on again."""
    session = arrive(provider).session

    answer = arrive(provider, session=session, prompt="none", max_age="9", now=NOW + 10)

    assert answer.parameter("error") == "login_required"


@pytest.mark.parametrize("max_age", ["-1", "1.5", "soon"])
def test_max_age_is_a_number_of_seconds(provider: FakeProvider, max_age: str) -> None:
    """OIDC Core §3.1.2.1: a non-negative integer."""
    assert error_of(provider, max_age=max_age) == "invalid_request"


def test_an_id_token_says_when_the_end_user_signed_in(provider: FakeProvider) -> None:
    """OIDC Core §2, §3.1.2.1: auth_time is there where max_age was asked."""
    assert id_claims(provider, max_age="600")["auth_time"] == NOW


def test_an_id_token_hint_names_who_is_to_sign_in(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: a positive answer for the very user only, else login_required."""
    hint = tokens_of(provider, user="dave")["id_token"]
    carols = arrive(provider, user="carol").session

    assert id_claims(provider, id_token_hint=hint)["sub"] == "dave"
    assert error_of(provider, id_token_hint=hint, user="carol") == "login_required"
    assert error_of(provider, id_token_hint=hint, session=carols) == "login_required"


def test_an_expired_id_token_is_a_hint_too(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: it need not be current, nor for this client."""
    hint = tokens_of(provider, user="dave")["id_token"]

    assert error_of(provider, id_token_hint=hint, now=NOW + 90_000) is None


def test_a_hint_of_a_stranger_is_none(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: a hint is an ID token of this provider."""
    assert error_of(provider, id_token_hint="eyJ.eyJ.x") == "login_required"


@pytest.mark.parametrize("hint", ["dave", "dave@people.example", "+1 (604) 555-1234;ext=5678"])
def test_a_login_hint_names_an_account(provider: FakeProvider, hint: str) -> None:
    """OIDC Core §3.1.2.1: a hint about the login identifier, an e-mail address or a number."""
    expected = "carol" if hint.startswith("+") else "dave"  # both have the number, one is first

    assert id_claims(provider, login_hint=hint)["sub"] == expected


def test_a_login_hint_is_only_a_hint(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: its use is left to the provider's discretion."""
    assert id_claims(provider, login_hint="nobody")["sub"] == "carol"
    assert id_claims(provider, login_hint="dave", user="carol")["sub"] == "carol"


def test_acr_values_are_met_where_possible(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.1: a voluntary claim, by preference; acr says what was done."""
    assert id_claims(provider)["acr"] == PASSWORD
    assert id_claims(provider, acr_values=f"urn:x {TWO_FACTOR}")["acr"] == TWO_FACTOR
    assert id_claims(provider, acr_values="urn:x")["acr"] == PASSWORD


def test_a_session_steps_up(provider: FakeProvider) -> None:
    """OIDC Core §3.1.2.3: the user signs in again, better; acr never promises too much."""
    weak = arrive(provider).session

    strong = arrive(provider, session=weak, acr_values=TWO_FACTOR, now=NOW + 9).session
    silent = id_claims(provider, session=weak, acr_values=TWO_FACTOR, prompt="none", now=NOW + 9)

    assert strong is not None
    assert (strong.auth_time, strong.acr) == (NOW + 9, TWO_FACTOR)
    assert (silent["acr"], silent["auth_time"]) == (PASSWORD, NOW)
    assert id_claims(provider, session=strong)["acr"] == TWO_FACTOR
    assert id_claims(provider, session=strong, acr_values=PASSWORD)["acr"] == PASSWORD


# The claims parameter


def test_claims_are_given_where_they_are_asked_for(provider: FakeProvider) -> None:
    """OIDC Core §5.5: by name, in the ID token and from UserInfo."""
    claims = json.dumps({"id_token": {"email": None}, "userinfo": {"locale": None}})

    assert id_claims(provider, scope="openid", claims=claims)["email"] == CAROL.claims["email"]
    assert told(provider, scope="openid", claims=claims) == {"sub": "carol", "locale": "en-US"}


def test_an_essential_claim_that_is_not_there_is_no_error(provider: FakeProvider) -> None:
    """OIDC Core §5.5.1: the provider generates no error when claims are not returned."""
    wanted = wanting("id_token", shoe_size={"essential": True})

    assert "shoe_size" not in id_claims(provider, claims=wanted)


@pytest.mark.parametrize("how", [{"value": "fr"}, {"values": ["fr", "de"]}])
def test_a_claim_of_another_value_than_wanted_is_left_out(
    provider: FakeProvider, how: dict[str, Any]
) -> None:
    """OIDC Core §5.5.1: the claim is returned with a particular value, or one of a set."""
    assert "locale" not in told(provider, scope="openid", claims=wanting("userinfo", locale=how))


@pytest.mark.parametrize("how", [{"value": "en-US"}, {"values": ["fr", "en-US"]}])
def test_a_claim_of_a_wanted_value_is_given(provider: FakeProvider, how: dict[str, Any]) -> None:
    """OIDC Core §5.5.1: the claim is returned with a particular value, or one of a set."""
    said = told(provider, scope="openid", claims=wanting("userinfo", locale=how))

    assert said["locale"] == "en-US"


@pytest.mark.parametrize("place", ["id_token", "userinfo"])
def test_sub_with_a_value_is_answered_for_that_user_only(
    provider: FakeProvider, place: str
) -> None:
    """OIDC Core §3.1.2.2, §5.5.1: a positive answer only if that very user is signed in."""
    wanted = wanting(place, sub={"value": "dave"})

    assert error_of(provider, claims=wanted, user="dave") is None
    assert error_of(provider, claims=wanted, user="carol") == "login_required"


def test_an_essential_acr_is_met_or_fails(provider: FakeProvider) -> None:
    """OIDC Core §5.5.1.1: otherwise the outcome is a failed authentication."""
    possible = wanting("id_token", acr={"essential": True, "values": [TWO_FACTOR]})
    impossible = wanting("id_token", acr={"essential": True, "values": ["urn:x"]})
    weak = arrive(provider).session

    assert id_claims(provider, claims=possible)["acr"] == TWO_FACTOR
    assert error_of(provider, claims=possible, session=weak, prompt="none") == "login_required"
    assert error_of(provider, claims=impossible) == "unmet_authentication_requirements"


def test_a_voluntary_acr_that_cannot_be_met_is_no_error(provider: FakeProvider) -> None:
    """OIDC Core §5.5.1.1: only an essential one fails."""
    wanted = wanting("id_token", acr={"values": ["urn:x"]})

    assert id_claims(provider, claims=wanted)["acr"] == PASSWORD


def test_members_of_claims_without_a_meaning_are_ignored(provider: FakeProvider) -> None:
    """OIDC Core §5.5, §5.5.1: members that are not understood are ignored."""
    wanted = json.dumps({"introspection": {}, "id_token": {"email": {"purpose": "to write"}}})

    assert id_claims(provider, claims=wanted)["email"] == CAROL.claims["email"]


@pytest.mark.parametrize("claims", ["{", "[]", '"x"', '{"id_token":[]}', '{"userinfo":{"a":1}}'])
def test_claims_out_of_form_are_refused(provider: FakeProvider, claims: str) -> None:
    """OIDC Core §5.5: a JSON object of objects, whose members are null or an object."""
    assert error_of(provider, claims=claims) == "invalid_request"


# Scopes


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone"])
def test_each_standard_scope_gives_its_claims(provider: FakeProvider, scope: str) -> None:
    """OIDC Core §5.4: from UserInfo, since an access token is issued."""
    said = told(provider, scope=f"openid {scope}")

    assert said == {"sub": "carol", **{name: CAROL.claims[name] for name in SCOPE_CLAIMS[scope]}}
    assert not {*SCOPE_CLAIMS[scope]} & id_claims(provider, scope=f"openid {scope}").keys()


def test_a_complete_user_has_every_standard_claim() -> None:
    """OIDC Core §5.1, §5.1.1: twenty claims with sub, and an address with every member."""
    standard = {name for names in SCOPE_CLAIMS.values() for name in names}
    address: Any = CAROL.claims["address"]

    assert CAROL.claims.keys() == standard
    assert len(standard) == 19
    parts = {"street_address", "locality", "region", "postal_code", "country"}
    assert address.keys() == {"formatted", *parts}


def test_openid_alone_gives_the_subject(provider: FakeProvider) -> None:
    """OIDC Core §5.3.2: sub is always there."""
    assert told(provider, scope="openid") == {"sub": "carol"}


def test_offline_access_gives_a_refresh_token() -> None:
    """OIDC Core §11: with consent; the scope is ignored where it was not asked for."""
    strict = FakeProvider(offline_access="with_consent", id_token_alg="EdDSA")

    assert "refresh_token" in tokens_of(strict, prompt="consent")
    assert "refresh_token" not in tokens_of(strict)
    assert "refresh_token" not in tokens_of(strict, scope="openid", prompt="consent")


# PKCE


@pytest.mark.parametrize("changed", [NO_PKCE, {"code_challenge": None}])
def test_a_challenge_is_demanded(provider: FakeProvider, changed: dict[str, Any]) -> None:
    """RFC 7636 §4.4.1: invalid_request where the server requires PKCE and there is none."""
    assert error_of(provider, **changed) == "invalid_request"


@pytest.mark.parametrize("method", ["plain", None, "S512"])
def test_only_s256_is_taken(provider: FakeProvider, lenient: FakeProvider, method: Any) -> None:
    """RFC 7636 §4.3, §4.4.1: a method that is not supported; without one it would be plain."""
    assert error_of(provider, code_challenge_method=method) == "invalid_request"
    assert error_of(lenient, code_challenge_method=method) == "invalid_request"


def test_a_verifier_fits_its_challenge(provider: FakeProvider) -> None:
    """RFC 7636 §4.6: otherwise invalid_grant."""
    answer = arrive(provider)

    assert refusal(redeem(provider, answer, code_verifier=43 * "x")) == "invalid_grant"


def test_a_code_with_a_challenge_needs_its_verifier(lenient: FakeProvider) -> None:
    """RFC 7636 §4.6: a challenge binds, even where PKCE is not demanded."""
    assert parsed(redeem(lenient, arrive(lenient)))["token_type"] == "Bearer"
    assert refusal(redeem(lenient, arrive(lenient), code_verifier="")) == "invalid_request"
    assert refusal(redeem(lenient, arrive(lenient), code_verifier=43 * "x")) == "invalid_grant"


def test_a_client_may_be_excused_from_pkce(lenient: FakeProvider) -> None:
    """RFC 7636 §5: a server that does not demand it answers requests without it."""
    answer = arrive(lenient, **NO_PKCE)

    assert parsed(redeem(lenient, answer, code_verifier=""))["token_type"] == "Bearer"


def test_a_verifier_without_a_challenge_is_refused(lenient: FakeProvider) -> None:
    """RFC 9700 §2.1.1, §4.8.2: so that nobody takes PKCE out of a request."""
    answer = arrive(lenient, **NO_PKCE)

    assert refusal(redeem(lenient, answer, code_verifier=VERIFIER)) == "invalid_grant"


def test_metadata_names_the_method_of_pkce(provider: FakeProvider) -> None:
    """RFC 9700 §2.1.1, RFC 8414 §2: code_challenge_methods_supported."""
    assert metadata(provider)["code_challenge_methods_supported"] == ["S256"]


# The token request


def test_a_token_answer_is_as_specified(provider: FakeProvider) -> None:
    """OIDC Core §3.1.3.3, RFC 6749 §5.1: JSON that nobody stores, of type Bearer."""
    answer = responded(redeem(provider, arrive(provider)))

    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("pragma") == "no-cache"
    members = json.loads(answer.body)
    assert {"access_token", "token_type", "expires_in", "id_token"} <= members.keys()
    assert (members["token_type"], type(members["expires_in"])) == ("Bearer", int)


def test_a_second_use_of_a_code_revokes_its_tokens(provider: FakeProvider) -> None:
    """RFC 6749 §4.1.2, OIDC Core §3.1.3.2: a code is used once; what it gave is revoked."""
    answer = arrive(provider)
    tokens = parsed(redeem(provider, answer))

    assert refusal(redeem(provider, answer)) == "invalid_grant"
    assert refusal(userinfo(provider, tokens["access_token"]), 401) == "invalid_token"
    assert refusal(refresh(provider, tokens["refresh_token"])) == "invalid_grant"


def test_a_code_is_used_up_by_a_failed_attempt(provider: FakeProvider) -> None:
    """RFC 6749 §10.5: so that nobody tries on."""
    answer = arrive(provider)

    assert refusal(redeem(provider, answer, code_verifier=43 * "x")) == "invalid_grant"
    assert refusal(redeem(provider, answer)) == "invalid_grant"


def test_a_code_expires_soon(provider: FakeProvider) -> None:
    """RFC 6749 §4.1.2: within ten minutes at most."""
    answer = arrive(provider)

    assert provider.code_lifetime <= 600
    late = redeem(provider, answer, now=NOW + provider.code_lifetime)
    assert refusal(late) == "invalid_grant"


def test_a_code_is_for_its_client() -> None:
    """OIDC Core §3.1.3.2: it was issued to the client that authenticated."""
    clients = (FakeClient(), FakeClient(client_id="other"))
    provider = FakeProvider(clients=clients, id_token_alg="EdDSA")
    form = {
        "grant_type": "authorization_code",
        "code": arrive(provider).parameter("code") or "",
        "redirect_uri": clients[0].redirect_uris[0],
        "code_verifier": VERIFIER,
    }

    assert refusal(post_token(provider, form, basic(clients[1]))) == "invalid_grant"


@pytest.mark.parametrize(
    ("uri", "error"), [("https://rp.example/x", "invalid_grant"), ("", "invalid_request")]
)
def test_the_redirect_uri_is_the_one_of_the_login(
    provider: FakeProvider, uri: str, error: str
) -> None:
    """OIDC Core §3.1.3.2, RFC 6749 §4.1.3: identical to the one of the request."""
    assert refusal(redeem(provider, arrive(provider), redirect_uri=uri)) == error


def test_a_code_that_nobody_issued_is_refused(provider: FakeProvider) -> None:
    """RFC 6749 §5.2: invalid_grant."""
    assert refusal(redeem(provider, arrive(provider), code="made-up")) == "invalid_grant"


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [("", "invalid_request"), ("password", "unsupported_grant_type")],
)
def test_a_grant_type_is_there_and_known(
    provider: FakeProvider, grant_type: str, error: str
) -> None:
    """RFC 6749 §5.2: invalid_request, or unsupported_grant_type."""
    assert refusal(redeem(provider, arrive(provider), grant_type=grant_type)) == error


def test_unknown_parameters_of_a_token_request_are_ignored(provider: FakeProvider) -> None:
    """RFC 6749 §3.2: unrecognized request parameters are ignored."""
    assert parsed(redeem(provider, arrive(provider), colour="green"))["token_type"] == "Bearer"


def test_a_repeated_parameter_of_a_token_request_is_refused(provider: FakeProvider) -> None:
    """RFC 6749 §3.2, §5.2: invalid_request."""
    body = b"grant_type=refresh_token&refresh_token=a&refresh_token=b"
    client = basic(provider.clients[0])
    request = wire("POST", f"{provider.issuer}/token", FORM, client, body=body)

    assert refusal(provider.answer(request, NOW)) == "invalid_request"


def test_a_token_request_is_posted(provider: FakeProvider) -> None:
    """RFC 6749 §3.2: the client uses POST."""
    assert refusal(fetch(provider, "/token"), 405) == "invalid_request"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_client_authenticates_by_its_method(method: str) -> None:
    """OIDC Core §9: client_secret_basic, client_secret_post, none."""
    client = FakeClient(token_endpoint_auth_method=method)
    provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    assert tokens_of(provider)["token_type"] == "Bearer"
    assert method in metadata(provider)["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("registered", ["client_secret_post", "none"])
def test_another_method_than_the_registered_is_refused(registered: str) -> None:
    """OIDC Core §9: the method is the one that the client registered."""
    client = FakeClient(token_endpoint_auth_method=registered)
    provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    answer = post_token(provider, {"grant_type": "authorization_code"}, basic(client))

    assert refusal(answer, 401) == "invalid_client"


def test_a_wrong_secret_is_refused_with_a_challenge(provider: FakeProvider) -> None:
    """RFC 6749 §5.2: 401, invalid_client, and the scheme that the client used."""
    stranger = evolve(provider.clients[0], client_secret="wrong")

    answer = post_token(provider, {"grant_type": "authorization_code"}, basic(stranger))

    assert refusal(answer, 401) == "invalid_client"
    assert (responded(answer).header("www-authenticate") or "").startswith("Basic ")


def test_two_methods_at_once_are_refused(provider: FakeProvider) -> None:
    """RFC 6749 §2.3: no more than one method in each request."""
    client = provider.clients[0]
    form = {"grant_type": "authorization_code", "client_secret": client.client_secret}

    assert refusal(post_token(provider, form, basic(client))) == "invalid_request"


def test_basic_credentials_are_form_encoded() -> None:
    """RFC 6749 §2.3.1: the identifier and the secret, before they are joined."""
    client = FakeClient(client_id="a:b c", client_secret="%:+ü and more of it")
    provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    assert tokens_of(provider)["token_type"] == "Bearer"


# The ID token


def test_an_id_token_has_what_it_needs(provider: FakeProvider) -> None:
    """OIDC Core §2, §3.1.3.6: iss, sub, aud, exp, iat, nonce, at_hash."""
    claims = id_claims(provider)

    assert (claims["iss"], claims["aud"], claims["sub"]) == (provider.issuer, "client", "carol")
    assert (claims["iat"], claims["nonce"]) == (NOW, NONCE)
    assert claims["exp"] > NOW
    assert {"at_hash", "auth_time"} <= claims.keys()


def test_an_id_token_has_no_nonce_that_was_not_sent(provider: FakeProvider) -> None:
    """OIDC Core §2: the value is passed through from the request."""
    assert "nonce" not in id_claims(provider, nonce=None)


@pytest.mark.parametrize("alg", ["RS256", "ES256", "HS256"])
def test_an_id_token_is_signed_as_registered(alg: str) -> None:
    """OIDC Core §3.1.3.7, §10.1: by id_token_signed_response_alg, with a published key."""
    client = FakeClient(id_token_signed_response_alg=alg)
    provider = FakeProvider(clients=(client,), id_token_alg="EdDSA")

    token = tokens_of(provider)["id_token"]

    assert header_of(token)["alg"] == alg
    assert verify(token, published_keys(provider), client.client_secret)
    assert alg in metadata(provider)["id_token_signing_alg_values_supported"]


def test_keys_rotate_without_breaking_tokens(provider: FakeProvider) -> None:
    """OIDC Core §10.1.1: old keys stay published for a while, and kid tells them apart."""
    old = tokens_of(provider)["id_token"]
    provider.rotate_keys()
    new = tokens_of(provider)["id_token"]

    assert header_of(old)["kid"] != header_of(new)["kid"]
    assert verify(old, published_keys(provider))
    assert verify(new, published_keys(provider))


# UserInfo


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_answers_get_and_post(provider: FakeProvider, method: str) -> None:
    """OIDC Core §5.3: both methods, with the token in the header."""
    token = tokens_of(provider)["access_token"]

    assert parsed(userinfo(provider, token, method=method))["sub"] == "carol"


def test_userinfo_takes_a_token_from_a_form(provider: FakeProvider) -> None:
    """OIDC Core §5.3, RFC 6750 §2.2: bearer tokens come in a form too, but not twice."""
    token = tokens_of(provider)["access_token"]
    url, body = f"{provider.issuer}/userinfo", urlencode({"access_token": token}).encode()
    bearer = ("authorization", f"Bearer {token}")

    assert parsed(provider.answer(wire("POST", url, FORM, body=body), NOW))["sub"] == "carol"
    both = provider.answer(wire("POST", url, FORM, bearer, body=body), NOW)
    assert refusal(both) == "invalid_request"


def test_userinfo_without_a_token_is_challenged(provider: FakeProvider) -> None:
    """RFC 6750 §3, §3.1: a challenge without an error code."""
    answer = responded(fetch(provider, "/userinfo"))

    assert (answer.status, answer.header("www-authenticate")) == (401, "Bearer")


@pytest.mark.parametrize("later", [0, 300])
def test_userinfo_refuses_unknown_and_expired_tokens(provider: FakeProvider, later: int) -> None:
    """OIDC Core §5.3.3, RFC 6750 §3.1: 401 with invalid_token."""
    token = tokens_of(provider)["access_token"] if later else "made-up"

    answer = userinfo(provider, token, now=NOW + later)

    assert refusal(answer, 401) == "invalid_token"
    assert 'error="invalid_token"' in (responded(answer).header("www-authenticate") or "")


def test_userinfo_takes_a_token_with_openid(provider: FakeProvider) -> None:
    """RFC 6750 §3.1: 403 with insufficient_scope for a token narrowed by a refresh."""
    token = tokens_of(provider)["refresh_token"]
    narrow = parsed(refresh(provider, token, scope="profile"))

    assert refusal(userinfo(provider, narrow["access_token"]), 403) == "insufficient_scope"


def test_userinfo_is_about_the_subject_of_the_id_token(provider: FakeProvider) -> None:
    """OIDC Core §5.3.2: sub is exactly the one in the ID token."""
    tokens = tokens_of(provider, user="dave")

    said = parsed(userinfo(provider, tokens["access_token"]))
    assert said["sub"] == claims_of(tokens["id_token"])["sub"] == "dave"


# Refresh


def test_a_refreshed_id_token_keeps_the_facts_of_the_login(provider: FakeProvider) -> None:
    """OIDC Core §12.2: the same iss, sub, aud and auth_time, a new iat, and no nonce."""
    tokens = tokens_of(provider)

    renewed = parsed(refresh(provider, tokens["refresh_token"], now=NOW + 100))

    old, new = claims_of(tokens["id_token"]), claims_of(renewed["id_token"])
    kept = ("iss", "sub", "aud", "azp", "auth_time", "sid")
    assert [old[name] for name in kept] == [new[name] for name in kept]
    assert (new["iat"], "nonce" in new) == (NOW + 100, False)


def test_a_refresh_token_is_used_once(provider: FakeProvider) -> None:
    """RFC 9700 §4.14.2: it rotates, and a second use revokes the family."""
    first = tokens_of(provider)["refresh_token"]
    second = parsed(refresh(provider, first))["refresh_token"]

    assert second != first
    assert refusal(refresh(provider, first)) == "invalid_grant"
    assert refusal(refresh(provider, second)) == "invalid_grant"


def test_a_refresh_cannot_widen_the_scope(provider: FakeProvider) -> None:
    """RFC 6749 §6: no scope that was not granted."""
    token = tokens_of(provider)["refresh_token"]

    assert refusal(refresh(provider, token, scope="openid phone")) == "invalid_scope"


def test_a_refresh_token_is_for_its_client() -> None:
    """RFC 6749 §6, §10.4: bound to the client that it was issued to."""
    clients = (FakeClient(), FakeClient(client_id="other"))
    provider = FakeProvider(clients=clients, id_token_alg="EdDSA")
    form = {"grant_type": "refresh_token", "refresh_token": tokens_of(provider)["refresh_token"]}

    assert refusal(post_token(provider, form, basic(clients[1]))) == "invalid_grant"


# Discovery

REQUIRED: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)
RECOMMENDED: Final = ("userinfo_endpoint", "scopes_supported", "claims_supported")


def test_metadata_is_complete(provider: FakeProvider) -> None:
    """OIDC Discovery §3: every member that is required, and those recommended."""
    members = metadata(provider)

    assert {*REQUIRED, *RECOMMENDED} <= members.keys()
    assert "RS256" in members["id_token_signing_alg_values_supported"]
    assert "code" in members["response_types_supported"]
    assert "openid" in members["scopes_supported"]


def test_metadata_lies_below_the_issuer(provider: FakeProvider) -> None:
    """OIDC Discovery §4.1, §4.3: at the issuer's path, and it names that very issuer."""
    answer = responded(fetch(provider, "/.well-known/openid-configuration"))

    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert json.loads(answer.body)["issuer"] == provider.issuer
    tenant = FakeProvider(issuer="https://op.example/tenant/a", id_token_alg="EdDSA")
    assert metadata(tenant)["issuer"] == "https://op.example/tenant/a"


def test_every_endpoint_that_metadata_names_is_there(provider: FakeProvider) -> None:
    """OIDC Discovery §3: URLs of endpoints, all of which answer."""
    members = metadata(provider)
    named: dict[str, str] = {n: url for n, url in members.items() if n.endswith("_endpoint")}

    del named["authorization_endpoint"], named["end_session_endpoint"]  # those are for browsers
    assert {urlsplit(url).netloc for url in named.values()} == {"op.example"}
    for url in (*named.values(), members["jwks_uri"]):
        assert responded(provider.answer(wire("GET", url), NOW)).status != 404


def test_what_metadata_promises_holds(provider: FakeProvider) -> None:
    """OIDC Discovery §3: scopes, claims and classes that are listed are given."""
    members = metadata(provider)
    scope = " ".join(members["scopes_supported"])

    said = {**told(provider, scope=scope), **id_claims(provider, scope=scope)}

    assert {*members["claims_supported"]} <= said.keys()
    for acr in members["acr_values_supported"]:
        assert id_claims(provider, acr_values=acr)["acr"] == acr
    assert members["claims_parameter_supported"] is True
    assert members["request_uri_parameter_supported"] is False


def test_the_key_set_is_public(provider: FakeProvider) -> None:
    """OIDC Discovery §3, RFC 7517 §5: signing keys, each with a kid, and nothing private."""
    keys = published_keys(provider)

    assert all(key["use"] == "sig" and key["kid"] for key in keys)
    assert not [key for key in keys if key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"}]


# This file


def test_each_duty_names_its_specification() -> None:
    tests = [
        node
        for node in ast.parse(Path(__file__).read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    unnamed = [each.name for each in tests if "§" not in (ast.get_docstring(each) or "")]

    assert unnamed == ["test_each_duty_names_its_specification"]
    assert len(tests) > 80
