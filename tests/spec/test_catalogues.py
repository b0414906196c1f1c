"""Two published catalogues of tests for clients: every entry is played, or has a reason.

The modules of the OpenID Foundation's conformance suite (5.2.4), and the steps of PrOfESSOS.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, ODD_BUT_LEGAL, Misbehaviour
from oidc_adapters.testing.law_trials import Trial
from oidc_adapters.testing.misbehaviours.catalogues import PROFESSOS, SUITE
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from tests.meta.trees import ROOT

PAR: Final = "pushed authorization requests are not there yet"
JAR: Final = "request objects are not there yet"
JARM: Final = "responses in a JWT are not there yet"
HYBRID: Final = "front-channel ID tokens are not there yet"
MTLS: Final = "client certificates are not there yet"
ELSEWHERE: Final = "aggregated and distributed claims are not processed"
ECOSYSTEM: Final = "a profile of one ecosystem, with interfaces of banks"
OIDC, FAPI_1, FAPI_2 = (
    "oidcc-client-test",
    "fapi1-advanced-final-client",
    "fapi2-security-profile-final-client",
)
NOT_YET: Final = {
    f"{OIDC}-3rd-party-init-login": "logins that a third party begins are not there yet",
    f"{OIDC}-aggregated-claims": ELSEWHERE,
    f"{OIDC}-distributed-claims": ELSEWHERE,
    f"{OIDC}-discovery-webfinger-acct": "WebFinger is not there yet",
    f"{OIDC}-discovery-webfinger-url": "WebFinger is not there yet",
    f"{OIDC}-dynamic-registration": "dynamic registration is not there yet",
    f"{OIDC}-invalid-chash": HYBRID,
    f"{OIDC}-missing-athash": HYBRID,
    f"{OIDC}-missing-chash": HYBRID,
    f"{OIDC}-mtls-endpoint-aliases": MTLS,
    f"{OIDC}-request-uri-signed-none": JAR,
    f"{OIDC}-request-uri-signed-rs256": JAR,
    f"{OIDC}-userinfo-bearer-body": "an access token goes into the header, never into a body",
    f"{FAPI_1}-brazildcr-happypath-test": ECOSYSTEM,
    f"{FAPI_1}-refresh-token-test": JAR,
    f"{FAPI_1}-test": JAR,
    f"{FAPI_1}-test-invalid-chash": HYBRID,
    f"{FAPI_1}-test-invalid-missing-shash": HYBRID,
    f"{FAPI_1}-test-invalid-openbanking-intent-id": ECOSYSTEM,
    f"{FAPI_1}-test-invalid-shash": HYBRID,
    f"{FAPI_1}-test-payment-consent-response-valid-aud-as-array": ECOSYSTEM,
    f"{FAPI_1}-test-unencrypted-request-object-with-par": JAR,
    f"{FAPI_2}-brazildcr-happypath-test": ECOSYSTEM,
    f"{FAPI_2}-refresh-token-test": PAR,
    f"{FAPI_2}-test-happy-path": PAR,
    f"{FAPI_2}-test-happy-path-no-dpop-nonce": PAR,
    f"{FAPI_2}-test-invalid-openbanking-intent-id": ECOSYSTEM,
    **{
        f"{FAPI_2}-test-ensure-jarm-{name}": JARM
        for name in (
            "signature-is-not-none",
            "with-expired-exp-fails",
            "with-invalid-aud-fails",
            "with-invalid-iss-fails",
            "with-invalid-sig-fails",
            "without-aud-fails",
            "without-exp-fails",
            "without-iss-fails",
        )
    },
}
"""Modules that nothing plays, each with the reason."""

FLOWS: Final = "tests/flows"
MIX_UP: Final = f"{FLOWS}/test_mix_up.py::test_a_configuration_is_refused_or_every_attack_is"
OTHER_BROWSER: Final = (
    "tests/unit/endpoints/test_authorization_response.py::test_another_browser_is_refused"
)
ROTATION: Final = (
    f"{FLOWS}/test_login_flow.py::test_a_login_after_a_rotation_fetches_the_keys_once_more"
)
TWO_LOGINS: Final = "tests/unit/operations/test_login.py::test_two_logins_of_one_browser_do_not_mix"
LOGOUTS: Final = f"{FLOWS}/test_logout_modules.py"
PLAYED: Final = {
    f"{OIDC}-rp-frontchannel-opinitlogout": f"{LOGOUTS}::test_a_logout_in_the_front_channel",
    f"{OIDC}-rp-frontchannel-rpinitlogout": f"{LOGOUTS}::test_a_logout_in_the_front_channel",
    f"{OIDC}-rp-init-logout": f"{LOGOUTS}::test_a_return_from_a_logout",
    f"{OIDC}-rp-init-logout-no-state": f"{LOGOUTS}::test_a_return_from_a_logout",
    f"{OIDC}-rp-init-logout-other-state": f"{LOGOUTS}::test_a_return_from_a_logout",
    f"{OIDC}-session-management": f"{LOGOUTS}::test_session_management",
    f"{OIDC}-signing-key-rotation": ROTATION,
    f"{OIDC}-signing-key-rotation-just-before-signing": ROTATION,
    f"{FAPI_2}-test-rs-dpop-auth-scheme-case-insensitivity": (
        "tests/unit/wire/test_challenge.py::test_a_challenge_is_taken_apart"
    ),
    "CSRF 2": OTHER_BROWSER,
    "IdP Confusion": MIX_UP,
    "Key Confusion 6": MIX_UP,
    "Malicious Endpoint": MIX_UP,
    "Session Overwriting 1": TWO_LOGINS,
    "Session Overwriting 2": TWO_LOGINS,
}
"""What needs more than a provider, with the test that plays it."""

RS256: Final[dict[str, Any]] = {"id_token_signed_response_alg": "RS256"}
REGISTERED: Final[dict[str, dict[str, Any]]] = {
    f"{OIDC}-invalid-sig-es256": {"id_token_signed_response_alg": "ES256"},
    f"{OIDC}-invalid-sig-hs256": {"id_token_signed_response_alg": "HS256"},
    f"{OIDC}-userinfo-signed": {"userinfo_signed_response_alg": "RS256"},
    f"{FAPI_1}-test-encrypted-idtoken": {"id_token_encrypted_response_alg": "RSA-OAEP"},
    f"{FAPI_1}-test-encrypted-idtoken-usingrsa15": {"id_token_encrypted_response_alg": "RSA-OAEP"},
}
ENTRIES: Final = {**SUITE, **PROFESSOS}


def trial(name: str) -> Trial:
    """Return the client that an entry is about: signed by RS256 unless it says otherwise."""
    registered = {**RS256, **REGISTERED.get(name, {})}
    client = ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback",),
        scope="openid" if name == "ID Spoofing 1" else "openid email offline_access",
        **registered,
    )
    request = AuthenticationRequest(response_mode="form_post" if "form-post" in name else "query")
    policy = Policy(userinfo="never" if name == "ID Spoofing 1" else "required")
    return Trial(policy=policy, registration=client, request=request)


def test_every_module_of_the_suite_is_played_or_has_a_reason() -> None:
    played = {name for name in PLAYED if "client" in name}

    assert len(SUITE) + len(NOT_YET) + len(played) == 118
    assert not (SUITE.keys() & NOT_YET.keys()) | (SUITE.keys() & played)
    print(f"{len(SUITE)} by a provider, {len(played)} by tests, {len(NOT_YET)} not there yet")


def test_every_step_of_professos_is_played() -> None:
    played = {name for name in PLAYED if "client" not in name}

    assert len(PROFESSOS) + len(played) == 70
    assert not PROFESSOS.keys() & played


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_refused_with_the_code_of_its_rows_or_accepted(name: str) -> None:
    rows = [MISBEHAVIOURS.get(row) or ODD_BUT_LEGAL[row] for row in ENTRIES[name]]
    client = trial(name)
    codes: set[str | None] = {row.code for row in rows if isinstance(row, Misbehaviour)}

    for row in rows:
        assert row.applies(client.policy, client.registration, client.request), row.name
    assert client.code(rows) in (codes or {None})


@pytest.mark.parametrize("test", sorted(set(PLAYED.values())))
def test_a_test_that_plays_an_entry_is_there(test: str) -> None:
    path, _, name = test.partition("::")

    assert f"def {name}(" in (ROOT / path).read_text("utf-8")
