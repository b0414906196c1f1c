"""Sessions end while eight processes renew their tokens."""

from collections.abc import Callable

from tests.processes.crowd import answers
from tests.processes.messages import Ask, End
from tests.processes.scene import Scene, gathered

PROCESSES = 8


def test_nothing_revives_an_ended_session(
    scene: Callable[..., Scene], size: Callable[[int, int], int]
) -> None:
    stage = scene(trusted=0, linger=0.02)
    grants = stage.give("grant", size(100, 400))
    workers = stage.workers(PROCESSES)
    ending = stage.workers(2)
    for number, worker in enumerate(workers):
        worker.tell(Ask(grants, 6, seed=number))
    ending[0].tell(End(grants))
    ending[1].tell(End(grants[::-1]))
    ended, got = gathered(answers(ending)), gathered(answers(workers))
    for worker in workers:
        worker.tell(Ask(grants, 1))
    after, fates = gathered(answers(workers)), stage.fates()
    for grant in grants:
        about = stage.teller(grant, got[grant], fates[grant])
        assert ended[grant] == {"ended": 1, "nothing": 1}, about()
        assert {each for each in got[grant] if each[0] in "!~"} <= {"!grant_ended"}, about()
        assert {*after[grant]} == {"!grant_ended"}, about()
        assert stage.record(grant).state == "ended", about()
        assert fates[grant].sent <= 1, about()
        assert fates[grant].reused == 0, about()
        # A pair that came after the end is revoked by the process that has it, and by nothing else.
        assert not fates[grant].revoked or fates[grant].sent == 1, about()
