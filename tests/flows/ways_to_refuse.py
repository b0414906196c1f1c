"""How the library is driven until it refuses: a browser, an answer, a store, a setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve

from oidc_adapters.clients.connections import Connections
from oidc_adapters.context import APIError, flow_refresh_token
from oidc_adapters.credentials.client_credentials import Credentials, credentials_for
from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import CookiePendingLogins, MemoryPendingLogins, MemorySpent
from oidc_adapters.stores.records import MemoryRecords, at_once
from oidc_adapters.stores.sessions import SessionIndex
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.jose.key_set import parse_key_set
from oidc_core.machine.dpop import with_demanded_nonce, with_proof
from oidc_core.machine.grants import LogIn, Withhold
from oidc_core.machine.steps import Step
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.policy import Policy
from oidc_core.operations import backchannel_logout, frontchannel_logout
from oidc_core.operations.discovery import discover
from oidc_core.operations.grants import error_of
from oidc_core.operations.login import finish
from oidc_core.operations.validation import validate
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.http import NoAnswer
from oidc_core.wire.urls import parse_url
from tests import parties
from tests.adapters.context.world import World
from tests.flows.rig import (
    DECRYPTION_KEY,
    SEALING_SECRET,
    Rig,
    honest_provider,
    new_rig,
    returning,
)
from tests.indexed import CONNECTION, ends, logout, session
from tests.logouts import logout_token, posted
from tests.signing import SECRET, signed, signing_key
from tests.unit.machine.test_dpop import JKT, TOKEN, demand

Refuse = Callable[[], object]
FAILED: Final = NoAnswer("no", "http_timeout", parties.NOW)
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
BYE: Final = "https://rp.example/"
"""Where a logout ends."""


# --- the browser comes back ----------------------------------------------------------------------


def in_cookies(**settings: Any) -> Rig:
    return new_rig(pending=CookiePendingLogins(SEALING_SECRET, **settings))


def ended_meanwhile() -> None:
    """A login that began before the provider ended the sessions of its user."""
    index = SessionIndex(MemoryRecords(), SEALING_SECRET)
    at_once(index.ended(index.waiting, logout(), ends([])))
    index.add(CONNECTION, session())


def twice() -> object:
    rig = in_cookies()
    incoming = rig.visit(rig.start())
    brought = evolve(incoming, cookie=rig.browser.header)
    rig.client.finish_login(brought)
    return rig.client.finish_login(brought)


def under_another_policy() -> object:
    store = MemoryPendingLogins()
    rig = new_rig(pending=store)
    other = new_rig(rig.provider, pending=store, policy=Policy(name="other", leeway=1))
    incoming = rig.visit(rig.start())
    return other.client.finish_login(evolve(incoming, cookie=rig.browser.header))


def with_cookie(change: Callable[[str], str], rig: Rig | None = None) -> Refuse:
    def refuse() -> object:
        at = rig or new_rig()
        incoming = at.visit(at.start())
        return at.client.finish_login(evolve(incoming, cookie=change(at.browser.header)))

    return refuse


def damaged(header: str) -> str:
    return header[:-1] + ("A" if header[-1] != "A" else "B")


def of_another_worker() -> object:
    rig, other = (
        in_cookies(),
        new_rig(pending=CookiePendingLogins(b"another secret of 32 octets!!!!!")),
    )
    incoming = rig.visit(rig.start())
    return other.client.finish_login(evolve(incoming, cookie=rig.browser.header))


def at_url(url: str | None) -> Refuse:
    def refuse() -> object:
        rig = new_rig(response_iss="required")
        return rig.finish(evolve(rig.visit(rig.start()), url=url))

    return refuse


def logged_out(change: Callable[[str], str], seconds: int = 0) -> Refuse:
    def refuse() -> object:
        rig = in_cookies()
        page = rig.client.start_logout(rig.log_in().logged_in.tokens)
        rig.browser.receive(page.cookies)
        rig.clock.advance(seconds)
        state = page.url.partition("state=")[2].partition("&")[0]
        return rig.client.finish_logout(
            returning(f"{BYE}?state={change(state)}", rig.browser.header)
        )

    return refuse


def logout_by(rp: Any = parties.RP, **claims: object) -> Refuse:
    def refuse() -> object:
        incoming = posted(logout_token(**claims))
        return parties.with_keys(rp, backchannel_logout.receive(rp, incoming, now=parties.NOW))

    return refuse


def logout_without_sid() -> object:
    rp = parties.relying_party(client={"backchannel_logout_session_required": True})
    return logout_by(rp, sid=None)()


def in_a_frame(query: str) -> Refuse:
    return lambda: frontchannel_logout.receive(parties.RP, returning(f"{BYE}?{query}"))


def finished(
    rp: Any = parties.RP,
    ends: Any = None,
    *,
    pending: Any = NOTHING,
    now: int = parties.NOW,
    **callback: Any,
) -> Any:
    """Finish a login in the core, under another relying party if one is given."""
    login = parties.started(rp)
    waiting = evolve(login.pending, **pending)
    arrived = parties.callback(login, **callback)
    secret = parties.secrets().binding
    return finish(ends or rp, waiting, arrived, binding=secret, now=now)


# --- answers -------------------------------------------------------------------------------------


def logged_in(rp: Any = parties.RP, *, login: Any = None, changed: Any = (), **token: Any) -> Any:
    """Go on until the ID token was verified; ``changed``: claims of it."""
    begun = login or parties.started(rp)
    step: Any = finish(
        rp,
        begun.pending,
        parties.callback(begun),
        binding=parties.secrets().binding,
        now=parties.NOW,
    )
    nonce = begun.pending.demands.nonce
    claims = parties.claims_for(nonce if isinstance(nonce, str) else None, **dict(changed))
    key = token.pop("key", None) or signing_key()
    answer = parties.token_answer(signed(claims, key), **token)
    later: Step[Any] = parties.resume(rp, step, answer)
    return parties.with_keys(rp, later)


def claims(**changed: Any) -> Refuse:
    return lambda: logged_in(changed=tuple(changed.items()))


def demanding(changed: Any = (), **request: Any) -> Refuse:
    return lambda: logged_in(login=parties.started(**request), changed=changed)


def unlucky(code: str, cause: str) -> Refuse:
    """Have discovery end without an answer."""

    def refuse() -> object:
        step: Any = discover(parties.RP)
        failure = NoAnswer("no", code, parties.NOW, cause)
        return parties.resume(parties.RP, step, failure)

    return refuse


def discovered(body: object) -> Refuse:
    def refuse() -> object:
        step: Any = discover(parties.RP)
        return parties.resume(parties.RP, step, parties.json_response(body))

    return refuse


def over_an_unverified_channel() -> object:
    strict = parties.relying_party(policy=Policy(require_verified_channel=True))
    step: Any = discover(strict)
    return parties.resume(strict, step, parties.json_response({}))


def keys_of(*jwks: Mapping[str, object]) -> Any:
    return parse_key_set(parties.json_response({"keys": [*jwks]}).body)


def validated(token: str) -> Any:
    demands = Demands(nonce=EXPECT_NO_NONCE, started_at=parties.NOW)
    step: Any = validate(parties.RP, token, demands, now=parties.NOW)
    return parties.resume(parties.RP, step, parties.keys())


def with_header(header: bytes) -> Refuse:
    return lambda: validated(f"{b64url_encode(header)}.e30.AAAA")


def encrypted(token: str) -> Refuse:
    def refuse() -> object:
        return validate(ENCRYPTED, token, parties.started().pending.demands, now=parties.NOW)

    return refuse


def essential() -> object:
    rp = parties.relying_party(policy=Policy(require_essential_claims=True))
    wanted = {"id_token": {"email": {"essential": True}}}
    return logged_in(rp, login=parties.started(rp, claims=wanted))


def selected(kid: str | None, alg: str, *jwks: Mapping[str, object]) -> Refuse:
    return lambda: keys_of(*jwks).select(kid, alg)


ENCRYPTED: Final = parties.relying_party(
    client={
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A128GCM",
    },
    decrypter=ClientDecrypter(DECRYPTION_KEY),
)
CUT_SHORT: Final = ".".join((*signed(parties.claims_for()).split(".")[:2], "AAAA"))
KEY: Final = signing_key().public_jwk()
OTHER: Final = signing_key(slot="rotated", kid="k1").public_jwk()
RSA: Final[dict[str, object]] = {"kty": "RSA", "e": "AQAB"}


def second_nonce() -> object:
    again = with_demanded_nonce(with_proof(TOKEN, JKT), demand())
    assert again is not None
    return with_demanded_nonce(again, demand())


# --- stores and settings -------------------------------------------------------------------------


class Down(MemorySpent):
    """A store that cannot be reached."""

    def seen_once(self, name: str, until: int, now: int) -> bool:
        raise ConnectionError


def store_down() -> object:
    rig = in_cookies(spent=Down())
    return rig.finish(rig.visit(rig.start()))


def full(rig: Rig) -> object:
    for _ in range(2):
        rig.browser.cookies.clear()
        rig.log_in()
    return None


def waiting_room_full() -> object:
    rig = new_rig(pending=MemoryPendingLogins(cap=1))
    return [rig.client.start_login() for _ in range(2)]


def cookie_too_large() -> object:
    rig = in_cookies()
    return rig.start(AuthenticationRequest(resource=("https://api.example/" + "a" * 900,)))


def elsewhere() -> object:
    rp = parties.RP
    credentials = Credentials(credentials_for(rp, secret=SECRET))
    request = finished().request
    return credentials.prepare(
        evolve(request, url="https://elsewhere.example/token"),
        now=parties.NOW,
        entropy=FixedEntropy(1),
    )


def shared_path() -> object:
    other = honest_provider(issuer="https://other.example")
    return Connections(new_rig().client, new_rig(other).client)


def nowhere() -> object:
    rig = new_rig()
    foreign = honest_provider(issuer="https://other.example")
    other = new_rig(foreign, redirect_uri="https://rp.example/elsewhere")
    page = rig.start()
    brought = evolve(rig.visit(page), cookie=rig.browser.header, url=None)
    return Connections(rig.client, other.client).finish_login(brought)


def unknown_login() -> object:
    found = flow_refresh_token(World().ctx, "a refresh token of before")
    assert isinstance(found, APIError)
    assert found.cause is not None
    raise found.cause


def parsed(url: str) -> Refuse:
    return lambda: parse_url(url)


def withheld(answer: Withhold | LogIn) -> Refuse:
    def refuse() -> object:
        raise error_of(answer)

    return refuse
