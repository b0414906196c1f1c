"""``APIError`` and ``AuthServerError``: values, returned and not raised."""

import copy

import pytest

from oidc_adapters.context import (
    APIError,
    AuthServerError,
    flow_get_token,
)
from oidc_adapters.context.outcomes import failure
from oidc_core.wire.errors import StoreFailure
from tests.adapters.context.world import (
    World,
)


class TestErrors:
    """``APIError`` and ``AuthServerError``: values, returned and not raised."""

    def test_they_have_the_fields_of_the_original(self) -> None:
        error = AuthServerError("access_denied", "no", "https://e.example")

        assert APIError("state_expired").error == "state_expired"
        assert (error.error, error.error_description) == ("access_denied", "no")
        assert error.error_uri == "https://e.example"
        assert AuthServerError("server_error").error_description is None

    def test_an_error_that_others_hold_too_stays_as_it_is(self) -> None:
        with pytest.raises(StoreFailure) as failed:
            raise StoreFailure("store_full", found=5, about="keys") from ConnectionError("c")
        shared = failed.value
        shared.return_to = "/private"
        value = failure(shared)

        assert isinstance(shared.__cause__, ConnectionError)
        assert shared.__traceback__ is not None
        assert value.cause is not None
        assert value.cause is not shared
        assert (value.error, value.cause.found, value.cause.about) == ("store_full", 5, "keys")
        assert (value.cause.__cause__, value.cause.__context__, value.cause.__traceback__) == (
            None, None, None,
        )  # fmt: skip

    def test_they_carry_their_cause_without_its_frames(self, world: World) -> None:
        error = flow_get_token(world.ctx, "from-elsewhere")
        assert isinstance(error, APIError)
        cause = error.cause

        assert cause is not None
        assert (cause.code, cause.retryable, cause.__traceback__) == (
            "state_unknown", "restart", None,
        )  # fmt: skip
        assert "cause" not in repr(error)
        assert copy.deepcopy(error) == error
