"""Eight processes race for each callback, through every store that processes share."""

import json
import subprocess
import sys

import pytest

from tests.callback_races import STORES
from tests.meta.trees import ROOT
from tests.servers import postgresql, redis

STATES = 2_000
PATIENCE = 900

MISSING = {
    "sqlite": None,
    "postgresql": None if postgresql.binaries() else "needs PostgreSQL",
    "redis": None if redis.program() else "needs Redis or Valkey",
}


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_each_login_is_won_once_and_its_code_sent_once(store: str) -> None:
    missing = MISSING[store]
    if missing is not None:
        pytest.skip(missing)
    command = (sys.executable, "-m", "tests.callback_races", store, "--states", str(STATES))

    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )

    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["winners"] == outcome["token_requests"] == STATES
    lost = outcome["state_used"] + outcome["state_unknown"]
    assert lost == STATES * (outcome["processes"] - 1)
    assert outcome["failures"] == {}
    assert outcome["metadata_requests"] <= 2
    assert outcome["key_set_requests"] <= 2
