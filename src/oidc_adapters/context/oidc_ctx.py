"""The context: one client at one provider, its knobs, and what it remembers."""

import json
import warnings
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Final, NoReturn, TypeVar

from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import Shell
from oidc_adapters.context.memory import key_of
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.context.records import records
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.transport import Transport
from oidc_core.machine.steps import Done, Exchange, Step, resume
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.provider import IssuerRule
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.operations.logged_in import LoginEvidence
from oidc_core.wire.answers import answered
from oidc_core.wire.errors import OidcError, UsageError

T = TypeVar("T")

DEFAULT_SCOPES: Final = ("openid", "profile", "email")


class OIDCCtx:
    """One client at one provider, discovered when it is made; for any number of threads.

    Args:
        issuer: the provider's issuer, with or without its final slash: what the provider publishes
            counts from then on, exactly.
        redirect_uri: where the browser comes back to.
        client_id: the identifier the provider gave out.
        client_secret: the client's secret; sent in the form (``client_secret_post``).
        scopes: what is asked for; ``openid`` is put first if it is missing, since without it there
            is no login.  A string is taken as space-delimited.
        verify: ``False`` accepts any certificate of the provider, with a warning; the evidence says
            so.  For a transport of your own it only says that it does not verify.
        cacrt: a file or folder of CA certificates, or their PEM text, in place of the system's.
        state_timeout_secs: seconds a login may take; and its code may wait as long again.
        allowed_skew_secs: tolerated difference of clocks in seconds, at most 120.
        key_refresh_secs: seconds after which the provider's keys are fetched again.
        random_device: where secrets come from; the operating system by default.
        pkce: ``False`` leaves out PKCE, for providers that cannot bear it; the evidence says so.
        insecure_allow_http_loopback: let the provider be on ``http`` on this machine.
        transport: sends requests, in place of one over urllib3.
        clock: tells the time; the system's by default.

    Attributes:
        rp: the relying party, with the provider's metadata.
        shell: the world.
        records: what is remembered.
        pkce: as given.

    Raises:
        OidcError: a setting is wrong, or the provider cannot be reached or believed.
    """

    __slots__ = ("_own_transport", "pkce", "records", "rp", "shell")

    def __init__(
        self,
        issuer: str,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        *,
        verify: bool | None = True,
        cacrt: str | PathLike[str] | None = None,
        state_timeout_secs: int = 60,
        allowed_skew_secs: int = 120,
        key_refresh_secs: int = 3600,
        random_device: Entropy | None = None,
        pkce: bool = True,
        insecure_allow_http_loopback: bool = False,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        timeouts = {
            "state_timeout_secs": state_timeout_secs,
            "allowed_skew_secs": allowed_skew_secs,
            "key_refresh_secs": key_refresh_secs,
        }
        quirks = {
            "insecure_skip_tls_verification": verify is False,
            "insecure_allow_http_loopback": insecure_allow_http_loopback,
        }
        policy = _policy(timeouts, quirks)
        setup = _setup((issuer, redirect_uri, client_id), client_secret, scopes, policy)
        self._own_transport = transport is None
        sender = _transport(transport, cacrt, unverified=verify is False)
        self.pkce = pkce
        self.shell = Shell(sender, Credentials(), clock=clock, entropy=random_device)
        self.rp = self._discovered(setup)
        self.records = records(policy)

    def _discovered(self, setup: ClientSetup) -> RelyingParty:
        """Discover the provider; the one issuer it publishes is the only one from then on."""
        rp = setup.relying_party()
        try:
            found = self.shell.run(rp, discovery.discover(rp))
            found = evolve(found, issuer_rule=IssuerRule.exact(found.provider.issuer))
            self.shell.credentials = setup.credentials(found)
        except OidcError:
            self.close()
            raise
        return found

    def party(self, *, bound: bool, pkce: bool) -> RelyingParty:
        """Return the relying party for one login, with the relaxations that it brings along."""
        relaxed = {"unbound_browser": not bound, "omit_pkce": not pkce}
        quirks = frozenset([name for name, wanted in relaxed.items() if wanted])
        if not quirks:
            return self.rp
        policy = self.rp.policy
        return evolve(self.rp, policy=evolve(policy, quirks=policy.quirks | quirks))

    def evidence(self, id_token: str) -> LoginEvidence | None:
        """Return what was checked before this ID token was returned.

        Of a refresh there is no authorization response.  ``None`` for a token that this context
        does not remember, after a day at the latest.
        """
        known = self.records.accepted.find(key_of(id_token), self.shell.clock.now())
        return None if known is None else known.evidence

    def drive(self, rp: RelyingParty, step: Step[T]) -> tuple[T, TokenDict]:
        """Drive an operation to its end; return its result and the last answer, as plain JSON.

        Raises:
            OidcError: what the operation is refused with.
        """
        answer: TokenDict = {}
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                received = self.shell.send(step.request)
                step = resume(rp, step, received)
                # The core has read it, and found nothing ambiguous in it.
                answer = json.loads(answered(received.answer).body)
            else:
                step = resume(rp, step, self.shell.keys(step.wanted))
        return step.result, answer

    def close(self) -> None:
        """Close the connections that were made here; a transport of your own is left alone."""
        close = getattr(self.shell.transport, "close", None)
        if self._own_transport and close is not None:
            close()

    def __repr__(self) -> str:
        return f"OIDCCtx({self.rp.issuer!r}, client_id={self.rp.client.client_id!r})"

    def __reduce__(self) -> NoReturn:
        message = "a context is not pickled: it holds the client's secret"
        raise TypeError(message)


def _policy(seconds: Mapping[str, int], quirks: Mapping[str, bool]) -> Policy:
    for name, number in seconds.items():
        lowest = 0 if name == "allowed_skew_secs" else 1
        if number < lowest:
            raise UsageError("config_invalid", about=name, found=number, expected=f"from {lowest}")
    return Policy(
        name="context",
        leeway=seconds["allowed_skew_secs"],
        login_lifetime=seconds["state_timeout_secs"],
        key_set_max_age=seconds["key_refresh_secs"],
        userinfo="never",
        quirks=frozenset([name for name, wanted in quirks.items() if wanted]),
    )


def _setup(
    names: tuple[str, str, str], client_secret: str, scopes: Iterable[str], policy: Policy
) -> ClientSetup:
    """Return the settings; the issuer may turn out to be the one with or without final slash."""
    issuer, redirect_uri, client_id = names
    other = issuer[:-1] if issuer.endswith("/") else issuer + "/"
    return ClientSetup(
        issuer_rule=IssuerRule.one_of(issuer, other),
        client_secret=client_secret,
        registration=ClientRegistration(
            client_id=client_id,
            redirect_uris=(redirect_uri,),
            token_endpoint_auth_method="client_secret_post",
            scope=_scope(scopes),
        ),
        policy=policy,
    )


def _scope(scopes: Iterable[str]) -> str:
    wanted = scopes.split() if isinstance(scopes, str) else [*scopes]
    missing = [] if "openid" in wanted else ["openid"]
    return " ".join(dict.fromkeys([*missing, *wanted]))


def _transport(
    transport: Transport | None, cacrt: str | PathLike[str] | None, *, unverified: bool
) -> Transport:
    if transport is None and unverified:
        from oidc_adapters.context.unverified import UnverifiedTransport

        return UnverifiedTransport(ca=cacrt)
    if transport is None:
        from oidc_adapters.transport.over_urllib3 import Urllib3Transport

        return Urllib3Transport(ca=cacrt)
    if cacrt is not None:
        raise UsageError("config_invalid", about="cacrt", expected="no transport of your own")
    if unverified:
        warnings.warn("the provider's TLS certificate is not verified", stacklevel=3)
    return transport
