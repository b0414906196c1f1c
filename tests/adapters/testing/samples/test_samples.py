"""Every sample: the call that it prints builds it again, and shows no secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import Phase, given, settings

from oidc_adapters.testing import samples
from oidc_adapters.testing.strategies import (
    callbacks,
    clocks,
    interleavings,
    json_objects,
    json_values,
    key_sets,
    keys,
    metadata,
    misbehaviours,
    policies,
    requests,
    token_responses,
    tokens,
)
from tests.adapters.testing.samples.contents import REBUILD, contents, secrets_of
from tests.meta.source_rules import in_order
from tests.meta.trees import HERE

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

TABS: Final = {"first": ("start", "finish"), "second": ("start", "finish")}
KINDS: Final = samples.TOKEN_KINDS
SAMPLES: Final[dict[str, SearchStrategy[Any]]] = {
    "tokens": tokens(kind=KINDS) | tokens(kind=KINDS, encrypted=True),
    "keys": keys(),
    "key_sets": key_sets(),
    "metadata": metadata(),
    "callbacks": callbacks(),
    "token_responses": token_responses(),
    "clocks": clocks(),
}
OTHERS: Final[dict[str, SearchStrategy[Any]]] = {
    "misbehaviours": misbehaviours(most=3),
    "policies": policies(),
    "requests": requests(),
    "interleavings": interleavings(TABS, abandon=True, repeat=True),
    "json_values": json_values(),
    "json_objects": json_objects(),
}


def drawn_from(strategy: SearchStrategy[Any], number: int) -> list[Any]:
    """Return the values of a few examples."""
    found: list[Any] = []

    @settings(max_examples=number, phases=[Phase.generate], database=None, deadline=None)
    @given(strategy)
    def drawing(value: Any) -> None:
        found.append(value)

    drawing()
    return found


def rebuilt(calls: list[str]) -> list[str]:
    """Return what the values say that a new process builds by these calls."""
    done = HERE.python(REBUILD, json.dumps(calls))
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_what_is_printed_is_built_again_in_a_new_process() -> None:
    """The call of a sample, and the output of a failed test as it is, comments included."""
    values = [value for each in SAMPLES.values() for value in drawn_from(each, 6)]
    failing: list[list[Any]] = []

    @settings(max_examples=1, phases=[Phase.generate, Phase.explain], database=None, deadline=None)
    @given(**SAMPLES, **OTHERS)
    def drawn(**values: Any) -> None:
        failing.append([*values.values()])
        message = "fails whatever is drawn"
        raise ValueError(message)

    with pytest.raises(ValueError, match="fails whatever is drawn") as failed:
        drawn()
    (note,) = [each for each in failed.value.__notes__ if "drawn(" in each]
    calls = [*map(repr, values), note[note.index("drawn(") :]]

    assert rebuilt(calls) == [contents(value) for value in (*values, failing[-1])]


@settings(max_examples=15)
@given(SAMPLES["tokens"] | SAMPLES["callbacks"] | SAMPLES["token_responses"])
def test_no_secret_is_printed(value: Any) -> None:
    printed = repr(value)

    assert secrets_of(value)
    assert not [secret for secret in secrets_of(value) if secret in printed]


def test_samples_need_neither_hypothesis_nor_pytest() -> None:
    done = HERE.python(
        "import sys; sys.modules.update(hypothesis=None, pytest=None)\n"
        "from oidc_adapters.testing.samples import *\n"
        "print(judged(SignedToken(fault='wrong_nonce')))"
    )

    assert done.stdout == "nonce_mismatch\n", done.stderr


def test_the_public_names_are_in_order() -> None:
    assert in_order([*samples.__all__]) == [*samples.__all__]
