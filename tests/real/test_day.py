"""The recorded day, wholly and in order: as it came, and shuffled; in LeadSquared in long runs."""

from __future__ import annotations

import os
from pathlib import Path

from tests.real.__main__ import table
from tests.real.day import lived
from tests.real.expected import scenes
from tests.real.standing import in_glpi, in_leadsquared

IS_LONG = bool(os.environ.get("HUB_TEST_LONG"))
#: Seeds of the orders beside the recorded one.
SEEDS = range(1, 21 if IS_LONG else 2)
CRMS = ("glpi", "leadsquared") if IS_LONG else ("glpi",)
#: Longer than the hub's own second by as much as the machine that replays may be busy.
POLICY = "order.patience=3 lease.settle=5"


def test_each_conversation_stands_as_it_stood_in_chatwoot(tmp_path: Path) -> None:
    outcomes = lived(tmp_path, [None, *SEEDS], CRMS, HUB_POLICY=POLICY)
    for number, outcome in enumerate(outcomes):
        lines = [in_glpi(scene, outcome["glpi"]["tables"]) for scene in scenes()]
        if "leadsquared" in outcome:
            lines += [in_leadsquared(scene, outcome["leadsquared"]) for scene in scenes()]
        wrong = [line for line in lines if not line.is_right]
        assert wrong == [], table(f"order {number}", wrong)
