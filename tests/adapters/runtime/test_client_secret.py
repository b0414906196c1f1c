"""A client secret that is opened for each use."""

from functools import partial
from typing import Any

import pytest

from oidc_adapters.runtime.client_secret import check_secret, opened
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


class Awaited:
    """An object whose call must be awaited."""

    async def __call__(self) -> str:
        return "opened"


async def awaited(secret: str = "opened") -> str:
    return secret


@pytest.mark.parametrize(
    "secret", [str, Awaited, awaited, partial(awaited, "s"), Awaited(), Awaited().__call__]
)
def test_a_call_that_can_return_no_text_is_refused_at_once(secret: object) -> None:
    with pytest.raises(UsageError) as refusal:
        check_secret(secret)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "client_secret")


class Opens:
    """An object that returns a secret."""

    def __call__(self) -> str:
        return "opened"


@pytest.mark.parametrize("secret", [None, "s" * 40, "é" * 20, lambda: "s", Opens()])
def test_a_secret_or_a_call_that_returns_one_passes(secret: object) -> None:
    check_secret(secret)


class CallableText(str):
    """Text that can be called, which must be read all the same."""

    __slots__ = ()

    def __call__(self) -> str:
        return "opened"


@pytest.mark.parametrize(
    "secret",
    [
        "\ufeffhidden",
        "hidden\ufeff",
        "hid\u200bden",
        "hidden\u200d",
        "hid\u00adden",
        "hid\u202eden",
        "hid\x85den",
        "hidden\x00",
        "hid\u00a0den",
        "hidden\udcff",
        "\ud800hidden",
        " hidden",
        "hidden\n",
        CallableText("hidden\n"),
    ],
    ids=ascii,
)
def test_a_secret_with_what_nobody_sees_is_refused_and_not_shown(secret: str) -> None:
    for check in (partial(check_secret, secret), partial(opened, lambda: secret)):
        with pytest.raises(UsageError) as refusal:
            check()

        assert (refusal.value.code, refusal.value.about) == ("config_invalid", "client_secret")
        assert "hid" not in str(refusal.value)
