"""The bench on which the conformance kit tries a plugin."""

from __future__ import annotations

from hub_glpi import plugin
from hub_glpi.simulator import APP_TOKEN, USER_TOKEN, GlpiSimulator

from hub.kit.conformance.bench import Bench


def test_the_simulator_and_the_hook_live_in_one_time() -> None:
    with GlpiSimulator() as simulator:
        tokens = {"app_token": APP_TOKEN, "user_token": USER_TOKEN}
        bench = Bench(plugin, {"api_url": simulator.api_url, **tokens}, simulator)
        bench.begin()
        assert bench.learned["clock_offset_seconds"] == 0
        assert bench.learned["clock_drift_seconds"] == 0
        bench.clock.sleep(3600)
        assert simulator.now() == bench.clock.now().timestamp()
