"""The parts of a misbehaviour."""

from attrs import evolve

from oidc_adapters.testing import AuthorizationResponse, BackchannelLogout
from oidc_adapters.testing.misbehaviours import HONEST, Changes, answers
from oidc_core.wire.http import HttpResponse
from tests.adapters.testing.raw_client import NOW


def test_an_honest_provider_changes_nothing() -> None:
    callback = AuthorizationResponse(
        redirect_uri="https://rp.example", mode="query", parameters=(), session=None
    )
    answer = HttpResponse(200, (), b"{}", NOW)
    logout = BackchannelLogout(uri=None, logout_token="a.b.c", form=b"")

    assert HONEST.metadata({"a": 1}) == {"a": 1}
    assert HONEST.callback(callback) is callback
    assert HONEST.answer(answer) is answer
    assert HONEST.logout(logout) is logout
    assert Changes() == HONEST


def test_the_change_of_the_whole_answer_can_be_left_out() -> None:
    changes = Changes(answer=answers.html, tokens=lambda _: {})

    assert changes.without_answer() == evolve(changes, answer=HONEST.answer)
