"""``oidc doctor`` at providers made by others: what it says, and that its advice works."""

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.cli import run
from oidc_adapters.cli.world import world_of_this_process
from tests.interop.install import Unavailable
from tests.interop.matrix import TRIED, Tried
from tests.interop.parties import running


def told(*argv: str) -> tuple[int, Mapping[str, Any]]:
    """Run the doctor in this process, and return its exit status and its JSON."""
    out = StringIO()
    status = run(["doctor", *argv, "--json"], evolve(world_of_this_process(), out=out))
    return status, json.loads(out.getvalue())


def checks(found: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in found["checks"]}


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.key)
def test_a_provider_that_logs_users_in_is_sound(tried: Tried) -> None:
    try:
        with running(tried) as party:
            metadata = party.metadata()
            status, found = told(party.issuer, "--client-id", "rp")
            pasted_status, pasted = told(f"{party.issuer}/.well-known/openid-configuration")
            endpoint_status, endpoint = told(metadata["authorization_endpoint"])
    except Unavailable as why:
        pytest.skip(f"no {tried.name}: {why}")

    assert (status, found["sound"], found["examined"]) == (0, True, party.issuer)
    seen = checks(found)
    assert {seen[name] for name in ("issuer", "clock", "endpoints", "key", "algorithms")} == {
        "passed"
    }
    announced = metadata.get("authorization_response_iss_parameter_supported")
    assert (seen["iss"] == "passed") is bool(announced)
    assert (seen["end_session_endpoint"] == "passed") is ("end_session_endpoint" in metadata)
    assert f'issuer="{party.issuer}"' in found["configuration"]["source"]
    for status_of_other, other in ((pasted_status, pasted), (endpoint_status, endpoint)):
        assert (status_of_other, other["examined"]) == (1, party.issuer)
        (issuer,) = [each for each in other["checks"] if each["name"] == "issuer"]
        assert f"configure {party.issuer}: " in issuer["hint"]
