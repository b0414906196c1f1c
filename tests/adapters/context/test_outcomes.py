"""``APIError`` and ``AuthServerError``: values, returned and not raised."""

import copy

from oidc_adapters.context import (
    APIError,
    AuthServerError,
    flow_get_token,
)
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
