"""Keys that were not available: the error says why, where, and when they are read again."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.stores.provider_keys import MemoryProviderKeys
from oidc_core.machine.steps import KeysWithheld, NeedKeys, Step
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import Place, ProtocolViolation, TransportFailure
from oidc_core.wire.http import Answer, AnswerTo, HttpRequest, HttpResponse, NoAnswer
from tests.parties import (
    ISSUER,
    NOW,
    RP,
    claims_for,
    done,
    json_response,
    keys,
    refused,
    relying_party,
    resume,
)
from tests.signing import signed, signing_key

OLD = {"keys": [signing_key().public_jwk()]}
NEW = signing_key(slot="rotated", kid="k2")
NEWEST = signing_key(slot="third", kid="k3")
JWKS = Place("key_set", f"{ISSUER}/jwks")
CHECK = "check jwks_uri in the metadata; metadata_overrides can correct it"


class Endpoint:
    """A ``jwks_uri`` and the memory in which what it says is kept."""

    def __init__(self, answer: Answer, rp: Any = RP) -> None:
        self.answer, self.rp = answer, rp
        self.clock = FrozenClock(NOW)
        self.memory = MemoryProviderKeys()

    def send(self, request: HttpRequest) -> AnswerTo:
        return AnswerTo(request, self.answer)

    def validated(self, key: Any = None) -> Step[Any]:
        """Validate a token with the available keys; a refusal is raised."""
        now = self.clock.now()
        token = signed(claims_for("n", exp=now + 60, iat=now), key or signing_key())
        demands = Demands(nonce="n", started_at=now)
        step: Step[Any] = validate(self.rp, token, demands, now=now)
        while isinstance(step, NeedKeys):
            step = resume(self.rp, step, self.memory.find(step.wanted, self.send, self.clock))
        return step

    def refused(self, key: Any = None) -> TransportFailure:
        with pytest.raises(TransportFailure) as caught:
            self.validated(key)
        assert caught.value.code == "keys_unavailable"
        return caught.value


FAULTS: list[tuple[Answer, dict[str, object]]] = [
    (json_response(OLD, status=404), {
        "found": 404, "expected": 200, "cause": "http_status_unexpected", "retryable": "no",
        "kind": "configuration", "hint": CHECK, "sent": "maybe"}),
    (json_response(OLD, status=503), {
        "found": 503, "cause": "http_status_unexpected", "retryable": "later", "kind": "later",
        "sent": "maybe"}),
    (json_response(OLD, content_type="text/html"), {
        "found": "text/html", "expected": "application/json", "cause": "content_type_unexpected",
        "retryable": "no", "kind": "configuration", "hint": CHECK}),
    (HttpResponse(302, (("location", "https://op.example/login?x=1#y"),), b"", NOW), {
        "found": "302 to https://op.example/login", "cause": "http_redirect_refused",
        "retryable": "no", "hint": CHECK}),
    (json_response(b"{"), {"cause": "json_malformed", "retryable": "no", "hint": CHECK}),
    (json_response({}), {"cause": "jwks_invalid", "about": "keys", "retryable": "no"}),
    (json_response(b'{"keys":[],"keys":[]}'), {
        "cause": "json_member_duplicated", "found": "keys", "retryable": "no"}),
    (NoAnswer("no", "tls_failed", NOW, "certificate_expired"), {
        "cause": "certificate_expired", "retryable": "no", "kind": "configuration", "sent": "no"}),
    (NoAnswer("no", "address_not_allowed", NOW, "address_not_allowed"), {
        "cause": "address_not_allowed", "retryable": "no", "kind": "configuration", "sent": "no"}),
    (NoAnswer("no", "http_connect_failed", NOW, "refused"), {
        "cause": "refused", "retryable": "later", "kind": "later", "sent": "no"}),
    (NoAnswer("maybe", "http_timeout", NOW, "timeout"), {
        "cause": "timeout", "retryable": "later", "kind": "later", "sent": "maybe"}),
    (NoAnswer("maybe", "tls_failed", NOW), {  # of a transport that tells no cause
        "cause": "tls_failed", "retryable": "no", "kind": "configuration", "sent": "maybe"}),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "facts"), FAULTS)
def test_keys_that_cannot_be_had_say_why_and_where(
    answer: Answer, facts: dict[str, object]
) -> None:
    error = Endpoint(answer).refused()
    assert {name: getattr(error, name) for name in facts} == facts
    assert (error.place, error.retry_after) == (JWKS, None)
    assert error.spec == "RFC 7517 §5"


def test_a_server_that_nobody_verified_is_named_as_the_reason() -> None:
    strict = relying_party(policy=Policy(require_verified_channel=True))
    error = Endpoint(json_response(OLD), strict).refused()
    assert (error.cause, error.found, error.about) == ("channel_unverified", "not_told", "channel")
    assert (error.retryable, error.kind) == ("no", "configuration")


@pytest.mark.parametrize(("answer", "facts"), FAULTS)
def test_while_fetches_are_held_back_the_last_failure_is_told(
    answer: Answer, facts: dict[str, object]
) -> None:
    endpoint = Endpoint(answer)
    for _ in range(2):
        endpoint.refused()
    endpoint.clock.advance(20)

    error = endpoint.refused()

    told = {**facts, "sent": "no"}
    hint = told.pop("hint", "")
    assert {name: getattr(error, name) for name in told} == told
    assert error.hint.startswith(str(hint))
    assert error.hint.endswith("; the library reads the key set again in 40 seconds")
    assert (error.retry_after, error.place) == (40, JWKS)
    assert str(error).endswith("; the library reads the key set again in 40 seconds")

    endpoint.answer = json_response(OLD)
    endpoint.clock.advance(40)
    done(endpoint.validated())


def test_a_rotation_too_many_says_when_the_keys_are_read_again() -> None:
    endpoint = Endpoint(json_response(OLD))
    endpoint.validated()
    for key in (NEW, NEWEST):
        endpoint.clock.advance(5)
        endpoint.answer = json_response({"keys": [key.public_jwk()]})
        if key is NEW:
            endpoint.validated(key)

    error = endpoint.refused(NEWEST)

    assert (error.found, error.cause, error.sent) == ("throttled", "", "no")
    assert (error.retryable, error.kind, error.retry_after) == ("later", "later", 50)
    assert error.hint == "the library reads the key set again in 50 seconds"
    endpoint.clock.advance(50)
    endpoint.validated(NEWEST)


def test_a_new_key_of_an_old_kid_says_when_the_keys_are_read_again() -> None:
    other = signing_key(slot="rotated")
    endpoint = Endpoint(json_response(OLD))
    endpoint.validated()
    endpoint.answer = json_response({"keys": [other.public_jwk()]})
    endpoint.clock.advance(10)

    error = refused(ProtocolViolation, "signature_invalid", lambda: endpoint.validated(other))

    assert (error.retryable, error.retry_after, error.place) == ("later", 51, None)
    told = "signed by a new key of an old kid: the library reads the key set again in 51 seconds"
    assert error.hint.endswith(told)
    endpoint.clock.advance(50)
    error = refused(ProtocolViolation, "signature_invalid", lambda: endpoint.validated(other))
    assert error.retry_after == 1
    endpoint.clock.advance(1)
    endpoint.validated(other)


@pytest.mark.parametrize("age", [-1, 0])
def test_a_signature_that_does_not_hold_under_a_set_just_read_is_not_tried_again(age: int) -> None:
    other = signing_key(slot="rotated")
    step: Any = validate(RP, signed(claims_for("n"), other), Demands(nonce="n", started_at=NOW),
                         now=NOW)  # fmt: skip
    answer = keys(fetched_at=NOW - age, now=NOW)
    error = refused(ProtocolViolation, "signature_invalid", lambda: resume(RP, step, answer))
    assert (error.retryable, error.kind, error.retry_after) == ("no", "suspicious", None)


def test_the_error_of_a_store_that_says_no_more_is_as_it_was() -> None:
    error = KeysWithheld("unreachable").error
    assert (error.found, error.cause, error.retryable, error.sent) == (
        "unreachable",
        "",
        "later",
        "no",
    )
    again = evolve(KeysWithheld("throttled"), retry_after=3).error
    assert str(again) == (
        "keys_unavailable: found 'throttled' (OIDC Core §10.1.1); "
        "the library reads the key set again in 3 seconds"
    )
