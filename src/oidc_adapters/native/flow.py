"""One login at a listener that is open, told to a witness while it happens."""

from collections.abc import Callable
from typing import Protocol

from oidc_adapters.clients.shell import Shell
from oidc_adapters.native.listener import CallbackListener, ReceivedRequest
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, AuthenticationRequest
from oidc_core.machine.steps import Done, Exchange, Step, resume
from oidc_core.model.evidence import Evidence
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import login
from oidc_core.operations.logged_in import AwaitingUserInfo, LoggedIn
from oidc_core.operations.login import AwaitingTokens


class LoginWitness(Protocol):
    """Is told what happens in a login, as it happens."""

    def arrived(self, arrival: ReceivedRequest) -> None:
        """Take note that the browser came back."""
        ...

    def accepted(self, evidence: Evidence) -> None:
        """Take note that something was accepted, and why."""
        ...


class NoWitness:
    """Is told, and takes no note."""

    def arrived(self, arrival: ReceivedRequest) -> None:
        """Take no note."""

    def accepted(self, evidence: Evidence) -> None:
        """Take no note."""


def log_in(
    rp: RelyingParty,
    shell: Shell,
    request: AuthenticationRequest,
    listener: CallbackListener,
    visit: Callable[[str], object],
    *,
    timeout: float,
    witness: LoginWitness | None = None,
) -> LoggedIn:
    """Log somebody in, at a listener that is open.

    Args:
        rp: the relying party, with the provider's metadata.
        shell: sends requests.
        request: what is asked of the provider.
        listener: where the browser comes back to.
        visit: sends a browser to a URL.
        timeout: seconds until the listener stops waiting.
        witness: is told what happens.

    Raises:
        OidcError: the refusal of the login.
    """
    told = NoWitness() if witness is None else witness
    secrets, now = shell.entropy.login_secrets(), shell.clock.now()
    started = shell.run(rp, login.start(rp, secrets, request, now=now))
    listener.expect(started.pending.id)
    visit(started.url)
    received = listener.wait(timeout)
    told.arrived(received)
    step = login.finish(
        rp,
        started.pending,
        received.callback,
        binding=LOOPBACK_LISTENER,
        now=shell.clock.now(),
        single_use="process",
    )
    return _run(rp, shell, step, told)


def _run(rp: RelyingParty, shell: Shell, step: Step[LoggedIn], witness: LoginWitness) -> LoggedIn:
    """Drive a login as every shell does, and report each acceptance as soon as it is there."""
    told = 0
    while True:
        for evidence in _evidence(step)[told:]:
            witness.accepted(evidence)
            told += 1
        if isinstance(step, Done):
            return step.result
        if isinstance(step, Exchange):
            step = resume(rp, step, shell.send(step.request))
        else:
            step = resume(rp, step, shell.keys(step.wanted))


def _evidence(step: Step[LoggedIn]) -> tuple[Evidence, ...]:
    """Return what was accepted by the time a step is reached, in the order of the login."""
    if isinstance(step, Done):
        return step.result.evidence.each
    if isinstance(step, AwaitingUserInfo):
        return step.logged_in.evidence.each
    response = step.asked.response if isinstance(step, AwaitingTokens) else None
    return () if response is None else (response.evidence,)
