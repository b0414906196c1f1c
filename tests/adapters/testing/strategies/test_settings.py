from __future__ import annotations

from hypothesis import given, settings

from oidc_adapters.testing.samples import NOW, SignedToken, judged, login_secrets
from oidc_adapters.testing.samples.parties import relying_party
from oidc_adapters.testing.strategies import policies, requests
from oidc_core import AuthenticationRequest, LoginStarted, Policy
from oidc_core.machine.steps import Done
from oidc_core.operations import login

FEW = settings(max_examples=15)


@FEW
@given(policies())
def test_every_policy_accepts_the_simplest_token_and_refuses_another_login(policy: Policy) -> None:
    assert judged(SignedToken(), policy) == ""
    assert judged(SignedToken(fault="wrong_nonce"), policy) == "nonce_mismatch"


@FEW
@given(requests(), policies())
def test_a_login_can_be_started_with_every_request(
    request: AuthenticationRequest, policy: Policy
) -> None:
    started = login.start(relying_party(policy=policy), login_secrets(0), request, now=NOW)

    assert isinstance(started, Done)
    assert isinstance(started.result, LoginStarted)


@FEW
@given(requests(without=["prompt", "max_age"]))
def test_arguments_are_left_out_by_name(request: AuthenticationRequest) -> None:
    assert (request.prompt, request.max_age) == ("", None)
