"""A short history under kill -9; history.py --long has the whole."""

import os
import random

import checker
import history

SECONDS = float(os.environ.get("HISTORY_SECONDS", "20"))


def test_a_short_history_is_right():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    operations, kills, faults = history.run(SECONDS, 16, seed)
    assert not faults, faults
    assert sum(operation["status"] == 201 for operation in operations) > 50
    assert sum(kills.values()) >= 3, kills
    assert checker.check(operations, history.QUARANTINE) == []
