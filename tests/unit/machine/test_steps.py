"""The machine: steps are values, and `resume` is the only door."""

import pickle
from typing import cast

import pytest
from attrs import evolve, frozen

from oidc_core.jose.key_set import KeySet
from oidc_core.machine.dpop import with_demanded_nonce, with_proof
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
    resume,
)
from oidc_core.model.origins import PUBLIC_ONLY
from oidc_core.model.policy import Policy
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.answers import answered
from oidc_core.wire.errors import OidcError, Place, ProtocolViolation, UsageError
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, HttpResponse, NoAnswer
from oidc_core.wire.way import Channel, ChannelState, Way
from tests.unit.parties import CLIENT, CLIENT_ID, ISSUER, NOW, PROVIDER, relying_party

RP = relying_party()
REQUEST = HttpRequest(
    purpose="userinfo",
    method="GET",
    url="https://op.example/userinfo",
    way=Way(),
    headers=(),
    issuer=ISSUER,
    client_id=CLIENT_ID,
    resend="safe",
    max_body=1_024,
)
RESPONSE = HttpResponse(200, (), b"", NOW)
FAILURE = NoAnswer("maybe", "http_timeout", NOW)
FOUND = KeysFound(ISSUER, f"{ISSUER}/jwks", KeySet(), NOW, NOW)


@frozen(kw_only=True)
class AwaitingStatus(Exchange[int]):
    def consume(self, rp: RelyingParty, answer: Answer) -> Step[int]:
        return AwaitingCount(
            made_for=rp.digest, wanted=rp.keys_wanted["solicited"], so_far=status(answer)
        )


def status(answer: Answer) -> int:
    return answered(answer).status


@frozen(kw_only=True)
class AwaitingCount(NeedKeys[int]):
    so_far: int

    def consume(self, rp: RelyingParty, answer: KeysAnswer) -> Step[int]:
        return Done(self.so_far + (answer.now if isinstance(answer, KeysFound) else 0))


FIRST = AwaitingStatus(made_for=RP.digest, request=REQUEST)
SECOND = AwaitingCount(made_for=RP.digest, wanted=RP.keys_wanted["solicited"], so_far=200)


def given(step: Exchange[int], answer: Answer) -> Step[int]:
    """Resume an exchange as a shell does, which writes down what was sent."""
    return resume(RP, step, AnswerTo(step.request, answer))


def refusal(
    step: Exchange[int] | NeedKeys[int], answer: object, rp: RelyingParty = RP
) -> OidcError:
    """Return the error that an answer of any kind is refused with."""
    with pytest.raises(OidcError) as caught:
        resume(rp, cast("Exchange[int]", step), cast("AnswerTo", answer))
    return caught.value


def test_an_operation_goes_from_step_to_step() -> None:
    assert given(FIRST, RESPONSE) == SECOND
    assert resume(RP, SECOND, FOUND) == Done(200 + NOW)
    assert resume(RP, SECOND, KeysWithheld("throttled")) == Done(200)


def test_a_step_can_be_resumed_twice_and_kept() -> None:
    kept = pickle.loads(pickle.dumps(FIRST))
    assert kept == FIRST
    assert given(kept, RESPONSE) == given(FIRST, RESPONSE)
    assert hash(kept) == hash(FIRST)


def test_a_resume_that_fails_leaves_the_step_as_it_was() -> None:
    before = evolve(FIRST)
    assert refusal(FIRST, AnswerTo(REQUEST, FAILURE)).code == "http_timeout"
    assert before == FIRST
    assert given(FIRST, RESPONSE) == SECOND


@pytest.mark.parametrize(
    "other",
    [
        evolve(RP, client=evolve(CLIENT, client_id="client-2")),
        evolve(RP, client=evolve(CLIENT, connection_id="tenant-2")),
        evolve(RP, provider=evolve(PROVIDER, token_endpoint="https://op.example/moved")),
    ],
)
def test_a_step_of_another_relying_party_is_foreign(other: RelyingParty) -> None:
    for step, answer in ((FIRST, AnswerTo(REQUEST, RESPONSE)), (SECOND, FOUND)):
        error = refusal(step, answer, other)
        assert isinstance(error, UsageError)
        assert (error.code, error.found, error.expected) == (
            "foreign_step",
            RP.digest,
            other.digest,
        )


@pytest.mark.parametrize(
    ("step", "answer"),
    [(FIRST, FOUND), (FIRST, KeysWithheld("throttled")), (FIRST, RESPONSE), (FIRST, FAILURE),
     (FIRST, (REQUEST, RESPONSE)), (FIRST, None), (SECOND, RESPONSE), (SECOND, FAILURE),
     (SECOND, AnswerTo(REQUEST, RESPONSE)), (SECOND, "keys")],
)  # fmt: skip
def test_an_answer_of_another_kind_is_not_expected(
    step: Exchange[int] | NeedKeys[int], answer: object
) -> None:
    error = refusal(step, answer)
    assert isinstance(error, UsageError)
    assert (error.code, error.found) == ("answer_unexpected", type(answer).__name__)
    assert error.about == type(step).__name__


# --- an answer belongs to its request ------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        evolve(REQUEST, headers=(("authorization", "Bearer another-user-s"),)),
        evolve(REQUEST, url="https://op.example/elsewhere"),
        evolve(REQUEST, client_id="client-2"),
        evolve(REQUEST, form=(("a", "b"),)),
    ],
    ids=["user", "url", "client", "form"],
)
@pytest.mark.parametrize("answer", [RESPONSE, FAILURE], ids=["response", "failure"])
def test_an_answer_to_another_request_is_foreign(other: HttpRequest, answer: Answer) -> None:
    """It may be another user's."""
    error = refusal(FIRST, AnswerTo(other, answer))
    assert isinstance(error, UsageError)
    assert (error.code, error.found, error.expected) == ("answer_foreign", "userinfo", "userinfo")


def test_an_answer_to_a_request_for_something_else_says_so() -> None:
    error = refusal(FIRST, AnswerTo(evolve(REQUEST, purpose="token"), RESPONSE))
    assert (error.code, error.found, error.expected) == ("answer_foreign", "token", "userinfo")


def test_an_equal_request_is_the_same() -> None:
    twin = evolve(REQUEST)
    assert twin is not REQUEST
    assert resume(RP, FIRST, AnswerTo(twin, RESPONSE)) == SECOND


@pytest.mark.parametrize(
    ("found", "facts"),
    [
        (
            evolve(FOUND, jwks_uri="https://op.example/others"),
            ("https://op.example", "https://op.example/others"),
        ),
        (
            evolve(FOUND, issuer="https://evil.example", jwks_uri="https://evil.example/jwks"),
            ("https://evil.example", "https://evil.example/jwks"),
        ),
        (
            evolve(FOUND, issuer="https://evil.example"),
            ("https://evil.example", "https://op.example/jwks"),
        ),
    ],
    ids=["jwks_uri", "both", "issuer"],
)
def test_the_keys_of_another_provider_are_foreign(found: KeysFound, facts: tuple[str, str]) -> None:
    error = refusal(SECOND, found)
    assert isinstance(error, UsageError)
    assert (error.code, error.found) == ("answer_foreign", facts)
    assert error.expected == ("https://op.example", "https://op.example/jwks")


def test_keys_of_another_issuer_at_the_same_address_are_foreign_too() -> None:
    """Tenants may share an address; what is let in is not the same."""
    error = refusal(SECOND, evolve(FOUND, issuer="https://op.example/"))
    assert (type(error), error.code) == (UsageError, "answer_foreign")


# --- DPoP nonces ---------------------------------------------------------------------------------

NONCE_DEMANDED = HttpResponse(
    400, (("dpop-nonce", "n-1"),), b'{"error":"use_dpop_nonce"}', NOW
)  # fmt: skip
PROVING = evolve(FIRST, request=with_proof(REQUEST, "thumbprint"))


def test_a_demand_for_a_nonce_gives_the_same_step_with_the_nonce() -> None:
    again = given(PROVING, NONCE_DEMANDED)
    expected = with_demanded_nonce(PROVING.request, NONCE_DEMANDED)
    assert expected is not None
    assert again == evolve(PROVING, request=expected)
    assert again == given(PROVING, NONCE_DEMANDED)
    assert isinstance(again, AwaitingStatus)
    assert given(again, RESPONSE) == SECOND
    assert given(PROVING, RESPONSE) == SECOND


def test_after_a_demand_an_answer_to_the_request_before_is_foreign() -> None:
    again = given(PROVING, NONCE_DEMANDED)
    assert isinstance(again, AwaitingStatus)
    assert refusal(again, AnswerTo(PROVING.request, RESPONSE)).code == "answer_foreign"


def test_a_second_demand_for_a_nonce_is_an_error_and_leaves_the_step_as_it_was() -> None:
    again = given(PROVING, NONCE_DEMANDED)
    assert isinstance(again, AwaitingStatus)
    second = evolve(NONCE_DEMANDED, headers=(("dpop-nonce", "n-2"),))
    error = refusal(again, AnswerTo(again.request, second))
    assert (type(error), error.code) == (ProtocolViolation, "dpop_nonce_repeated")
    assert given(again, RESPONSE) == SECOND


@pytest.mark.parametrize(
    "answer", [NONCE_DEMANDED, evolve(NONCE_DEMANDED, status=401), evolve(RESPONSE, status=400)]
)
def test_a_refusal_of_a_request_without_a_proof_is_an_answer_like_any_other(
    answer: HttpResponse,
) -> None:
    assert given(FIRST, answer) == evolve(SECOND, so_far=answer.status)


def test_other_refusals_of_a_proof_are_answers_like_any_other() -> None:
    refused = evolve(NONCE_DEMANDED, body=b'{"error":"invalid_dpop_proof"}')
    assert given(PROVING, refused) == evolve(SECOND, so_far=400)
    assert refusal(PROVING, AnswerTo(PROVING.request, FAILURE)).code == "http_timeout"


@pytest.mark.parametrize("channel", ["unverified", "not_told"])
@pytest.mark.parametrize("status", [200, 400, 401])
def test_no_answer_counts_whose_server_nobody_verified_where_the_policy_says_so(
    channel: ChannelState, status: int
) -> None:
    strict = relying_party(policy=Policy(require_verified_channel=True))
    request = evolve(REQUEST, way=strict.targets["token_endpoint"].way)
    step = AwaitingStatus(made_for=strict.digest, request=request)
    answer = HttpResponse(status, (), b"", NOW, channel=Channel(channel))

    with pytest.raises(ProtocolViolation) as caught:
        resume(strict, step, AnswerTo(request, answer))

    error = caught.value
    assert (error.code, error.found, error.about) == ("channel_unverified", channel, "channel")
    verified = evolve(answer, channel=Channel("verified"))
    assert isinstance(resume(strict, step, AnswerTo(request, verified)), AwaitingCount)
    lax = evolve(RP, policy=Policy(quirks=frozenset({"insecure_skip_tls_verification"})))
    asked = evolve(REQUEST, way=lax.targets["token_endpoint"].way)
    mine = AwaitingStatus(made_for=lax.digest, request=asked)
    assert isinstance(resume(lax, mine, AnswerTo(asked, answer)), AwaitingCount)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (AnswerTo(REQUEST, cast("Answer", None)), "answer_unexpected"),
        (AnswerTo(REQUEST, cast("Answer", FOUND)), "answer_unexpected"),
        (AnswerTo(cast("HttpRequest", None), RESPONSE), "answer_foreign"),
    ],
)
def test_what_no_driver_should_give_is_a_usage_error(given: AnswerTo, code: str) -> None:
    error = refusal(FIRST, given)
    assert (type(error), error.code) == (UsageError, code)


@pytest.mark.parametrize("server", ["verified", "not_told"])
def test_where_nobody_is_exempt_no_answer_counts_whose_address_nobody_judged(
    server: ChannelState,
) -> None:
    strict = relying_party(policy=Policy(addresses=PUBLIC_ONLY))
    request = evolve(REQUEST, way=strict.targets["token_endpoint"].way)
    step = AwaitingStatus(made_for=strict.digest, request=request)
    answer = HttpResponse(200, (), b"", NOW, channel=Channel(server))
    with pytest.raises(UsageError) as caught:
        resume(strict, step, AnswerTo(request, answer))
    assert (caught.value.code, caught.value.about) == ("config_invalid", "transport")
    judged = evolve(answer, channel=Channel(server, addresses_judged=True))
    assert isinstance(resume(strict, step, AnswerTo(request, judged)), AwaitingCount)
    unverified = evolve(answer, channel=Channel("unverified"))
    with pytest.raises(ProtocolViolation) as refused:
        resume(strict, step, AnswerTo(request, unverified))
    assert refused.value.code == "channel_unverified"


def test_a_word_that_no_channel_has_is_refused() -> None:
    step = AwaitingStatus(made_for=RP.digest, request=REQUEST)
    answer = HttpResponse(200, (), b"", NOW, channel=cast("ChannelState", "sure"))
    with pytest.raises(ProtocolViolation) as caught:
        resume(RP, step, AnswerTo(REQUEST, answer))
    assert (caught.value.code, caught.value.found) == ("channel_unverified", "sure")


def test_an_error_says_in_which_exchange_it_happened() -> None:
    """Neither the query of a URL nor a mistake of the caller is told as the provider's place."""
    step = evolve(FIRST, request=evolve(REQUEST, url="https://op.example/t/x?key=1"))

    error = refusal(step, AnswerTo(step.request, FAILURE))

    assert (error.code, error.place) == (
        "http_timeout",
        Place("userinfo", "https://op.example/t/x"),
    )
    assert refusal(step, AnswerTo(REQUEST, FAILURE)).place is None
