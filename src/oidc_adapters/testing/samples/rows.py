"""Rows of the table of misbehaviours, by a call that can be printed."""

from oidc_adapters.testing.misbehaviours import MISBEHAVIOURS, Misbehaviour
from oidc_adapters.testing.samples.keys import check_choice


def misbehaviour(name: str) -> Misbehaviour:
    """Return the row of :data:`~oidc_adapters.testing.MISBEHAVIOURS` of that name.

    Raises:
        UsageError: ``config_invalid`` if no row has that name.
    """
    check_choice(name, tuple(MISBEHAVIOURS), "misbehaviour")
    return MISBEHAVIOURS[name]
