"""The machine with arbitrary answers: steps in a bundle, resumed again and again.

`resume` gives the next step, a result, or an OidcError; it does so again for the same answer; and
the step it was called with stays as it was.
"""

import pickle
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, Final

from attrs import evolve, frozen
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import MISBEHAVIOURS, FakeProvider, InMemoryTransport
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, Callback
from oidc_core.endpoints.userinfo import userinfo_request
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.key_fetching import key_set_of
from oidc_core.machine.steps import (
    Done,
    Exchange,
    KeysAnswer,
    KeysFound,
    KeysWithheld,
    NeedKeys,
    Step,
)
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import backchannel_logout, discovery, login, refresh, revocation
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.login import LoginStarted
from oidc_core.operations.refresh import TokensRenewed
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.http import Answer, AnswerTo, HttpResponse, KeysWanted, NoAnswer
from tests.flows.rig import FAKE_CLIENT, NOW, SCOPE, arrived, setup_for
from tests.parties import keys_wanted, resume
from tests.strategies import logout_misbehaviours

AnyStep = Exchange[Any] | NeedKeys[Any]
POLICIES: Final = (Policy(), Policy(userinfo="required"), Policy(userinfo="never"))
CLIENT: Final = evolve(FAKE_CLIENT, userinfo_signed_response_alg="EdDSA")
NAMES: Final = tuple(MISBEHAVIOURS)


@frozen(kw_only=True)
class Tape:
    """Everything one provider says in a login with a refresh, by the purpose of the request.

    The provider is deterministic, so that what it would answer can be played again and again.
    """

    callback: Any
    answers: dict[str, Answer]


def _settings(signed: bool, policy: Policy) -> Any:
    provider = _provider(signed, None)
    registration = ClientRegistration(
        client_id=CLIENT.client_id,
        redirect_uris=CLIENT.redirect_uris,
        scope=SCOPE,
        userinfo_signed_response_alg="EdDSA" if signed else None,
    )
    return setup_for(provider, registration=registration, policy=policy)


def _provider(signed: bool, misbehave: str | None) -> FakeProvider:
    clients = (CLIENT if signed else FAKE_CLIENT,)
    return FakeProvider(id_token_alg="EdDSA", clients=clients, misbehave=misbehave)


@cache
def relying_party(signed: bool, policy: Policy) -> RelyingParty:
    """The relying party once the metadata of the honest provider is known."""
    bare = _settings(signed, policy).relying_party()
    shell = Shell(InMemoryTransport(_provider(signed, None)), Credentials())
    return shell.run(bare, discovery.discover(bare))


@cache
def started(signed: bool, policy: Policy) -> LoginStarted:
    """The login that is on every tape, as each policy begins it: with the same secrets."""
    rp = relying_party(signed, policy)
    begun = login.start(rp, FixedEntropy(1).login_secrets(), now=NOW)
    assert isinstance(begun, Done)
    return begun.result


@cache
def tape(signed: bool, misbehave: str | None) -> Tape:
    """Record what a provider says, whether or not a client would have gone on so far."""
    settings_, rp = _settings(signed, POLICIES[0]), relying_party(signed, POLICIES[0])
    provider = _provider(signed, misbehave)
    shell = Shell(
        InMemoryTransport(provider),
        settings_.credentials(rp),
        clock=FrozenClock(NOW),
        entropy=FixedEntropy(2),
    )
    begun = started(signed, POLICIES[0])
    callback = arrived(provider.authorize(begun.url, NOW))
    bare = settings_.relying_party()
    answers = {"discovery": shell.send(_exchange(discovery.discover(bare)).request).answer}
    ledger = provider.ledger
    (code,) = ledger.codes
    honest = _honest_login(signed) if misbehave is not None else None
    step = _token_step(rp, begun, code)
    answers["token"] = shell.send(step.request).answer
    answers["key_set"] = shell.send(keys_wanted(rp).request).answer
    (access_token,) = ledger.access_tokens
    (refresh_token,) = ledger.refresh_tokens
    answers["userinfo"] = shell.send(userinfo_request(rp, access_token)).answer
    tokens = (honest or _logged_in(rp, step, answers)).tokens
    renewing = refresh.renew(rp, evolve(tokens, refresh_token=refresh_token))
    answers["refresh"] = shell.send(_exchange(renewing).request).answer
    answers["revocation"] = shell.send(_revocation(rp, tokens).request).answer
    return Tape(callback=callback, answers=answers)


def _token_step(rp: RelyingParty, begun: LoginStarted, code: str) -> Exchange[LoggedIn]:
    pending = begun.pending
    parameters = (("code", code), ("state", pending.state), ("iss", rp.issuer))
    callback = Callback(parameters=parameters)
    return _exchange(login.finish(rp, pending, callback, binding=LOOPBACK_LISTENER, now=NOW))


def _revocation(rp: RelyingParty, tokens: Tokens) -> Exchange[revocation.Revoked]:
    token, *_ = revocation.to_revoke(tokens, ())
    return _exchange(revocation.revoke(rp, tokens, token))


def _exchange(step: Step[Any]) -> Exchange[Any]:
    assert isinstance(step, Exchange)
    return step


def _logged_in(rp: RelyingParty, step: Step[LoggedIn], answers: dict[str, Answer]) -> LoggedIn:
    while not isinstance(step, Done):
        if isinstance(step, Exchange):
            step = resume(rp, step, answers[step.request.purpose])
        else:
            step = resume(rp, step, key_answer(answers["key_set"], step.wanted))
    return step.result


@cache
def _honest_login(signed: bool) -> LoggedIn:
    rp, played = relying_party(signed, POLICIES[0]), tape(signed, None)
    (parameter,) = [value for name, value in played.callback.parameters if name == "code"]
    begun = started(signed, POLICIES[0])
    return _logged_in(rp, _token_step(rp, begun, parameter), played.answers)


@cache
def _honest_renewal(signed: bool) -> TokensRenewed:
    rp = relying_party(signed, POLICIES[0])
    step = _exchange(refresh.renew(rp, _honest_login(signed).tokens))
    done = resume(rp, step, tape(signed, None).answers["refresh"])
    assert isinstance(done, Done)
    renewed: TokensRenewed = done.result
    return renewed


def key_answer(answer: Answer, wanted: KeysWanted, *, now: int = NOW) -> KeysAnswer:
    """The result that a store makes of the provider's key set."""
    if isinstance(answer, HttpResponse):
        with suppress(OidcError):
            return KeysFound(wanted.issuer, wanted.jwks_uri, key_set_of(answer), NOW, now)
    return KeysWithheld("unreachable")


@frozen(kw_only=True)
class Going:
    """A step, with the relying party that may resume it and the steps that led to it."""

    rp: RelyingParty
    signed: bool
    step: AnyStep

    @property
    def state(self) -> str:
        verification = getattr(self.step, "verification", None)
        name = type(self.step).__name__
        return name if verification is None else f"{name}[{type(verification).__name__}]"


_NAMES_OF_HEADERS: Final = ("content-type", "content-encoding", "location", "dpop-nonce", "x")
_TYPES: Final = ("application/json", "application/jwt", "text/html", "", "application/json; a=b")
_headers = st.lists(
    st.tuples(st.sampled_from(_NAMES_OF_HEADERS), st.sampled_from(_TYPES) | st.text(max_size=9)),
    max_size=3,
).map(tuple)
_statuses = st.sampled_from((200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503))
_times = st.sampled_from((NOW, NOW + 1, NOW + 299, NOW + 100_000, 0, -1, 2**53, NOW - 90_000))
_bodies = st.binary(max_size=200) | st.sampled_from(
    (
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"error":"invalid_grant"}',
        b'{"error":1}',
        b'{"access_token":"a","token_type":"Bearer","id_token":"e30.e30.e30"}',
        b'{"access_token":"a","token_type":"Bearer","id_token":"eyJhbGciOiJFZERTQSJ9.e30.AA"}',
        b'{"issuer":"https://op.example"}',
        b'{"sub":"alice"}',
        b'{"keys":[]}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 40,
    )
)
_responses = st.builds(HttpResponse, st.integers(0, 999) | _statuses, _headers, _bodies, _times)
_codes = st.sampled_from(
    ("http_timeout", "http_connect_failed", "tls_failed", "http_malformed", "http_too_large")
)
_failures = st.builds(NoAnswer, st.sampled_from(("no", "maybe")), _codes, _times)
_withheld = st.sampled_from((KeysWithheld("throttled"), KeysWithheld("unreachable")))


@st.composite
def mutations(draw: st.DrawFn, response: HttpResponse) -> HttpResponse:
    """A good response with one thing changed."""
    body, how = response.body, draw(st.integers(0, 6))
    at = draw(st.integers(0, max(0, len(body) - 1)))
    if how == 0:
        return evolve(response, status=draw(_statuses))
    if how == 1:
        return evolve(response, headers=draw(_headers))
    if how == 2:
        return evolve(response, received_at=draw(_times))
    if how == 3:
        return evolve(response, body=body[:at])
    if how == 4:
        return evolve(response, body=body[:at] + draw(st.binary(max_size=4)) + body[at:])
    if how == 5:
        return evolve(response, body=body[:at] + draw(st.binary(max_size=4)) + body[at + 1 :])
    flipped = bytes([body[at] ^ 1 << draw(st.integers(0, 7))]) if body else b"{"
    return evolve(response, body=body[:at] + flipped + body[at + 1 :])


DISHONEST: Final = ("none", "misbehaving", "mutated", "arbitrary")
KINDS: Final = (
    *3 * ("honest, to the end", "honest"),
    *2 * DISHONEST,
    "foreign",
    "begin again",
)


class Machine(RuleBasedStateMachine):
    """Steps of logins, refreshes and discovery, driven by anybody."""

    steps: Bundle[Going] = Bundle("steps")
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.reached: set[str] = set()

    def teardown(self) -> None:
        self.counts["runs"] += 1
        self.counts.update(self.reached)

    # --- where steps come from ---

    @initialize(
        target=steps,
        policy=st.sampled_from(POLICIES),
        to_the_end=st.sampled_from((True, True, False)),
        kind=st.sampled_from(DISHONEST),
        data=st.data(),
    )
    def begin(
        self, policy: Policy, to_the_end: bool, kind: str, data: st.DataObject
    ) -> MultipleResults[Going]:
        """Begin each operation, and have most of them come to their end.

        Hypothesis likes short runs: so even one without another step has been everywhere, and
        has had one dishonest answer.  Every step on the way is kept, to be resumed again.
        """
        kept = [
            begun
            for signed in (False, True)
            for begun in (
                self._login(signed, policy),
                self._discovery(signed),
                self._renewal(signed),
                self._verification(signed, NOW),
                self._logout(signed, None),
                self._revoking(signed),
            )
        ]
        if to_the_end:
            kept += [going for begun in kept for going in self._to_the_end(begun)]
        going = data.draw(st.sampled_from(kept))
        return multiple(*kept, *self._resumed(going, getattr(self, f"_{kind}")(going, data)))

    def _login(self, signed: bool, policy: Policy) -> Going:
        rp, played = relying_party(signed, policy), tape(signed, None)
        (code,) = [value for name, value in played.callback.parameters if name == "code"]
        return self._going(rp, signed, _token_step(rp, started(signed, policy), code))

    def _discovery(self, signed: bool) -> Going:
        bare = _settings(signed, POLICIES[0]).relying_party()
        return self._going(bare, signed, discovery.discover(bare))

    def _renewal(self, signed: bool) -> Going:
        rp = relying_party(signed, POLICIES[0])
        return self._going(rp, signed, refresh.renew(rp, _honest_login(signed).tokens))

    def _verification(self, signed: bool, now: int) -> Going:
        rp = relying_party(signed, POLICIES[0])
        return self._going(rp, signed, refresh.verify(rp, _honest_renewal(signed), now=now))

    def _logout(self, signed: bool, misbehave: str | None) -> Going:
        rp = relying_party(signed, POLICIES[0])
        sent = _provider(signed, misbehave).backchannel_logout(NOW, sub="alice")
        return self._going(rp, signed, backchannel_logout.receive(rp, sent.incoming(), now=NOW))

    def _revoking(self, signed: bool) -> Going:
        rp = relying_party(signed, POLICIES[0])
        return self._going(rp, signed, _revocation(rp, _honest_login(signed).tokens))

    def _going(self, rp: RelyingParty, signed: bool, step: Step[Any]) -> Going:
        assert not isinstance(step, Done)
        going = Going(rp=rp, signed=signed, step=step)
        self.reached.add(going.state)
        return going

    # --- what is answered ---

    @rule(target=steps, going=steps, kind=st.sampled_from(KINDS), data=st.data())
    def go(self, going: Going, kind: str, data: st.DataObject) -> MultipleResults[Going]:
        """Do one thing.

        One rule for all of them: Hypothesis leaves some rules out of a run, and a run without
        honest answers comes nowhere.
        """
        if kind == "begin again":
            return multiple(*self._begun(data))
        if kind == "honest, to the end":
            return multiple(*self._to_the_end(going))
        if kind == "foreign":
            self._check_foreign(going, data)
            return multiple()
        return multiple(*self._resumed(going, getattr(self, f"_{kind}")(going, data)))

    def _begun(self, data: st.DataObject) -> list[Going]:
        signed, what = data.draw(st.booleans()), data.draw(st.integers(0, 2))
        if what == 0:
            return [self._login(signed, data.draw(st.sampled_from(POLICIES)))]
        if what == 1:
            return [self._verification(signed, data.draw(_times))]
        with suppress(OidcError):  # a request may be bad before any key is needed
            return [self._logout(signed, data.draw(logout_misbehaviours()))]
        return []

    def _check_foreign(self, going: Going, data: st.DataObject) -> None:
        """A wrong answer is misuse, whether its kind or its request is wrong.

        A step of another relying party is misuse too.
        """
        response, step = data.draw(_responses), going.step
        wrong: HttpResponse | KeysFound
        other: AnswerTo | KeysFound
        found = KeysFound("https://other.example", "https://other.example/k", KeySet(), NOW, NOW)
        if isinstance(step, Exchange):
            wrong, other = found, AnswerTo(evolve(step.request, client_id="other"), response)
        else:
            wrong, other = response, found
        client = evolve(going.rp.client, connection_id="another connection")
        foreign = evolve(going.rp, client=client)

        assert self._outcome(going.rp, step, wrong) == (UsageError, "answer_unexpected")
        assert self._outcome(going.rp, step, other) == (UsageError, "answer_foreign")
        assert self._outcome(foreign, step, response) == (UsageError, "foreign_step")

    def _to_the_end(self, going: Going) -> list[Going]:
        """Answer honestly as long as there is a step, and return all of them."""
        passed: list[Going] = []
        following = self._resumed(going, self._said(going, None))
        while following:
            passed += following
            following = self._resumed(passed[-1], self._said(passed[-1], None))
        return passed

    def _honest(self, going: Going, data: st.DataObject) -> Any:
        answer = self._said(going, None)
        if isinstance(answer, KeysFound):
            return evolve(answer, now=NOW + data.draw(st.sampled_from((0, 0, 1, 61, 3_600))))
        return answer

    def _misbehaving(self, going: Going, data: st.DataObject) -> Any:
        return self._said(going, data.draw(st.sampled_from(NAMES)))

    def _mutated(self, going: Going, data: st.DataObject) -> Any:
        step = going.step
        purpose = step.request.purpose if isinstance(step, Exchange) else "key_set"
        answer = tape(going.signed, None).answers[purpose]
        assert isinstance(answer, HttpResponse)
        changed = data.draw(mutations(answer))
        return changed if isinstance(step, Exchange) else key_answer(changed, step.wanted)

    def _arbitrary(self, going: Going, data: st.DataObject) -> Any:
        response = data.draw(_responses)
        if isinstance(going.step, Exchange):
            return response
        return key_answer(response, going.step.wanted, now=response.received_at)

    def _none(self, going: Going, data: st.DataObject) -> Any:
        return data.draw(_failures if isinstance(going.step, Exchange) else _withheld)

    def _said(self, going: Going, name: str | None) -> Answer | KeysAnswer:
        answers = tape(going.signed, name).answers
        if isinstance(going.step, Exchange):
            return answers[going.step.request.purpose]
        return key_answer(answers["key_set"], going.step.wanted)

    # --- what has to hold ---

    def _resumed(self, going: Going, answer: Any) -> list[Going]:
        """The next step, or ``None`` after a result or a refusal."""
        before = pickle.dumps(going.step)

        first = self._outcome(going.rp, going.step, answer)
        second = self._outcome(going.rp, going.step, answer)

        assert first == second
        assert pickle.dumps(going.step) == before
        assert pickle.loads(before) == going.step
        if isinstance(first, tuple):
            self.reached.add("refused")
            return []
        if isinstance(first, Done):
            self.reached |= {"Done", f"Done[{type(first.result).__name__}]"}
            return []
        assert first.made_for == going.rp.digest
        return [self._going(going.rp, going.signed, first)]

    def _outcome(
        self, rp: RelyingParty, step: Any, answer: Any
    ) -> Step[object] | tuple[object, ...]:
        """The next step, or class, code and facts of the refusal; anything else is an error."""
        try:
            following: Step[object] = resume(rp, step, answer)
        except UsageError as error:
            return type(error), error.code
        except OidcError as error:
            return type(error), error.code, str(error)
        return following


STATES: Final = {
    "AwaitingMetadata",
    "AwaitingTokens",
    "AwaitingKeys[IdTokenOfLogin]",
    "AwaitingUserInfo",
    "AwaitingUserInfoKeys",
    "AwaitingRenewal",
    "AwaitingKeys[IdTokenOfRefresh]",
    "AwaitingKeys[ReceivedLogoutToken]",
    "AwaitingRevocation",
    "Done",
    "Done[RelyingParty]",
    "Done[LoggedIn]",
    "Done[TokensRenewed]",
    "Done[Refreshed]",
    "Done[LogoutNotice]",
    "Done[Revoked]",
    "refused",
}


def test_the_machine_takes_any_answer_and_stays_sound() -> None:
    Machine.counts.clear()

    run_state_machine_as_test(Machine)

    counts = Machine.counts
    runs = counts.pop("runs")
    assert {*counts} == STATES, counts
    assert counts["Done"] >= 0.3 * runs, counts
    assert counts["refused"] >= 0.1 * runs, counts
