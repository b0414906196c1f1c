"""A worker is killed at one point of its exchanges, and others want the same tokens.

Each of its callers stands at the point with another grant, so one kill leaves so many records.
"""

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from oidc_core.model.resends import Grace, ResendInDoubt
from tests.processes.conftest import FULL_SIZE
from tests.processes.crowd import answers
from tests.processes.holding import POINTS, ask, grants_of, holder
from tests.processes.messages import Point, ProviderPlan
from tests.processes.scene import Scene, gathered

UNSENT: Final = ("after-mark", "before-send")
"""The request has not left, and nobody else can know."""

ANSWERED: Final = ("after-send", "before-store")
"""The provider has answered, and nobody else has the answer."""

GROUPS: Final = tuple([(point,) for point in POINTS]) if FULL_SIZE else (POINTS,)


@pytest.mark.parametrize("points", GROUPS, ids=lambda points: "+".join(map(str, points))[:40])
@pytest.mark.parametrize("rule", ["once", "never", Grace(60)], ids=["once", "never", "grace"])
def test_a_killed_worker_costs_no_session(
    scene: Callable[..., Scene],
    size: Callable[[int, int], int],
    guards: dict[str, int],
    rule: ResendInDoubt,
    points: Sequence[Point],
) -> None:
    grace = rule.seconds if isinstance(rule, Grace) else 0
    stage = scene(ProviderPlan(refresh_grace=grace), resend=rule, **guards)
    bystanders = stage.workers(size(2, 3))
    holders = [holder(stage, point, size(6, 50)) for point in points]
    for each in holders:
        each.worker.kill()
    ask(bystanders, grants_of(holders))
    got, fates = gathered(answers(bystanders, 120)), stage.fates()
    for point, grants, _ in holders:
        answered, unsent = str(point) in ANSWERED, str(point) in UNSENT
        resent = answered and rule != "never"
        for grant in grants:
            fate, record = fates[grant], stage.record(grant)
            about = stage.teller(grant, got[grant], fate)
            assert fate.sent == (0 if unsent and rule == "never" else 1 + resent), about()
            assert fate.reused == resent, about()
            assert fate.revoked is (answered and rule == "once"), about()
            if rule == "never" and (answered or unsent):
                assert {*got[grant]} == {"!refresh_in_doubt"}, about()
                assert record.state == "doubt", about()
            elif fate.revoked:
                assert {*got[grant]} == {"!invalid_grant"}, about()
                assert record.state == "refused", about()
            else:
                assert {*got[grant]} <= {*fate.access}, about()
                assert record.state == "current", about()
                assert record.tokens.refresh_token in fate.refresh, about()
