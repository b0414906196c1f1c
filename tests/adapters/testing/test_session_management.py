"""The provider's side of session management, without a browser; `tests/browser` has one."""

from __future__ import annotations

from hashlib import sha256

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeProvider, serve
from oidc_adapters.testing.session_management import browser_state, session_state
from oidc_core.wire.http import HttpResponse, WireRequest
from tests.flows.rig import NOW


def test_the_hash_is_that_of_the_specification() -> None:
    made = session_state("client", "https://rp.example/cb?a=b", "state", "salt")
    told = b"client https://rp.example state salt"
    assert made == f"{sha256(told).hexdigest()}.salt"


def test_the_state_does_not_tell_the_session() -> None:
    assert "sid" not in browser_state("sid")
    assert browser_state("sid") == browser_state("sid") != browser_state("other")


@pytest.mark.parametrize("on", [True, False])
def test_a_page_for_a_frame_is_there_if_the_provider_has_it(on: bool) -> None:
    provider = FakeProvider(session_management=on)
    with serve(provider, FrozenClock(NOW)) as served:
        request = WireRequest(
            method="GET",
            url=f"{served.issuer}/check-session",
            headers=(),
            body=None,
            resend="never",
            max_body=65_536,
            deadline=30,
        )
        answer = served.answer(request)
    assert isinstance(answer, HttpResponse)
    assert answer.status == (200 if on else 404)
    assert "x-frame-options" not in dict(answer.headers)
