"""A login at the fake provider: over real HTTP on loopback, with a scripted browser."""

from typing import Any, Final

from attrs import evolve

from oidc_adapters.cli.loopback_login import LoopbackLogin
from oidc_adapters.cli.recording import WatchedShell, Witness
from oidc_adapters.cli.scripted_browser import ScriptedBrowser
from oidc_adapters.cli.world import World
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.native.listener import CallbackListener, listening
from oidc_adapters.testing import MISBEHAVIOURS, FakeClient, FakeProvider, serve
from oidc_adapters.testing.misbehaviours import During, Needs
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.jsontypes import JsonObject

CLIENT_ID: Final = "demo"
_PATIENCE: Final = 1
_ACR: Final = "urn:example:password"
_POLICY: Final = Policy(
    name="demo", userinfo="required", quirks=frozenset({"insecure_allow_http_loopback"})
)
_STRICT: Final = evolve(
    _POLICY,
    require_at_hash=True,
    require_logout_typ=True,
    require_essential_claims=True,
    forbid_extra_scope=True,
)
_ESSENTIAL: Final = JsonObject({"id_token": {"email": {"essential": True}}})


def fake_login(misbehave: str | None, world: World, witness: Witness) -> LoggedIn:
    """Log in at a provider that lives as long as this call.

    Args:
        misbehave: the misbehaviour of the provider, or ``None``. The client makes every request
            that it needs to notice that; it refreshes its tokens, or has its session ended, if it
            shows only then.
        world: network, time, randomness.
        witness: is told what happens.

    Raises:
        OidcError: the refusal of the login.
    """
    row = None if misbehave is None else MISBEHAVIOURS[misbehave]
    needs: Needs = "" if row is None else row.needs
    during: During = "login" if row is None else row.during
    secret, keys = world.entropy.token(), _decryption_keys(needs)
    with world.transport(None) as transport, listening() as listener:
        client = _client(secret, needs, listener, keys)
        provider = _provider(misbehave, needs, world, client)
        with serve(provider, world.clock) as served:
            shell = WatchedShell(transport, witness, clock=world.clock, entropy=world.entropy)
            browser = ScriptedBrowser(transport, witness, world.clock)
            setup = _setup(served.issuer, secret, needs, listener, keys)
            login = LoopbackLogin.discover(setup, shell)
            request = _request(needs, during)
            logged_in = login.log_in(request, listener, browser.visit, timeout=_PATIENCE)
            if during == "refresh":
                login.refresh(logged_in)
            if during == "logout":
                _log_out_twice(login, served.provider, logged_in)
            return logged_in


def _log_out_twice(login: LoopbackLogin, provider: FakeProvider, logged_in: LoggedIn) -> None:
    """Have the provider end the session by two tokens, each of a new name if it is honest."""
    used, tokens = set[str](), logged_in.tokens
    for _ in range(2):
        now = login.shell.clock.now()
        logout = provider.backchannel_logout(now, sub=tokens.subject, sid=tokens.sid)
        login.log_out(logout.incoming(), used)


def _provider(
    misbehave: str | None, needs: Needs, world: World, client: FakeClient
) -> FakeProvider:
    return FakeProvider(
        clients=(client,),
        misbehave=misbehave,
        id_token_alg="EdDSA" if needs == "EdDSA" else "RS256",
        seed=int.from_bytes(world.entropy.token().encode(), "big"),
    )


def _client(
    secret: str, needs: Needs, listener: CallbackListener, keys: tuple[DecryptionKey, ...]
) -> FakeClient:
    return FakeClient(
        client_id=CLIENT_ID,
        client_secret=secret,
        redirect_uris=(listener.url,),
        userinfo_signed_response_alg=_userinfo_alg(needs),
        jwks=tuple([key.public_jwk() for key in keys]),
        **_encryption(needs),
    )


def _setup(
    issuer: str,
    secret: str,
    needs: Needs,
    listener: CallbackListener,
    keys: tuple[DecryptionKey, ...],
) -> ClientSetup:
    registration = ClientRegistration(
        client_id=CLIENT_ID,
        redirect_uris=(listener.url,),
        userinfo_signed_response_alg=_userinfo_alg(needs),
        **_encryption(needs),
        scope="openid profile email",
        backchannel_logout_session_required=needs == "strict",
    )
    return ClientSetup(
        issuer=issuer,
        registration=registration,
        client_secret=secret,
        decryption_keys=keys,
        policy=_STRICT if needs == "strict" else _POLICY,
    )


def _userinfo_alg(needs: Needs) -> str | None:
    return "RS256" if needs in {"signed_userinfo", "encrypted_userinfo"} else None


def _encryption(needs: Needs) -> dict[str, Any]:
    encrypted = needs.partition("encrypted_")[2]
    alg, enc = f"{encrypted}_encrypted_response_alg", f"{encrypted}_encrypted_response_enc"
    return {alg: "ECDH-ES+A128KW", enc: "A128GCM"} if encrypted else {}


def _decryption_keys(needs: Needs) -> tuple[DecryptionKey, ...]:
    if not needs.startswith("encrypted_"):
        return ()
    from cryptography.hazmat.primitives.asymmetric import ec

    return (DecryptionKey(ec.generate_private_key(ec.SECP256R1())),)


def _request(needs: Needs, during: During) -> AuthenticationRequest:
    return AuthenticationRequest(
        scope="openid profile email offline_access" if during == "refresh" else "",
        max_age=600 if needs == "max_age" else None,
        required_acr=(_ACR,) if needs == "acr" else (),
        claims=_ESSENTIAL if needs == "strict" else None,
    )
