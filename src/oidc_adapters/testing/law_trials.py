"""One login, refresh and logout at a provider that misbehaves, and the code that ends them."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen
from cryptography.hazmat.primitives.asymmetric import ec

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys, DecryptionKey
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing.misbehaviours import HONEST, Deviation
from oidc_adapters.testing.parties import ALICE, BOB, FakeClient, FakeUser
from oidc_adapters.testing.provider import FakeProvider
from oidc_adapters.testing.signing_keys import private_key, rsa_key
from oidc_adapters.testing.transports import InMemoryTransport, TellsTime
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.operations import discovery, refresh
from oidc_core.operations.backchannel_logout import receive, refuse_repeat
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, NoAnswer, WireRequest

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty

_NOW: Final = 1_700_000_000
_ISSUER: Final = "https://op.example"
_SLOT: Final = "the client of a law"
_PREFERRED: Final = ("EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256")


class _VerifiedTransport(InMemoryTransport):
    """Reaches the provider over a channel that it calls verified, as a policy may demand."""

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        answer = super().send(request, clock)
        if isinstance(answer, NoAnswer):
            return answer
        return evolve(answer, channel=answer.channel._replace(server="verified"))


@frozen(kw_only=True)
class Trial:
    """A client that meets providers of its own, each of which misbehaves as it is told.

    Attributes:
        policy: the client's rules.
        registration: its registration.  Secret and keys are made for the trial.
        request: its demands on each login.
    """

    policy: Policy
    registration: ClientRegistration
    request: AuthenticationRequest

    def code(self, rows: Iterable[Deviation] = ()) -> str | None:
        """Return the code that ends a login, a refresh and two logouts, ``None`` if nothing does.

        Refresh and logouts are honest up to the misbehaviours that belong to them.
        """
        transport = _VerifiedTransport(self._provider(tuple(rows)))
        try:
            self._run(transport)
        except OidcError as error:
            return error.code
        return None

    def _run(self, transport: InMemoryTransport) -> None:
        client, provider = self._client(transport), transport.provider
        page = client.start_login(self.request)
        cookie = "; ".join([f"{each.name}={each.value}" for each in page.cookies])
        arrived = provider.authorize(page.url, _NOW).incoming(cookie)
        tokens = client.finish_login(arrived, account=self.request.account).logged_in.tokens
        rp, shell, used = client.rp, client.shell, set[str]()
        if tokens.refresh_token is not None:
            renewed = shell.run(rp, refresh.renew(rp, tokens))
            shell.run(rp, refresh.verify(rp, renewed, now=_NOW))
        for _ in range(2):
            logout = provider.backchannel_logout(_NOW, sub=tokens.subject, sid=tokens.sid)
            notice = shell.run(rp, receive(rp, logout.incoming(), now=_NOW))
            refuse_repeat(notice, used=notice.once in used)
            used.add(notice.once)

    def _client(self, transport: InMemoryTransport) -> OidcClient:
        """Return the client; it reads metadata only where a provider would have it read wrongly."""
        rows = transport.provider.misbehaviours
        if any(row.endpoint == "discovery" or _says_wrong_metadata(row) for row in rows):
            rp = self._discovered(transport)
        else:
            rp = self._honest
        shell = self._shell(transport, rp)
        return OidcClient.of(rp, shell, MemoryPendingLogins())

    @cached_property
    def _honest(self) -> "RelyingParty":
        return self._discovered(_VerifiedTransport(self._provider(())))

    def _discovered(self, transport: InMemoryTransport) -> "RelyingParty":
        bare = self._setup.relying_party()
        return self._shell(transport, bare).run(bare, discovery.discover(bare))

    def _shell(self, transport: InMemoryTransport, rp: "RelyingParty") -> Shell:
        credentials = self._setup.credentials(rp)
        return Shell(transport, credentials, clock=FrozenClock(_NOW), entropy=FixedEntropy(1))

    @cached_property
    def _setup(self) -> ClientSetup:
        signed = self.registration.token_endpoint_auth_method == "private_key_jwt"
        public = self.registration.token_endpoint_auth_method == "none"
        return ClientSetup(
            issuer=self._issuer,
            registration=self.registration,
            client_secret=None if signed or public else FakeClient().client_secret,
            client_keys=ClientKeys(self._signing_key) if signed else None,
            decryption_keys=self._decryption_keys,
            policy=self.policy,
        )

    @property
    def _issuer(self) -> str:
        return self.registration.issuer or _ISSUER

    @cached_property
    def _signing_key(self) -> ClientKey:
        alg = self.registration.assertion_alg
        return ClientKey(private_key(alg, _SLOT), alg=alg)

    @cached_property
    def _decryption_keys(self) -> tuple[DecryptionKey, ...]:
        algs = [
            alg
            for alg in (
                self.registration.id_token_encrypted_response_alg,
                self.registration.userinfo_encrypted_response_alg,
            )
            if alg is not None
        ]
        keys: list[DecryptionKey] = []
        if any(alg.startswith("RSA") for alg in algs):
            keys.append(DecryptionKey(rsa_key(f"{_SLOT}, encryption")))
        if any(alg.startswith("ECDH") for alg in algs):
            keys.append(DecryptionKey(ec.derive_private_key(7, ec.SECP256R1())))
        return tuple(keys)

    def _provider(self, rows: tuple[Deviation, ...]) -> FakeProvider:
        return FakeProvider(
            issuer=self._issuer,
            clients=(self._fake_client,),
            users=self._users,
            id_token_alg=self._alg,
            misbehave=rows,
        )

    @property
    def _alg(self) -> str:
        registered = self.registration.id_token_signed_response_alg
        accepted = (alg for alg in _PREFERRED if alg in self.policy.algorithms)
        return registered or next(accepted, "RS256")

    @cached_property
    def _users(self) -> tuple[FakeUser, ...]:
        sub = self.request.expected_sub
        return (ALICE, BOB) if sub is None else (evolve(ALICE, sub=sub), BOB)

    @cached_property
    def _fake_client(self) -> FakeClient:
        client = self.registration
        jwks: list[Any] = [key.public_jwk() for key in self._decryption_keys]
        if client.token_endpoint_auth_method == "private_key_jwt":
            jwks.append(self._signing_key.public_jwk())
        encryption = {
            name: value
            for kind in ("id_token", "userinfo")
            for name in (f"{kind}_encrypted_response_alg", f"{kind}_encrypted_response_enc")
            if (value := getattr(client, name)) is not None
        }
        return FakeClient(
            client_id=client.client_id,
            redirect_uris=client.redirect_uris,
            post_logout_redirect_uris=client.post_logout_redirect_uris,
            backchannel_logout_uri=client.backchannel_logout_uri,
            token_endpoint_auth_method=client.token_endpoint_auth_method or "client_secret_basic",
            raw_basic="basic_raw_credentials" in self.policy.quirks,
            jwks=tuple(jwks),
            id_token_signed_response_alg=client.id_token_signed_response_alg,
            userinfo_signed_response_alg=client.userinfo_signed_response_alg,
            **encryption,
        )


def _says_wrong_metadata(row: Deviation) -> bool:
    return row.changes.metadata is not HONEST.metadata
