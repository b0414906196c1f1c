"""The logout modules of the OpenID Foundation's client tests (suite 5.2.4), each by its name.

The provider is the fake one; the requests are those that the suite makes, and the verdicts those
that it waits for.
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.testing import FakeClient
from oidc_adapters.testing.session_management import browser_state, session_state
from oidc_core.operations import backchannel_logout, frontchannel_logout
from oidc_core.wire.errors import CallbackError, OidcError
from oidc_core.wire.replies import Reply
from tests.flows.rig import Rig, honest_provider, new_rig, returning

FRAMED: Final = FakeClient(
    backchannel_logout_uri="https://rp.example/backchannel",
    frontchannel_logout_uri="https://rp.example/frame",
)
BACK: Final[dict[str, tuple[str | None, str]]] = {
    "rp-backchannel-rpinitlogout": (None, ""),
    "rp-backchannel-rpinitlogout-alg-none": ("logout_alg_none", "alg_not_allowed"),
    "rp-backchannel-rpinitlogout-wrong-alg": ("logout_other_alg", "alg_not_allowed"),
    "rp-backchannel-rpinitlogout-wrong-aud": ("logout_other_aud", "aud_mismatch"),
    "rp-backchannel-rpinitlogout-wrong-iss": ("logout_other_iss", "iss_mismatch"),
    "rp-backchannel-rpinitlogout-wrong-event": ("logout_other_event", "event_unexpected"),
    "rp-backchannel-rpinitlogout-no-event": ("logout_no_event", "events_missing"),
    "rp-backchannel-rpinitlogout-with-nonce": ("logout_with_nonce", "claim_forbidden"),
}
"""Name of the module, the provider's misbehaviour, and the code of the refusal."""


def logged_in(misbehave: str | None = None) -> tuple[Rig, str]:
    """Return a client with a login, and the session at the provider."""
    rig = new_rig(honest_provider(clients=(FRAMED,)))
    sid = rig.log_in().logged_in.tokens.sid
    rig.provider.misbehave = misbehave
    assert sid is not None
    return rig, sid


def left(rig: Rig) -> str:
    """Let the client begin a logout; return where the browser comes back to."""
    page = rig.client.start_logout()
    rig.browser.receive(page.cookies)
    return rig.provider.end_session(page.url, rig.clock.now()) or ""


def told(rig: Rig, sid: str) -> tuple[Reply, str]:
    """Let the provider post its logout token; return the answer, and the code of a refusal."""
    rp, shell, now = rig.client.rp, rig.client.shell, rig.clock.now()
    incoming = rig.provider.backchannel_logout(now, sub="alice", sid=sid).incoming()
    try:
        notice = shell.run(rp, backchannel_logout.receive(rp, incoming, now=now))
    except OidcError as refusal:
        return backchannel_logout.reply(refusal), refusal.code
    assert (notice.sub, notice.sid) == ("alice", sid)
    return backchannel_logout.reply(), ""


@pytest.mark.req("OIDCBCL-2.8-01", "OIDCBCL-2.8-02", "OIDCRIL-2-11")
@pytest.mark.parametrize("module", BACK)
def test_a_logout_in_the_back_channel(module: str) -> None:
    misbehave, code = BACK[module]
    rig, sid = logged_in(misbehave)
    back = left(rig)

    reply, found = told(rig, sid)

    assert (found, reply.status) == (code, 400 if code else 200)
    assert reply.header("cache-control") == "no-store"
    out = rig.client.finish_logout(returning(back, rig.browser.header))
    assert out.logged_out.post_logout_redirect_uri == "https://rp.example/"


@pytest.mark.req("OIDCFCL-2-05")
@pytest.mark.parametrize("module", ["rp-frontchannel-rpinitlogout", "rp-frontchannel-opinitlogout"])
def test_a_logout_in_the_front_channel(module: str) -> None:
    rig, sid = logged_in()
    back = left(rig) if module.endswith("rpinitlogout") else ""
    (url,) = rig.provider.frontchannel_logout_urls(sid)
    assert url.startswith("https://rp.example/frame?")

    notice = frontchannel_logout.receive(rig.client.rp, returning(url))

    assert (notice.issuer, notice.sid) == (rig.provider.issuer, sid)
    reply = frontchannel_logout.reply((rig.client.rp,))
    assert (reply.status, reply.header("cache-control")) == (200, "no-store")
    if back:
        rig.client.finish_logout(returning(back, rig.browser.header))


@pytest.mark.req("OIDCSM-3.1-01")
def test_session_management() -> None:
    """The module ``session-management``; `tests/browser` has it in a browser."""
    rig = new_rig(honest_provider(clients=(FRAMED,), session_management=True))
    login = rig.log_in().logged_in
    told, sid = login.session_state, login.tokens.sid
    assert told is not None
    assert sid is not None

    page = rig.client.session_frame(told).body.decode()

    (data,) = re.findall(r'data-told="([^"]*)"', page)
    client_id, sent = json.loads(unescape(data))["message"].split(" ")
    assert (client_id, sent) == (FRAMED.client_id, told)
    assert f'src="{rig.provider.issuer}/check-session"' in page
    salt = sent.partition(".")[2]
    for state, same in ((browser_state(sid), True), ("", False)):
        judged = session_state(client_id, FRAMED.redirect_uris[0], state, salt)
        assert (judged == sent) is same


@pytest.mark.req("OIDCRIL-2-08")
@pytest.mark.parametrize(
    ("module", "query", "code"),
    [
        ("rp-init-logout", None, ""),
        ("rp-init-logout-other-state", "state=another", "logout_state_mismatch"),
        ("rp-init-logout-no-state", "", "logout_state_mismatch"),
    ],
)
def test_a_return_from_a_logout(module: str, query: str | None, code: str) -> None:
    rig, _ = logged_in()
    incoming = returning(left(rig), rig.browser.header)
    if query is None:
        assert rig.client.finish_logout(incoming).logged_out.post_logout_redirect_uri
        return
    with pytest.raises(CallbackError) as caught:
        rig.client.finish_logout(evolve(incoming, query=query))
    assert caught.value.code == code, module
