"""A machine that tries an own driver of steps; it needs Hypothesis (``oidc-core[testing]``).

.. code-block:: python

    class TestsOfMyDriver(DriverMachine):
        def driver(self, world: DriverWorld) -> Drive:
            return MyDriver(world.transport, world.credentials, world.clock).run


    TestMyDriver = TestsOfMyDriver.TestCase

The contract: send each request once, exactly as prepared, and resume the step it came from with
that answer or with the failure; a step may be thrown away at any time.  :data:`DRIVER_DUTIES` has
it in parts.
"""

from oidc_adapters.testing.drivers.duties import DRIVER_DUTIES, DutyBroken
from oidc_adapters.testing.drivers.judging import Interrupted
from oidc_adapters.testing.drivers.machine import Drive, DriverMachine, Run
from oidc_adapters.testing.drivers.parties import DriverWorld
from oidc_adapters.testing.drivers.wire import FAULTS

__all__ = [
    "DRIVER_DUTIES",
    "FAULTS",
    "Drive",
    "DriverMachine",
    "DriverWorld",
    "DutyBroken",
    "Interrupted",
    "Run",
]
