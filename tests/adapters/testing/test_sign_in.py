"""Who is signed in at the end of a request, and how well."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing import FakeProvider, FakeUser, Session

from .raw_client import NOW, arrive, parsed, redeem


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(id_token_alg="EdDSA")


def session_of(provider: FakeProvider, session: Session | None = None, **asked: Any) -> Session:
    answer = arrive(provider, session=session, **asked)
    assert answer.parameter("error") is None
    assert answer.session is not None
    return answer.session


def test_the_first_user_signs_in_where_nobody_is_named(provider: FakeProvider) -> None:
    assert session_of(provider).sub == "alice"


def test_a_session_goes_on_under_its_name(provider: FakeProvider) -> None:
    bobs = session_of(provider, user="bob")

    again = session_of(provider, bobs, prompt="login")
    other = session_of(provider, bobs, prompt="login", user="alice")

    assert (again.sub, again.sid) == ("bob", bobs.sid)
    assert (other.sub, other.sid == bobs.sid) == ("alice", False)


def test_who_is_signed_in_comes_before_a_hint(provider: FakeProvider) -> None:
    bobs = session_of(provider, user="bob")

    assert session_of(provider, bobs, login_hint="alice") == bobs
    assert session_of(provider, bobs, login_hint="alice", prompt="login").sub == "bob"
    assert session_of(provider, bobs, login_hint="alice", prompt="select_account").sub == "alice"


def test_an_id_token_says_more_than_a_login_hint(provider: FakeProvider) -> None:
    hint = parsed(redeem(provider, arrive(provider, user="bob")))["id_token"]

    assert session_of(provider, id_token_hint=hint, login_hint="alice").sub == "bob"


def test_a_session_of_somebody_unknown_is_none(provider: FakeProvider) -> None:
    bobs = session_of(provider, user="bob")
    provider.users = (FakeUser(sub="carol"),)

    assert session_of(provider, bobs).sub == "carol"
    assert arrive(provider, session=bobs, prompt="none").parameter("error") == "login_required"


def test_an_unknown_user_is_the_caller_s_mistake(provider: FakeProvider) -> None:
    with pytest.raises(LookupError):
        arrive(provider, user="nobody")


def test_a_session_without_a_class_has_the_weakest(provider: FakeProvider) -> None:
    session = Session(sub="alice", auth_time=NOW, sid="s")

    assert session_of(provider, session, acr_values="urn:example:password") == session
    assert session_of(provider, session, acr_values="urn:example:two-factor") != session


def test_no_hint_names_nobody(provider: FakeProvider) -> None:
    """A user without an e-mail address is not who is hinted at where there is no hint."""
    provider.users = (FakeUser.complete("carol"), FakeUser(sub="dave"))

    assert session_of(provider).sub == "carol"
