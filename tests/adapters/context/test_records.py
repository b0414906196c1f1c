"""The memory of a context about its logins."""

from attrs import evolve

from oidc_adapters.context import (
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.context.memory import Memory
from tests.adapters.context.world import World


class TestRecords:
    """The memory of one login."""

    def test_the_nonces_of_finished_logins_are_beyond_the_reach_of_strangers(
        self, world: World
    ) -> None:
        """Logins that strangers start and never finish push out no nonce of a user."""
        id_token = world.tokens()["id_token"]
        world.ctx.records = evolve(world.ctx.records, issued=Memory(lifetime=120, cap=1))
        for _ in range(3):
            flow_request_authorization_code(world.ctx)

        assert flow_validate_id_token(world.ctx, id_token)
