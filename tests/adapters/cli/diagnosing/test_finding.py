"""Where the metadata is."""

import pytest

from oidc_adapters.cli.diagnosing.finding import fetch, find
from oidc_core.wire.errors import ProtocolViolation

from .shells import ISSUER, METADATA, Places, json_answer, places, shell_at, well_known

OAUTH = f"{ISSUER}/.well-known/oauth-authorization-server"


def test_the_issuer_itself_is_found_first() -> None:
    transport = places()

    found, verdict = find(shell_at(transport), ISSUER)

    assert found is not None
    assert (found.issuer, found.discovery_url, verdict.outcome) == (ISSUER, None, "passed")
    assert transport.asked == [well_known(ISSUER)]


@pytest.mark.parametrize(
    ("configured", "meant", "kind"),
    [
        (f"{ISSUER}/", ISSUER, "the final slash"),
        (ISSUER, f"{ISSUER}/", "the final slash"),
        (well_known(ISSUER), ISSUER, "the address of the metadata"),
        (f"{ISSUER}/realms/a/protocol/openid-connect/auth", f"{ISSUER}/realms/a", "path"),
        (f"{ISSUER}/realms/A", f"{ISSUER}/realms/a", "upper and lower case"),
        (ISSUER, f"{ISSUER}/oauth2/default", "path"),
        ("http://op.example", ISSUER, "scheme"),
        ("op.example", ISSUER, "not a URL"),
        (f" {ISSUER}?x=1", ISSUER, ""),
        (f"{ISSUER}:443", ISSUER, ""),
    ],
)
def test_a_mistake_leads_to_the_issuer_that_was_meant(
    configured: str, meant: str, kind: str
) -> None:
    transport = places(meant)
    transport.answers[well_known(f"{ISSUER}:443")] = transport.answers[well_known(meant)]

    found, verdict = find(shell_at(transport), configured)

    assert found is not None
    assert (found.issuer, verdict.outcome) == (meant, "failed")
    assert verdict.hint.startswith(f"configure {meant}: its metadata is there and names it (")
    assert kind in verdict.hint


def test_metadata_at_the_place_of_oauth_is_found() -> None:
    transport = Places({OAUTH: json_answer(METADATA)})

    found, verdict = find(shell_at(transport), ISSUER)

    assert found is not None
    assert found.discovery_url == OAUTH
    assert verdict.hint == f"its metadata is elsewhere: set discovery_url to {OAUTH}"


def test_another_host_is_not_asked() -> None:
    transport = Places(
        {well_known(ISSUER): json_answer({**METADATA, "issuer": "https://a.example"})}
    )

    found, verdict = find(shell_at(transport), ISSUER)

    assert (found, verdict.code.partition(" ")[0]) == (None, "metadata_issuer_mismatch")
    assert {url.split("/")[2] for url in transport.asked} == {"op.example"}


def test_nothing_near_is_no_guess_and_costs_few_requests() -> None:
    transport = Places({})

    found, verdict = find(shell_at(transport), f"{ISSUER}/a/b/c/d/e")

    assert (found, verdict.code) == (None, "http_status_unexpected")
    assert verdict.hint == "check the issuer; give discovery_url if the metadata is somewhere else"
    assert len(transport.asked) <= 9


@pytest.mark.parametrize("configured", ["", "https://[", "mailto:x"])
def test_what_is_no_url_at_all_finds_nothing(configured: str) -> None:
    found, verdict = find(shell_at(Places({})), configured)

    assert (found, verdict.outcome) == (None, "failed")


def test_metadata_that_no_client_could_use_is_found_all_the_same() -> None:
    found = fetch(shell_at(places(id_token_signing_alg_values_supported=("none",))), ISSUER)

    assert found.metadata.id_token_signing_alg_values_supported == ("none",)


def test_a_refusal_is_that_of_a_login() -> None:
    with pytest.raises(ProtocolViolation) as refused:
        fetch(shell_at(Places({})), ISSUER)

    assert refused.value.code == "http_status_unexpected"
