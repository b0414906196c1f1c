"""A process that has imported everything, started no thread, and forks others on request.

For each process it takes a plan and one end of a connection.  It ends when its own connection ends,
so it also ends if the tests die; so do the processes that it forked.
"""

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from tests.processes import operated_provider, worker
from tests.processes.messages import Fork, WorkerPlan


def main(descriptor: int) -> int:
    """Fork until nobody asks any more; a forked process returns from here when its part ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes
    connection = Connection(descriptor)
    while True:
        try:
            fork: Fork = connection.recv()
        except EOFError:
            return 0
        own = Connection(recv_handle(connection))
        if isinstance(fork.plan, WorkerPlan):
            fork.plan.place.imported()
        prepared = worker.preloaded(fork.plan)
        if threading.active_count() != 1:
            message = "a parent with threads forks no worker"
            raise RuntimeError(message)
        if os.fork() == 0:
            connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if isinstance(fork.plan, WorkerPlan):
                worker.run(own, fork.name, fork.plan, prepared)
            else:
                operated_provider.run(own, fork.plan)
            return 0
        own.close()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
