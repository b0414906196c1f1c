from __future__ import annotations

import pytest
from attrs import field, frozen

from oidc_adapters.testing.samples import SampleKey, SampleKeySet, SignedToken, call_of
from oidc_core import AuthenticationRequest, Policy


@frozen(kw_only=True)
class Kept:
    shown: str = ""
    hidden: str = field(default="", repr=False)
    made: str = field(init=False, default="made")


@pytest.mark.parametrize(
    ("value", "call"),
    [
        (SignedToken(), "SignedToken()"),
        (SignedToken(alg="EdDSA", key_seed=3), "SignedToken(alg='EdDSA', key_seed=3)"),
        (SignedToken(claims={"acr": None}), "SignedToken(claims={'acr': None})"),
        (
            SignedToken(claims={"a": [{"b": [1.5, True]}]}),
            "SignedToken(claims={'a': ({'b': (1.5, True)},)})",
        ),
        (SampleKeySet(keys=(SampleKey(seed=1),)), "SampleKeySet(keys=(SampleKey(seed=1),))"),
        (SampleKeySet(keys=()), "SampleKeySet(keys=())"),
        (Policy(), "Policy()"),
        (Policy(quirks={"omit_pkce"}), "Policy(quirks={'omit_pkce'})"),
        (Policy(algorithms=()), "Policy(algorithms=frozenset())"),
        (
            AuthenticationRequest(claims={"id_token": {"acr": None}}, extra={"a": "b"}),
            "AuthenticationRequest(claims={'id_token': {'acr': None}}, extra=(('a', 'b'),))",
        ),
        (Kept(shown="a", hidden="secret"), "Kept(shown='a')"),
    ],
)
def test_a_value_is_shown_as_the_call_that_builds_it(value: SignedToken, call: str) -> None:
    assert call_of(value) == call


def test_a_sample_prints_as_its_call_for_hypothesis_and_in_text() -> None:
    printed: list[str] = []

    class Printer:
        def text(self, text: str, /) -> None:
            printed.append(text)

    SampleKey(seed=1)._repr_pretty_(Printer(), False)

    assert printed == [repr(SampleKey(seed=1))] == ["SampleKey(seed=1)"]
