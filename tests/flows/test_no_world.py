"""The core runs whole flows without the world: no clock, no randomness, no file, no socket."""

import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from attrs import evolve, frozen

from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import FakeProvider, InMemoryTransport
from oidc_core.codec import (
    dump_pending_login,
    dump_tokens,
    load_pending_login,
    load_tokens,
)
from oidc_core.endpoints.authorization import Callback
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.machine.key_fetching import key_set_of
from oidc_core.machine.steps import Done, Exchange, KeysFound, KeysWithheld, NeedKeys, Step, resume
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery, login, logout, refresh
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import AnswerTo, HttpRequest, NoAnswer
from oidc_core.wire.incoming import Incoming
from tests.flows.rig import NOW, arrived, honest_provider, returning, setup_for
from tests.meta.world import WorldTouchedError, no_world

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parents[2]


@frozen(kw_only=True)
class Recorded:
    """All answers of the world in a flow, prepared beforehand."""

    rp: RelyingParty
    secrets: LoginSecrets
    state: str
    callback: Callback
    returned: Incoming
    answers: dict[str, AnswerTo]

    @property
    def binding(self) -> str:
        return self.secrets.binding


def recorded(provider: FakeProvider, **settings: Any) -> Recorded:
    """Run the flow once with an ordinary shell and keep the answers."""
    setup = setup_for(provider, **settings)
    rp, entropy = setup.relying_party(), FixedEntropy(1)
    secrets, state = entropy.login_secrets(), entropy.token()
    answers: dict[str, AnswerTo] = {}
    shell = Shell(InMemoryTransport(provider), Credentials(), clock=FrozenClock(NOW))
    answers["discovery"] = shell.send(_request(discovery.discover(rp)))
    rp_found = _done(resume(rp, _exchange(discovery.discover(rp)), answers["discovery"]))
    shell.credentials = setup.credentials(rp_found)
    started = _done(login.start(rp_found, secrets, now=NOW))
    callback = arrived(provider.authorize(started.url, NOW))
    step: Step[LoggedIn] = login.finish(
        rp_found, started.pending, callback, binding=secrets.binding, now=NOW
    )
    while not isinstance(step, Done):
        request = step.request if isinstance(step, Exchange) else step.wanted.request
        answers[request.purpose] = answer = shell.send(request)
        step = _resumed(rp_found, step, answer)
    renewing = _exchange(refresh.renew(rp_found, step.result.tokens))
    answers["refresh"] = shell.send(renewing.request)
    leaving = _done(logout.start(rp_found, LogoutRequest(), state=state, now=NOW))
    returned = returning(provider.end_session(leaving.url, NOW) or "")
    return Recorded(
        rp=rp,
        secrets=secrets,
        state=state,
        callback=callback,
        returned=returned,
        answers=answers,
    )


def _exchange(step: Step[T]) -> Exchange[T]:
    assert isinstance(step, Exchange)
    return step


def _request(step: Step[Any]) -> HttpRequest:
    return _exchange(step).request


def _done(step: Step[T]) -> T:
    assert isinstance(step, Done)
    return step.result


def _resumed(rp: RelyingParty, step: Exchange[T] | NeedKeys[T], given: AnswerTo) -> Step[T]:
    if isinstance(step, Exchange):
        return resume(rp, step, given)
    wanted, answer = step.wanted, given.answer
    if isinstance(answer, NoAnswer):
        return resume(rp, step, KeysWithheld("unreachable"))
    found = KeysFound(wanted.issuer, wanted.jwks_uri, key_set_of(answer), NOW, NOW)
    return resume(rp, step, found)


def flow(world: Recorded) -> list[str]:
    """Discovery, login, refresh, logout: only the core, and answers recorded before."""
    rp = _run(world, world.rp, discovery.discover(world.rp))
    started = _run(world, rp, login.start(rp, world.secrets, now=NOW))
    pending = load_pending_login(dump_pending_login(started.pending))
    logged_in = _run(
        world,
        rp,
        login.finish(rp, pending, world.callback, binding=world.binding, now=NOW),
    )
    tokens = load_tokens(dump_tokens(logged_in.tokens))
    renewed = _run(world, rp, refresh.renew(rp, tokens))
    refreshed = _run(world, rp, refresh.verify(rp, renewed, now=NOW))
    leaving = _run(world, rp, logout.start(rp, LogoutRequest(), state=world.state, now=NOW))
    left = _run(world, rp, logout.finish(rp, leaving.pending, world.returned, now=NOW))
    checks = [check.name for evidence in logged_in.evidence.each for check in evidence.checks]
    return [
        logged_in.identity.subject,
        str(refreshed.claims_refreshed),
        left.post_logout_redirect_uri,
        *checks,
        *_refusals(world, rp),
        str(hash(started.pending)),
        repr(logged_in),
    ]


def _run(world: Recorded, rp: RelyingParty, step: Step[T]) -> T:
    while not isinstance(step, Done):
        wanted = step.request if isinstance(step, Exchange) else step.wanted.request
        step = _resumed(rp, step, world.answers[wanted.purpose])
    return step.result


def _refusals(world: Recorded, rp: RelyingParty) -> list[str]:
    """Refusing touches the world as little as accepting."""
    pending = _done(login.start(rp, world.secrets, now=NOW)).pending
    codes: list[str] = []
    for binding, now in (("other", NOW), (world.binding, NOW + 10_000)):
        try:
            login.finish(rp, pending, world.callback, binding=binding, now=now)
        except OidcError as error:
            codes += [error.code, str(error)[:20]]
    return codes


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256"])
def test_a_whole_flow_touches_no_world(alg: str) -> None:
    world = recorded(FakeProvider(id_token_alg=alg))

    with no_world(loading=True):
        first = flow(world)
    with no_world():
        second = flow(world)

    assert first == second
    assert second[:3] == ["alice", "True", "https://rp.example/"]
    assert {"signature", "nonce", "binding_mismatch", "state_expired"} <= {*second}


def test_the_first_run_of_a_process_only_loads_modules() -> None:
    program = "from tests.flows.test_no_world import first_run; first_run()"

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (ran.returncode, ran.stdout.strip()) == (0, "alice"), ran.stderr


def first_run() -> None:
    """The code of the test above: answers come from another process, so that here all is new."""
    program = "from tests.flows.test_no_world import hand_over; hand_over()"
    handed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    world = taken_over(handed.stdout)
    assert "cattrs" not in sys.modules
    with no_world(loading=True):
        flow(world)
    assert "cattrs" in sys.modules
    with no_world():
        sys.stdout.write(flow(world)[0])


def hand_over() -> None:
    """Write a recorded flow to standard output."""
    world = recorded(honest_provider())
    parts = (world.secrets, world.state, world.callback, world.returned, world.answers)
    sys.stdout.buffer.write(pickle.dumps(parts))


def taken_over(handed: bytes) -> Recorded:
    """Read a recorded flow; relying parties are not pickled, so that one is made again."""
    secrets, state, callback, returned, answers = pickle.loads(handed)
    return Recorded(
        rp=setup_for(honest_provider()).relying_party(),
        secrets=secrets,
        state=state,
        callback=callback,
        returned=returned,
        answers=answers,
    )


def test_the_harness_sees_a_flow_that_asks_the_clock() -> None:
    """Red on a planted offence: a verifier that looks at the time."""
    world = recorded(honest_provider())

    class Nosy:
        def __init__(self, verifier: Any) -> None:
            self._verifier = verifier

        def __getattr__(self, name: str) -> Any:
            time.time()
            return getattr(self._verifier, name)

    nosy = evolve(world, rp=evolve(world.rp, verifier=Nosy(world.rp.verifier)))
    with pytest.raises(WorldTouchedError, match=r"time\.time"), no_world(loading=True):
        flow(nosy)
