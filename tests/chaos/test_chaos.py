"""The short form of ``make chaos``."""

from __future__ import annotations

from tests.chaos.run import run


def test_nothing_is_lost_and_nothing_is_doubled_whatever_goes_wrong(tmp_path):
    account = run(tmp_path, events=600, seed=2026, at_least=25)
    assert account.clean, account
    assert len(account.disturbances) == 6, "each disturbance came at least once"
    assert account.faults > 20
