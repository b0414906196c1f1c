"""A client secret that is opened for each use."""

from typing import Any

import pytest

from oidc_adapters.runtime.client_secret import opened
from oidc_core.wire.errors import StoreFailure, UsageError


def test_text_is_the_secret() -> None:
    assert [opened("text"), opened(lambda: "opened")] == ["text", "opened"]


def test_a_call_is_made_for_each_use() -> None:
    calls = iter(["one", "two"])

    assert [opened(lambda: next(calls)) for _ in range(2)] == ["one", "two"]


@pytest.mark.parametrize("value", ["", None, b"bytes", 5, ["text"]])
def test_whatever_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(UsageError) as refusal:
        opened(lambda: value)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "client_secret")


@pytest.mark.parametrize("fault", [ConnectionError("kms"), KeyError("k"), ValueError()])
def test_a_call_that_fails_is_one_typed_failure(fault: Exception) -> None:
    def fails() -> str:
        raise fault

    with pytest.raises(StoreFailure) as failure:
        opened(fails)
    assert (failure.value.code, failure.value.about) == ("store_unavailable", "client_secret")
    assert failure.value.__cause__ is fault
