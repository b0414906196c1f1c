"""The law of misbehaviours, for clients of every kind.

An honest provider is accepted, and a misbehaviour that applies is refused with its code.  One that
is accepted though its message comes is named here.
"""

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.laws import LawReport, check_law
from oidc_adapters.testing.misbehaviours import ODD_BUT_LEGAL
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.wire.limits import Limits

CLIENT: Final = ClientRegistration(
    client_id="client",
    redirect_uris=("https://rp.example/callback",),
    scope="openid profile email offline_access",
)
DEMANDING: Final = AuthenticationRequest(max_age=600, required_acr=("urn:example:two-factor",))
REQUIRED: Final = Policy(userinfo="required")
STRICT: Final = Policy(
    userinfo="required",
    require_at_hash=True,
    require_logout_typ=True,
    require_essential_claims=True,
    forbid_extra_scope=True,
    require_verified_channel=True,
)
PATIENT: Final = Policy(
    id_token_age=10**7,
    logout_token_age=10**7,
    limits=Limits(id_token=200 * 1_024, metadata=400 * 1_024),
)


def registered(**changed: Any) -> ClientRegistration:
    return evolve(CLIENT, **changed)


def encrypted(kind: str) -> dict[str, Any]:
    return {
        f"{kind}_encrypted_response_alg": "ECDH-ES+A128KW",
        f"{kind}_encrypted_response_enc": "A128GCM",
    }


SIGNED: Final = registered(userinfo_signed_response_alg="EdDSA")
BOTH: Final = registered(userinfo_signed_response_alg="EdDSA", **encrypted("userinfo"))
ESSENTIAL: Final = AuthenticationRequest(claims={"id_token": {"email": {"essential": True}}})
STRICT_CLIENT: Final = registered(backchannel_logout_session_required=True)
TRUSTING: Final = registered(trusted_audiences={"another-client"})
CLIENTS: Final[dict[str, tuple[Policy, ClientRegistration, AuthenticationRequest]]] = {
    "by default": (DEFAULT_POLICY, CLIENT, DEFAULT_REQUEST),
    "that demands all": (REQUIRED, CLIENT, DEMANDING),
    "with signed UserInfo": (REQUIRED, SIGNED, DEFAULT_REQUEST),
    "with an encrypted ID token": (REQUIRED, registered(**encrypted("id_token")), DEMANDING),
    "with signed, encrypted UserInfo": (REQUIRED, BOTH, DEFAULT_REQUEST),
    "with HMAC": (REQUIRED, registered(id_token_signed_response_alg="HS256"), DEMANDING),
    "with one algorithm": (REQUIRED, registered(id_token_signed_response_alg="ES256"), DEMANDING),
    "that is strict": (STRICT, STRICT_CLIENT, ESSENTIAL),
}
QUICK: Final = ("by default", "that demands all", "with HMAC")
MORE_CLIENTS: Final[dict[str, tuple[Policy, ClientRegistration, AuthenticationRequest]]] = {
    "without UserInfo": (Policy(userinfo="never"), CLIENT, DEMANDING),
    "with encrypted UserInfo": (REQUIRED, registered(**encrypted("userinfo")), DEMANDING),
    "with RSA": (REQUIRED, registered(id_token_signed_response_alg="RS256"), DEMANDING),
    "with RSA-PSS": (REQUIRED, registered(id_token_signed_response_alg="PS256"), DEMANDING),
    "with EdDSA": (REQUIRED, registered(id_token_signed_response_alg="EdDSA"), DEMANDING),
    "without a nonce": (evolve(REQUIRED, quirks={"nonce_not_echoed"}), CLIENT, DEMANDING),
    "with further audiences": (
        REQUIRED,
        registered(trusted_audiences={"another-client"}),
        DEMANDING,
    ),
    "with a form": (REQUIRED, CLIENT, AuthenticationRequest(response_mode="form_post")),
    "that is public": (REQUIRED, registered(token_endpoint_auth_method="none"), DEMANDING),
    "that is patient": (PATIENT, CLIENT, DEMANDING),
    "without a refresh": (REQUIRED, registered(scope="openid"), DEMANDING),
}
DROPPED: Final = {
    "userinfo_duplicate_sub_last": "json_member_duplicated",
    "userinfo_array": "json_not_object",
    "userinfo_not_json": "json_malformed",
    "userinfo_text": "content_type_unexpected",
    "userinfo_401": "provider_error",
    "userinfo_404": "http_status_unexpected",
    "userinfo_too_large": "http_too_large",
    "userinfo_as_jwt": "content_type_unexpected",
    "userinfo_no_sub": "sub_missing",
    "userinfo_duplicate_sub": "json_member_duplicated",
    "userinfo_html": "content_type_unexpected",
    "userinfo_500": "http_status_unexpected",
    "userinfo_redirect": "http_redirect_refused",
    "userinfo_dropped": "http_malformed",
}
"""Accepted where UserInfo is optional: it is not used then; by the code that is noted."""


def checked(name: str, **how: Any) -> LawReport:
    policy, client, request = {**CLIENTS, **MORE_CLIENTS}[name]
    return check_law(policy, client, request, **how)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CLIENTS],
)
def test_the_law_holds_for_a_client(name: str) -> None:
    report = checked(name)

    assert report.broken == (), report


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE_CLIENTS)
def test_the_law_holds_for_a_further_client(name: str) -> None:
    report = checked(name)

    assert report.broken == (), report


def test_every_misbehaviour_applies_to_a_client() -> None:
    applied = {
        row.name
        for client in CLIENTS.values()
        for row in MISBEHAVIOURS.values()
        if row.applies(*client)
    }

    assert applied == set(MISBEHAVIOURS)


def test_only_what_is_not_used_is_accepted() -> None:
    """By default every misbehaviour is refused whose message comes and is used."""
    report, known = checked("by default"), {**MISBEHAVIOURS, **ODD_BUT_LEGAL}

    accepted = {
        each.names[0]
        for each in report.spared
        if each.code is None and not known[each.names[0]].needs
    }

    dropped_and_odd = {name for name in ODD_BUT_LEGAL if name.startswith("userinfo_")}
    assert accepted == {*DROPPED, *dropped_and_odd}
    assert {name: MISBEHAVIOURS[name].code for name in DROPPED} == DROPPED
