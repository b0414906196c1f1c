"""The machine: steps are values, and `resume` is the only door."""

import pickle
from typing import cast

import pytest
from attrs import evolve, frozen

from oidc_core.jose.jwk import KeySet
from oidc_core.machine.dpop import with_demanded_nonce, with_proof
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
    answered,
    keys_wanted,
    resume,
)
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import OidcError, ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.http import Answer, HttpRequest, HttpResponse, NoAnswer, Sent
from tests.unit.parties import CLIENT, CLIENT_ID, ISSUER, NOW, PROVIDER, relying_party

RP = relying_party()
REQUEST = HttpRequest(
    purpose="userinfo",
    method="GET",
    url="https://op.example/userinfo",
    headers=(),
    issuer=ISSUER,
    client_id=CLIENT_ID,
    resend="safe",
    max_body=1,
)
RESPONSE = HttpResponse(200, (), b"", NOW)
FAILURE = NoAnswer("maybe", "http_timeout", NOW)
FOUND = KeysFound(KeySet(), NOW, NOW)


@frozen(kw_only=True)
class AwaitingStatus(Exchange[int]):
    def consume(self, rp: RelyingParty, answer: Answer) -> Step[int]:
        return AwaitingCount(
            made_for=rp.digest, wanted=keys_wanted(rp, "solicited"), so_far=status(answer)
        )


def status(answer: Answer) -> int:
    return answered(answer).status


@frozen(kw_only=True)
class AwaitingCount(NeedKeys[int]):
    so_far: int

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[int]:
        return Done(self.so_far + (answer.now if isinstance(answer, KeysFound) else 0))


FIRST = AwaitingStatus(made_for=RP.digest, request=REQUEST)
SECOND = AwaitingCount(made_for=RP.digest, wanted=keys_wanted(RP, "solicited"), so_far=200)


def refusal(
    step: Exchange[int] | NeedKeys[int], answer: object, rp: RelyingParty = RP
) -> OidcError:
    with pytest.raises(OidcError) as caught:
        resume(rp, cast("Exchange[int]", step), cast("Answer", answer))
    return caught.value


def test_an_operation_goes_from_step_to_step() -> None:
    assert resume(RP, FIRST, RESPONSE) == SECOND
    assert resume(RP, SECOND, FOUND) == Done(200 + NOW)
    assert resume(RP, SECOND, KeysWithheld("throttled")) == Done(200)


def test_a_step_can_be_resumed_twice_and_kept() -> None:
    kept = pickle.loads(pickle.dumps(FIRST))
    assert kept == FIRST
    assert resume(RP, kept, RESPONSE) == resume(RP, FIRST, RESPONSE)
    assert hash(kept) == hash(FIRST)


def test_a_resume_that_fails_leaves_the_step_as_it_was() -> None:
    before = evolve(FIRST)
    assert refusal(FIRST, FAILURE).code == "http_timeout"
    assert before == FIRST
    assert resume(RP, FIRST, RESPONSE) == SECOND


@pytest.mark.parametrize(
    "other",
    [
        evolve(RP, client=evolve(CLIENT, client_id="client-2")),
        evolve(RP, client=evolve(CLIENT, connection_id="tenant-2")),
        evolve(RP, provider=evolve(PROVIDER, token_endpoint="https://op.example/moved")),
    ],
)
def test_a_step_of_another_relying_party_is_foreign(other: RelyingParty) -> None:
    for step, answer in ((FIRST, RESPONSE), (SECOND, FOUND)):
        error = refusal(step, answer, other)
        assert isinstance(error, UsageError)
        assert (error.code, error.found, error.expected) == (
            "foreign_step",
            RP.digest,
            other.digest,
        )


@pytest.mark.parametrize(
    ("step", "answer"),
    [(FIRST, FOUND), (FIRST, KeysWithheld("throttled")), (SECOND, RESPONSE), (SECOND, FAILURE),
     (FIRST, None), (SECOND, "keys")],
)  # fmt: skip
def test_an_answer_of_another_kind_is_not_expected(
    step: Exchange[int] | NeedKeys[int], answer: object
) -> None:
    error = refusal(step, answer)
    assert isinstance(error, UsageError)
    assert (error.code, error.found) == ("answer_unexpected", type(answer).__name__)
    assert error.about == type(step).__name__


NONCE_DEMANDED = HttpResponse(
    400, (("dpop-nonce", "n-1"),), b'{"error":"use_dpop_nonce"}', NOW
)  # fmt: skip
PROVING = evolve(FIRST, request=with_proof(REQUEST, "thumbprint"))


def test_a_demand_for_a_nonce_gives_the_same_step_with_the_nonce() -> None:
    again = resume(RP, PROVING, NONCE_DEMANDED)
    expected = with_demanded_nonce(PROVING.request, NONCE_DEMANDED)
    assert expected is not None
    assert again == evolve(PROVING, request=expected)
    assert again == resume(RP, PROVING, NONCE_DEMANDED)
    assert isinstance(again, AwaitingStatus)
    assert resume(RP, again, RESPONSE) == SECOND
    assert resume(RP, PROVING, RESPONSE) == SECOND


def test_a_second_demand_for_a_nonce_is_an_error_and_leaves_the_step_as_it_was() -> None:
    again = resume(RP, PROVING, NONCE_DEMANDED)
    assert isinstance(again, AwaitingStatus)
    error = refusal(again, evolve(NONCE_DEMANDED, headers=(("dpop-nonce", "n-2"),)))
    assert (type(error), error.code) == (ProtocolViolation, "dpop_nonce_repeated")
    assert resume(RP, again, RESPONSE) == SECOND


@pytest.mark.parametrize(
    "answer", [NONCE_DEMANDED, evolve(NONCE_DEMANDED, status=401), evolve(RESPONSE, status=400)]
)
def test_a_refusal_of_a_request_without_a_proof_is_an_answer_like_any_other(
    answer: HttpResponse,
) -> None:
    assert resume(RP, FIRST, answer) == evolve(SECOND, so_far=answer.status)


def test_other_refusals_of_a_proof_are_answers_like_any_other() -> None:
    refused = evolve(NONCE_DEMANDED, body=b'{"error":"invalid_dpop_proof"}')
    assert resume(RP, PROVING, refused) == evolve(SECOND, so_far=400)
    assert refusal(PROVING, FAILURE).code == "http_timeout"


@pytest.mark.parametrize("sent", ["no", "maybe"])
def test_a_failed_exchange_fails_with_its_own_code(sent: Sent) -> None:
    failure = evolve(FAILURE, sent=sent, code="tls_failed")
    with pytest.raises(TransportFailure) as caught:
        answered(failure)
    assert (caught.value.code, caught.value.sent) == ("tls_failed", sent)


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_never_followed(code: int) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        answered(evolve(RESPONSE, status=code))
    assert (caught.value.code, caught.value.found) == ("http_redirect_refused", code)


@pytest.mark.parametrize("code", [200, 299, 400, 500])
def test_any_other_status_is_an_answer(code: int) -> None:
    response = evolve(RESPONSE, status=code)
    assert answered(response) is response


def test_keys_are_wished_for_from_the_provider() -> None:
    wanted = keys_wanted(RP, "unsolicited")
    assert (wanted.issuer, wanted.client_id) == (ISSUER, CLIENT_ID)
    assert (wanted.jwks_uri, wanted.source) == (PROVIDER.jwks_uri, "unsolicited")
    assert wanted.max_age == RP.policy.key_set_max_age


def test_a_provider_without_keys_cannot_be_asked() -> None:
    with pytest.raises(UsageError) as caught:
        keys_wanted(relying_party(evolve(PROVIDER, jwks_uri=None)), "solicited")
    assert (caught.value.code, caught.value.about) == ("unsupported_by_provider", "jwks_uri")
