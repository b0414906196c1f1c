"""Every exception of an application's store is one typed failure."""

import asyncio

import pytest

from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.wire.errors import CallbackError, StoreFailure

STORE = FailsClosed("sessions")


class OwnError(Exception):
    pass


@pytest.mark.parametrize(
    "fault",
    [ConnectionError("redis"), TimeoutError(), OSError(5), KeyError("k"), ValueError(), OwnError()],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_is_raised_is_store_unavailable_with_its_cause(fault: Exception) -> None:
    with pytest.raises(StoreFailure) as failure, STORE:
        raise fault

    error = failure.value
    assert (error.code, error.about, error.found) == (
        "store_unavailable", "sessions", type(fault).__name__,
    )  # fmt: skip
    assert error.__cause__ is fault
    assert error.retryable == "later"


@pytest.mark.parametrize("fault", [StoreFailure("store_full"), CallbackError("state_used")])
def test_what_the_library_itself_refuses_passes(fault: Exception) -> None:
    with pytest.raises(type(fault)) as passed, STORE:
        raise fault

    assert passed.value is fault


@pytest.mark.parametrize(
    "end", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]
)
def test_an_end_stays_an_end(end: type[BaseException]) -> None:
    with pytest.raises(end), STORE:
        raise end


def test_around_an_await_it_is_the_same() -> None:
    async def main() -> None:
        with STORE:
            await asyncio.sleep(0)
            raise ConnectionError

    with pytest.raises(StoreFailure) as failure:
        asyncio.run(main())
    assert failure.value.code == "store_unavailable"


def test_without_a_failure_nothing_happens() -> None:
    with STORE:
        done = True

    assert done
