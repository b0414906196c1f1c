"""A machine of Hypothesis that attacks a login: ``AttackerMachine``.

.. code-block:: python

    from oidc_adapters.testing.attackers import AttackerMachine

    TestAttacks = AttackerMachine.TestCase

It needs Hypothesis, which is in the extra ``testing``.
"""

from oidc_adapters.testing.attackers.judge import INVARIANTS, judged, settle
from oidc_adapters.testing.attackers.machine import AttackerMachine, InvariantBroken
from oidc_adapters.testing.attackers.observations import Call, Flaw, History
from oidc_adapters.testing.attackers.settings import AttackSettings
from oidc_adapters.testing.attackers.world import World

__all__ = [
    "INVARIANTS",
    "AttackSettings",
    "AttackerMachine",
    "Call",
    "Flaw",
    "History",
    "InvariantBroken",
    "World",
    "judged",
    "settle",
]
