"""The context: one client at one provider, its knobs, and what it remembers."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from os import PathLike
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.shell import Shell
from oidc_adapters.context.arguments import (
    check_parameters,
    check_settings,
    scope_of,
    under_own_name,
)
from oidc_adapters.context.memory import key_of
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.context.plugged import PluggedClock, PluggedEntropy, PluggedTransport
from oidc_adapters.context.records import records
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.caller import warn_caller
from oidc_adapters.runtime.client_secret import Secret
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.transport import Transport
from oidc_core.machine.steps import Done, Exchange, Step, resume
from oidc_core.model.claim_values import numeric_date
from oidc_core.model.claims import IdToken
from oidc_core.model.client import AuthMethod, ClientRegistration
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import discovery
from oidc_core.operations.logged_in import LoginEvidence
from oidc_core.wire.answers import answered
from oidc_core.wire.errors import OidcError, UsageError
from oidc_core.wire.jsontypes import parse_object, render, unreadable
from oidc_core.wire.limits import UPPER_BOUNDS

T = TypeVar("T")

DEFAULT_SCOPES: Final = ("openid", "profile", "email")


class OIDCCtx:
    """One client at one provider, discovered when it is made; for any number of threads.

    Args:
        issuer: the provider's issuer, with or without its final slash: the spelling that the
            provider publishes counts from then on, exactly.
        redirect_uri: where the browser comes back to.
        client_id: the identifier the provider gave out.
        client_secret: the client's secret, or a call that opens it for each use; sent in the form
            (``client_secret_post``), or as HTTP Basic where the metadata lists that and not the
            form.
        scopes: the requested scopes; ``openid`` is put first if it is missing, since without it
            there is no login. A string is taken as space-delimited.
        verify: ``False`` accepts any certificate of the provider, with a warning; the evidence says
            so.  For a transport of your own it only says that it does not verify.
        cacrt: a file or folder of CA certificates, or their PEM text, in place of the system's.
        state_timeout_secs: seconds a login may take; and its code may wait as long again.
        allowed_skew_secs: tolerated difference of clocks in seconds, at most 120.
        key_refresh_secs: seconds after which the provider's keys are fetched again.
        random_device: where secrets come from; the operating system by default.
        pkce: ``False`` leaves out PKCE, for providers that cannot bear it; the evidence says so.
        decrypt: opens ``client_secret``, which is encrypted text then, for each use.  Nothing keeps
            what it returns.
        refresh_unknown_logins: ``True`` lets a refresh pass whose login this context does not know
            and whose ``id_token=`` was not given; nothing compares its user with that of the login
            then, and the evidence says so.
        insecure_allow_http_loopback: let the provider be on ``http`` on this machine.
        transport: sends requests, in place of one over urllib3.
        clock: tells the time; the system's by default.

    Attributes:
        rp: the relying party, with the provider's metadata.
        shell: the world.
        records: what is remembered.
        pkce, refresh_unknown_logins: as given.

    Raises:
        UsageError: ``config_invalid`` and its like, naming the setting as it is called here.
        OidcError: the provider cannot be reached or believed.
    """

    __slots__ = ("_own_transport", "pkce", "records", "refresh_unknown_logins", "rp", "shell")

    def __init__(
        self,
        issuer: str,
        redirect_uri: str,
        client_id: str,
        client_secret: Secret,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        *,
        verify: bool | None = True,
        cacrt: str | PathLike[str] | None = None,
        state_timeout_secs: int = 60,
        allowed_skew_secs: int = 120,
        key_refresh_secs: int = 3600,
        random_device: Entropy | None = None,
        pkce: bool = True,
        decrypt: Callable[[str], str] | None = None,
        refresh_unknown_logins: bool = False,
        insecure_allow_http_loopback: bool = False,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        given = locals()
        check_settings(given, _SETTINGS)
        self._own_transport = transport is None
        self.pkce = pkce
        self.refresh_unknown_logins = refresh_unknown_logins
        try:
            knobs = (state_timeout_secs, allowed_skew_secs, key_refresh_secs)
            policy = _policy(*knobs, verify=verify, http=insecure_allow_http_loopback)
            secret, names = _secret(client_secret, decrypt), (issuer, redirect_uri, client_id)
            setup = _setup(names, secret, scope_of(scopes), policy)
            sender = _transport(transport, cacrt, unverified=verify is False)
            self.shell = _shell(sender, clock, random_device)
            self.rp = self._discovered(setup)
        except UsageError as fault:
            under_own_name(fault)
            raise
        self.records = records(policy)

    def _discovered(self, setup: ClientSetup) -> RelyingParty:
        """Discover the provider; the one issuer it publishes is the only one from then on."""
        try:
            rp = setup.relying_party()
            found, _ = self.drive(rp, discovery.discover(rp))
            method = _auth_method(found.provider)
            client = evolve(found.client, token_endpoint_auth_method=method)
            rule = IssuerRule.exact(found.provider.issuer)
            found = evolve(found, issuer_rule=rule, client=client)
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

        Of a refresh there is no authorization response. ``None`` for a token that this context does
        not remember: after a day or when it has expired, if that is later; and at the latest when
        10,000 newer ones were returned.

        Raises:
            UsageError: ``parameter_invalid`` for anything but text.
        """
        check_parameters({"id_token": id_token}, {"id_token": "text or nothing in it"})
        known = self.records.accepted.find(key_of(id_token), self.shell.clock.now())
        return None if known is None else known.evidence

    def claims(self, id_token: str) -> dict[str, Any]:
        """Return the claims of an ID token, once it was verified, as plain JSON.

        It is checked again, by the rules of
        :func:`~oidc_adapters.context.validation.check_id_token`: claims that do not hold now are
        never returned.  A user is known by ``iss`` and ``sub`` together, and by nothing else.

        Raises:
            ProtocolViolation: the code of the first rule that does not hold.
            TransportFailure: ``keys_unavailable``: nobody can tell right now.
            UsageError: ``parameter_invalid`` for anything but text.
        """
        from oidc_adapters.context.validation import checked_id_token

        claims: dict[str, Any] = json.loads(
            render(checked_id_token(self, id_token).id_token.claims)
        )
        return claims

    def drive(self, rp: RelyingParty, step: Step[T]) -> tuple[T, TokenDict]:
        """Drive an operation to its end; return its result and the last answer, as plain JSON.

        The answer is without the members that cannot be read, like a number out of range.

        Raises:
            OidcError: the refusal of the operation.
        """
        answer: TokenDict = {}
        while not isinstance(step, Done):
            if isinstance(step, Exchange):
                received = self.shell.send(step.request)
                step = resume(rp, step, received)
                answer = _plain(answered(received.answer).body)
            else:
                step = resume(rp, step, self.shell.keys(step.wanted))
        return step.result, answer

    def close(self) -> None:
        """Close the connections that were made here; your own transport is left alone."""
        close = getattr(self.shell.transport, "close", None)
        if self._own_transport and close is not None:
            close()

    def __repr__(self) -> str:
        return f"OIDCCtx({self.rp.issuer!r}, client_id={self.rp.client.client_id!r})"

    def __reduce__(self) -> NoReturn:
        message = "a context is not pickled: it holds the client's secret"
        raise TypeError(message)


def _plain(body: bytes) -> TokenDict:
    """Read an answer like the core, which has accepted it."""
    members = parse_object(body, members=UPPER_BOUNDS.members, tolerant=True)
    odd = unreadable(members)
    return {name: value for name, value in members.plain().items() if name not in odd}


_SETTINGS: Final = MappingProxyType(
    {
        "issuer": "text",
        "redirect_uri": "text",
        "client_id": "text",
        "client_secret": "text or a call",
        "verify": "True, False or None",
        "cacrt": "a path or PEM text",
        "state_timeout_secs": "whole seconds",
        "allowed_skew_secs": "whole seconds",
        "key_refresh_secs": "whole seconds",
        "random_device": "login_secrets() and token()",
        "pkce": "True or False",
        "decrypt": "a call or None",
        "refresh_unknown_logins": "True or False",
        "insecure_allow_http_loopback": "True or False",
        "transport": "send()",
        "clock": "now()",
    }
)
"""The type of each setting; the scopes are read one by one."""


def check_context(ctx: object) -> None:
    """Refuse every value that is not a context.

    Raises:
        UsageError: ``parameter_invalid``.
    """
    if not isinstance(ctx, OIDCCtx):
        found = type(ctx).__name__
        raise UsageError("parameter_invalid", about="ctx", found=found, expected="OIDCCtx")


def valid_until(ctx: OIDCCtx, id_token: IdToken) -> int:
    """Return until when an ID token that was verified is valid."""
    return (numeric_date(id_token.claims.members.get("exp")) or 0) + ctx.rp.policy.leeway


def _policy(
    state_timeout_secs: int,
    allowed_skew_secs: int,
    key_refresh_secs: int,
    *,
    verify: bool | None,
    http: bool,
) -> Policy:
    quirks = {
        "insecure_skip_tls_verification": verify is False,
        "insecure_allow_http_loopback": http,
    }
    for name, number, lowest in (
        ("state_timeout_secs", state_timeout_secs, 1),
        ("allowed_skew_secs", allowed_skew_secs, 0),
        ("key_refresh_secs", key_refresh_secs, 1),
    ):
        if number < lowest:
            raise UsageError("config_invalid", about=name, found=number, expected=f"from {lowest}")
    return Policy(
        name="context",
        leeway=allowed_skew_secs,
        login_lifetime=state_timeout_secs,
        key_set_max_age=key_refresh_secs,
        userinfo="never",
        quirks=frozenset([name for name, wanted in quirks.items() if wanted]),
    )


def _secret(client_secret: Secret, decrypt: Callable[[str], str] | None) -> Secret:
    """Return the secret as it is held: an encrypted one is decrypted for each use."""
    if decrypt is None:
        return client_secret
    if not isinstance(client_secret, str):
        raise UsageError("config_invalid", about="decrypt", expected="client_secret as text")
    return partial(decrypt, client_secret)


def _setup(
    names: tuple[str, str, str], client_secret: Secret, scope: str, policy: Policy
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
            token_endpoint_auth_method=None,
            scope=scope,
        ),
        policy=policy,
    )


def _auth_method(provider: ProviderMetadata) -> AuthMethod:
    """Return the original's method, unless the metadata lists HTTP Basic and not that one.

    An absent list rules nothing out, whether or not it has a default (OIDC Discovery §3).
    """
    listed = provider.token_endpoint_auth_methods_supported
    if listed and "client_secret_post" not in listed:
        return "client_secret_basic"
    return "client_secret_post"


def _shell(sender: Transport, clock: Clock | None, random_device: Entropy | None) -> Shell:
    """Return the world, in which every part of the application may fail."""
    return Shell(
        sender,
        Credentials(),
        clock=None if clock is None else PluggedClock(clock),
        entropy=None if random_device is None else PluggedEntropy(random_device),
    )


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
        raise UsageError("config_invalid", about="cacrt", expected="no transport= argument")
    if unverified:
        warn_caller("the provider's TLS certificate is not verified")
    return PluggedTransport(transport)
