"""The machine that tries a driver: whole operations, at two providers, with faults on the wire."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from types import TracebackType
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.provider_keys import MemoryProviderKeys
from oidc_adapters.testing.drivers import parties
from oidc_adapters.testing.drivers.duties import DutyBroken
from oidc_adapters.testing.drivers.judging import Interrupted, Judge, Operation
from oidc_adapters.testing.drivers.parties import DriverWorld, Method
from oidc_adapters.testing.drivers.prepared import Prepared
from oidc_adapters.testing.drivers.wire import (
    FAULTS,
    AsyncWireTransport,
    Wire,
    WireTransport,
)
from oidc_adapters.testing.signing import b64url, rendered
from oidc_core.endpoints.authorization import LOOPBACK_LISTENER, Callback
from oidc_core.machine.steps import Done, Step
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import (
    backchannel_logout,
    discovery,
    login,
    refresh,
    revocation,
    userinfo,
)
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming

T = TypeVar("T")

Drive: TypeAlias = Callable[[RelyingParty, Step[Any]], Any]
"""Runs an operation to its end and returns its result, or something to await for it."""

Run: TypeAlias = Callable[[RelyingParty, Step[Any]], Any]
"""The driver under the eyes of the machine: it waits in any case."""

_FAULTS: Final = st.lists(st.sampled_from((*FAULTS, "nonce", "demand", "")), max_size=2)
_PLACES: Final = st.integers(0, 3)


class _Session(NamedTuple):
    rp: RelyingParty
    tokens: Tokens


class _Outcome:
    """The value that a driver returned, or the error that it raised."""

    value: object = None

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, _kind: object, raised: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        """Take the exception, unless it is of the judge or ends the process."""
        if isinstance(raised, DutyBroken) or not isinstance(raised, (Exception, Interrupted)):
            return False
        self.value = raised
        return True


class DriverMachine(RuleBasedStateMachine):
    """Tries whether a driver keeps the contract of steps, on whole operations.

    Subclass it, return your driver from :meth:`driver`, and give pytest the ``TestCase`` of your
    class.  It has honest providers, and a wire on which things go wrong.  An operation is a
    discovery, login, refresh, UserInfo request, revocation or logout.  A broken duty raises
    :class:`DutyBroken` with its name in :data:`DRIVER_DUTIES`.

    Attributes:
        overlaps: whether one operation may run while another waits on the wire, in the same
            thread.  Set it to ``False`` for a driver that holds a lock while it sends.
        counts: how many operations of each kind ran, and with which faults, in this process.
    """

    overlaps: ClassVar[bool] = True
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._runner: asyncio.Runner | None = None
        self._sessions: list[_Session] = []

    def driver(self, world: DriverWorld) -> Drive:
        """Return the driver to be tried; called once for each run.

        Args:
            world: the parts to make it of.
        """
        del world
        message = f"{type(self).__name__} has no method driver(self, world)"
        raise TypeError(message)

    def refreshed(
        self, run: Run, rp: RelyingParty, tokens: Tokens, keep: Callable[[Tokens], None]
    ) -> object:
        """Refresh tokens; override it with the way your application does it.

        Args:
            run: runs a step with the driver.
            rp: the relying party.
            tokens: as they were stored.
            keep: stores new tokens.
        """
        renewed = run(rp, refresh.renew(rp, tokens))
        keep(renewed.tokens)
        return run(rp, refresh.verify(rp, renewed, now=self._clock.now()))

    def teardown(self) -> None:
        """Close the event loop of a driver that awaits."""
        if self._runner is not None:
            self._runner.close()

    # --- what happens ---

    @initialize(method=st.sampled_from(parties.METHODS), user=_PLACES, faults=_FAULTS)
    def begin(self, method: Method, user: int, faults: list[str]) -> None:
        """Make the world, and log somebody in."""
        self._method: Method = method
        self._clock = FrozenClock(parties.NOW)
        secrets = {issuer: parties.secret_at(issuer) for issuer in parties.ISSUERS}
        prepared = Prepared(secrets=secrets, dpop_key=parties.dpop_key().public_jwk())
        self._judge = Judge(clock=self._clock, prepared=prepared)
        self._providers = parties.providers(method)
        self._wire = Wire(judge=self._judge, providers=self._providers)
        self._entropy = FixedEntropy(1)
        self._drive = self.driver(
            DriverWorld(
                transport=WireTransport(self._wire, self._meanwhile),
                async_transport=AsyncWireTransport(self._wire, self._meanwhile_async),
                credentials=parties.credentials(method),
                keys=MemoryProviderKeys(),
                clock=self._clock,
                entropy=FixedEntropy(2),
            )
        )
        self.log_in(user, faults, proved=True)

    @rule(user=_PLACES, faults=_FAULTS, proved=st.booleans())
    def log_in(self, user: int, faults: list[str], *, proved: bool) -> None:
        """Log a user in at one of the providers."""
        operation = self._login(user, faults, proved=proved)
        self._run(operation)
        if operation.result is not None:
            self._sessions.append(_Session(operation.rp, operation.result.tokens))

    @rule(session=_PLACES, faults=_FAULTS, proved=st.booleans())
    def refresh(self, session: int, faults: list[str], *, proved: bool) -> None:
        """Refresh the tokens of a session."""
        if not self._sessions:
            return
        place = session % len(self._sessions)
        rp, tokens = self._sessions.pop(place)
        kept: list[Tokens] = []

        def keep(renewed: Tokens) -> None:
            self._wire.stored.add(renewed.refresh_token or "")
            kept.append(renewed)

        left = [fault for fault in faults if self.overlaps or fault != "meanwhile"]

        def run(rp: RelyingParty, step: Step[Any]) -> Any:
            operation = self._operation("refresh", rp, step, [], proved=proved)
            operation.faults = left  # the next step of the same refresh has the rest
            outcome = self._run(operation)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        try:
            self.refreshed(run, rp, tokens, keep)
        except (OidcError, Interrupted) as refusal:
            if self._judge.breach is not None:
                raise self._judge.breach from refusal
            kept = []
        self._wire.check_stored()
        if kept:  # otherwise the provider may have replaced the refresh token
            self._sessions.insert(place, _Session(rp, kept[-1]))

    @rule(session=_PLACES, faults=_FAULTS, proved=st.booleans())
    def ask_userinfo(self, session: int, faults: list[str], *, proved: bool) -> None:
        """Ask for UserInfo, with or without a DPoP proof."""
        if self._sessions:
            rp, tokens = self._sessions[session % len(self._sessions)]
            step = userinfo.fetch(rp, tokens)
            self._run(self._operation("userinfo", rp, step, faults, proved=proved))

    @rule(session=_PLACES, faults=_FAULTS, proved=st.booleans())
    def revoke(self, session: int, faults: list[str], *, proved: bool) -> None:
        """End a session: revoke its refresh token."""
        if self._sessions:
            rp, tokens = self._sessions.pop(session % len(self._sessions))
            revocable, *_ = revocation.to_revoke(tokens)
            step = revocation.revoke(rp, tokens, revocable)
            self._run(self._operation("revocation", rp, step, faults, proved=proved))

    @rule(place=_PLACES, faults=_FAULTS)
    def discover(self, place: int, faults: list[str]) -> None:
        """Read the metadata of a provider."""
        rp = parties.setup(_issuer(place), self._method).relying_party()
        self._run(self._operation("discovery", rp, discovery.discover(rp), faults))

    @rule(place=_PLACES, strangers=st.sampled_from((0, 1, 0, 2, 9)), faults=_FAULTS)
    def log_out(self, place: int, strangers: int, faults: list[str]) -> None:
        """Take a logout token of the provider, and several of strangers before it."""
        rp = self._rp(place)
        provider, now = self._providers[rp.issuer], self._clock.now()
        sent = provider.backchannel_logout(now, sub="alice")
        for number in range(strangers):
            token = _with_kid(sent.logout_token, f"stranger-{now}-{number}")
            self._take(rp, token, ["a stranger"], faults if number == 0 else [])
        self._take(rp, sent.logout_token, [], faults if not strangers else [])

    @rule(place=_PLACES, withdrawn=st.booleans())
    def rotate_keys(self, place: int, *, withdrawn: bool) -> None:
        """Have a provider sign with new keys."""
        self._providers[_issuer(place)].rotate_keys(keep_previous=not withdrawn)

    @rule(seconds=st.sampled_from((1, 61, 3_601, 200_000)))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self._clock.advance(seconds)

    # --- how it is run ---

    def _rp(self, place: int) -> RelyingParty:
        return parties.relying_party(_issuer(place), self._method)

    def _login(self, user: int, faults: list[str], *, proved: bool) -> Operation:
        rp, now = self._rp(user), self._clock.now()
        (begun,) = _results(login.start(rp, self._entropy.login_secrets(), now=now))
        sub = ("alice", "bob")[user // 2]
        arrived = self._providers[rp.issuer].authorize(begun.url, now, user=sub)
        callback = Callback.of(arrived.incoming())
        step = login.finish(rp, begun.pending, callback, binding=LOOPBACK_LISTENER, now=now)
        return self._operation("login", rp, step, faults, proved=proved)

    def _take(self, rp: RelyingParty, token: str, met: list[str], faults: list[str]) -> None:
        url, body = "https://rp.example/logout", f"logout_token={token}".encode()
        form = "application/x-www-form-urlencoded"
        incoming = Incoming(method="POST", url=url, body=body, content_type=form)
        step = backchannel_logout.receive(rp, incoming, now=self._clock.now())
        operation = self._operation("logout", rp, step, faults)
        operation.met += met
        self._run(operation)

    def _operation(
        self,
        name: str,
        rp: RelyingParty,
        step: Step[Any],
        faults: list[str],
        *,
        proved: bool = False,
    ) -> Operation:
        self.counts[name] += 1
        drawn = [fault for fault in faults if self.overlaps or fault != "meanwhile"]
        (thumbprint,) = parties.dpop_keys().thumbprints
        of_key = thumbprint if proved else ""
        return Operation(name=name, rp=rp, step=step, thumbprint=of_key, faults=drawn)

    def _run(self, operation: Operation) -> object:
        """Run an operation and judge how it ended."""
        self._judge.running.append(operation)
        outcome = _Outcome()
        with outcome:
            outcome.value = self._settled(self._begun(operation))
        return self._ended(operation, outcome.value)

    def _begun(self, operation: Operation) -> Any:
        return self._drive(operation.rp, self._judge.watched(operation, operation.step))

    def _settled(self, result: Any) -> Any:
        """Return a driver's result; wait for it if the driver awaits."""
        if not isawaitable(result):
            return result
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(_awaited(result))

    def _ended(self, operation: Operation, outcome: object) -> object:
        self._judge.running.remove(operation)
        self.counts.update([f"with {fault}" for fault in operation.met])
        self.counts["ended well"] += isinstance(operation.outcome, Done)
        self._judge.check_end(operation, outcome)
        return outcome

    def _meanwhile(self) -> None:
        """Log somebody else in while an operation waits on the wire."""
        self.counts["meanwhile"] += 1
        self._run(self._login(2, [], proved=True))

    async def _meanwhile_async(self) -> None:
        self.counts["meanwhile"] += 1
        operation = self._login(2, [], proved=True)
        self._judge.running.append(operation)
        outcome = _Outcome()
        with outcome:
            outcome.value = await self._begun(operation)
        self._ended(operation, outcome.value)


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _results(step: Step[T]) -> tuple[T, ...]:
    """Return the result of a step, if it is the last one."""
    return (step.result,) if isinstance(step, Done) else ()


def _issuer(place: int) -> str:
    return parties.ISSUERS[place % 2]


def _with_kid(token: str, kid: str) -> str:
    """Return a token that names another key, as anybody can make one."""
    header = {"alg": "EdDSA", "typ": "logout+jwt", "kid": kid}
    return ".".join([b64url(rendered(header)), *token.split(".")[1:]])
