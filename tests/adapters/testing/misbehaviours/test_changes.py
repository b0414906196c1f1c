"""The parts of a misbehaviour."""

from attrs import evolve

from oidc_adapters.testing import AuthorizationResponse, BackchannelLogout
from oidc_adapters.testing.encryption import JweDraft
from oidc_adapters.testing.misbehaviours import HONEST, Changes, answers, forgeries, together
from oidc_adapters.testing.signing import JwtDraft, SigningKey
from oidc_adapters.testing.signing_keys import private_key
from oidc_core.wire.http import HttpResponse, NoAnswer
from tests.adapters.testing.raw_client import NOW, claims_of, header_of


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


def draft(**claims: object) -> JwtDraft:
    key = SigningKey(alg="ES256", kid="k", private=private_key("ES256", "provider"))
    return JwtDraft(header={"alg": "ES256", "kid": "k"}, claims=claims, key=key, now=NOW)


def test_changes_of_members_follow_each_other() -> None:
    def plus(text: str) -> Changes:
        return Changes(metadata=lambda members: {"a": f"{members['a']}{text}"})

    assert plus("1").then(plus("2")).then(plus("3")).metadata({"a": "0"}) == {"a": "0123"}


def test_changes_of_a_jwt_follow_each_other_and_it_is_signed_once() -> None:
    several = together(
        Changes(id_token=change)
        for change in (
            forgeries.with_claim("sub", "first"),
            forgeries.with_header("typ", "x"),
            forgeries.with_claim("sub", "last"),
            forgeries.damaged_signature,
        )
    )

    token = several.id_token(draft(sub="alice", aud="client"))

    assert claims_of(token) == {"sub": "last", "aud": "client"}
    assert header_of(token) == {"alg": "ES256", "kid": "k", "typ": "x"}
    good = draft(sub="last", aud="client").with_header(typ="x").signed()
    assert token.rpartition(".")[0] == good.rpartition(".")[0]
    assert token != good


def test_a_change_that_writes_a_jwt_by_itself_comes_last_wherever_it_stands() -> None:
    unsigned = Changes(id_token=forgeries.unsigned)
    other = Changes(id_token=forgeries.with_claim("sub", "mallory"))
    third = Changes(id_token=forgeries.with_header("typ", "x"))

    for several in ((unsigned, other, third), (other, unsigned, third), (other, third, unsigned)):
        token = together(several).id_token(draft(sub="alice"))
        assert claims_of(token)["sub"] == "mallory"
        assert header_of(token) == {"alg": "none", "kid": "k", "typ": "x"}
        assert token.endswith(".")


def test_changes_of_what_is_encrypted_follow_each_other() -> None:
    jwe = JweDraft(
        header={"alg": "dir", "enc": "A128GCM"},
        plaintext=b"{}",
        recipient=16 * b"k",
        alg="dir",
        enc="A128GCM",
        seed="s",
    )

    def named(name: str) -> Changes:
        return Changes(encrypted=lambda draft: draft.with_header(**{name: 1}).encrypted())

    header = header_of(together(map(named, ("a", "b", "c"))).encrypted(jwe))

    assert header == {"alg": "dir", "enc": "A128GCM", "a": 1, "b": 1, "c": 1}


def test_nothing_comes_after_a_dropped_connection() -> None:
    answer = HttpResponse(200, (), b"{}", NOW)
    several = Changes(answer=answers.dropped).then(Changes(answer=answers.html))

    assert isinstance(several.answer(answer), NoAnswer)


def test_no_changes_together_are_honest() -> None:
    assert together(()) is HONEST
    assert together((HONEST, HONEST)) is HONEST
