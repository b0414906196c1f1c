"""The promises of the metadata."""

import pytest

from oidc_adapters.cli.diagnosing.metadata import metadata_verdicts
from oidc_adapters.cli.verdicts import Verdict
from oidc_core.model.provider import metadata_of
from oidc_core.wire.jsontypes import JsonValue

from .shells import ISSUER, METADATA


def verdicts(**members: JsonValue) -> dict[str, Verdict]:
    provider = metadata_of({**METADATA, **members})
    return {each.name: each for each in metadata_verdicts(provider)}


def failed(**members: JsonValue) -> dict[str, str]:
    found = verdicts(**members)
    return {name: each.code for name, each in found.items() if each.outcome == "failed"}


def test_little_is_enough() -> None:
    found = verdicts()

    assert failed() == {}
    assert found["response_types_supported"].reason == "the metadata says nothing"
    assert found["iss"].outcome == "skipped"


@pytest.mark.parametrize(
    ("member", "value", "name", "code"),
    [
        ("response_types_supported", ("id_token",), None, "unsupported_by_provider"),
        ("grant_types_supported", ("implicit",), None, "unsupported_by_provider"),
        ("response_modes_supported", ("fragment",), None, "unsupported_by_provider"),
        ("require_pushed_authorization_requests", True, None, "unsupported_by_provider"),
        ("require_signed_request_object", True, None, "unsupported_by_provider"),
        ("code_challenge_methods_supported", ("plain",), "pkce", "unsupported_by_provider"),
        (
            "id_token_signing_alg_values_supported",
            ("HS256",),
            "algorithms",
            "unsupported_by_provider",
        ),
        (
            "token_endpoint_auth_methods_supported",
            ("tls_client_auth",),
            "authentication",
            "unsupported_by_provider",
        ),
        ("token_endpoint", None, "endpoints", "unsupported_by_provider"),
    ],
)
def test_each_obstacle_is_named_by_itself(
    member: str, value: JsonValue, name: str | None, code: str
) -> None:
    found = failed(**{member: value})

    assert {each: told.partition(" ")[0] for each, told in found.items()} == {name or member: code}


def test_several_obstacles_are_all_named() -> None:
    found = failed(
        response_types_supported=("id_token",), code_challenge_methods_supported=("plain",)
    )

    assert set(found) == {"response_types_supported", "pkce"}


def test_silence_about_pkce_is_a_warning() -> None:
    pkce = verdicts(code_challenge_methods_supported=None)["pkce"]

    assert (pkce.outcome, pkce.reason) == ("warned", "the metadata says nothing")


@pytest.mark.parametrize("methods", [("private_key_jwt",), ("none",), ("client_secret_jwt",)])
def test_one_way_to_authenticate_is_enough(methods: tuple[str, ...]) -> None:
    found = verdicts(token_endpoint_auth_methods_supported=methods)["authentication"]

    assert (found.outcome, found.found) == ("passed", methods)


def test_what_is_offered_is_told() -> None:
    found = verdicts(
        end_session_endpoint=f"{ISSUER}/end",
        backchannel_logout_supported=True,
        frontchannel_logout_supported=False,
        grant_types_supported=("authorization_code", "refresh_token"),
        scopes_supported=("openid", "offline_access"),
        authorization_response_iss_parameter_supported=True,
    )

    assert found["end_session_endpoint"].found == f"{ISSUER}/end"
    assert found["backchannel_logout_supported"].outcome == "passed"
    assert found["frontchannel_logout_supported"].reason == "it does not offer that"
    assert found["revocation_endpoint"].reason == "the metadata says nothing"
    assert (found["refresh"].outcome, "offline_access" in found["refresh"].hint) == ("passed", True)
    assert found["iss"].outcome == "passed"
    assert verdicts(grant_types_supported=("authorization_code",))["refresh"].outcome == "skipped"


def test_malformed_members_are_a_warning() -> None:
    noted = verdicts(claims_supported=7)["metadata"]

    assert (noted.outcome, noted.found) == ("warned", "malformed: claims_supported")
