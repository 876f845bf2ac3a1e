"""One account with several CRMs: when one is down, the others lose nothing and wait for nothing."""

from __future__ import annotations

import importlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from hub.sdk.testing import payloads
from hub.sdk.testing.conformance import Conformance
from hub.sdk.testing.simulator import Simulator
from tests.support.installation import SECRET, RunningHub

#: Each plugin with the class that tells the kit of it: its simulator and settings serve here too.
CRMS = {
    "glpi": "hub_glpi.conformance:TestGlpi",
    "leadsquared": "hub_leadsquared.conformance:TestLeadSquared",
}
#: Nobody wants to wait for the probes of a breaker that an operator would wait for.
IMPATIENT = "breaker.first_probe=0.5 retry.first=0.2 retry.longest=2"
PEOPLE = range(1_000, 1_012)


def subject(plugin_id: str) -> Conformance:
    module, _, name = CRMS[plugin_id].partition(":")
    found = getattr(importlib.import_module(module), name)()
    assert isinstance(found, Conformance)
    return found


def contact(number: int) -> bytes:
    return json.dumps(
        {
            **payloads.load("contact_created_full"),
            "id": number,
            "name": f"Person {number}",
            "email": f"person{number}@example.com",
            "phone_number": None,
        }
    ).encode()


def states(hub: RunningHub, hook: int) -> Counter[str]:
    return Counter(
        row["state"] for row in hub.run("deliveries", "list", "--hook", str(hook), "--limit", "500")
    )


def mentions(state: Mapping[str, Any]) -> Counter[str]:
    """How often each person's address stands in a CRM's records, made equal over all CRMs."""
    text = json.dumps(state)
    found = Counter({n: text.count(f'"person{n}@example.com"') for n in PEOPLE})
    return Counter({str(number): count for number, count in found.items()})


@pytest.mark.parametrize("down", CRMS)
def test_one_crm_down_costs_the_others_nothing(tmp_path, down: str) -> None:
    with ExitStack() as stack:
        hub = stack.enter_context(RunningHub(tmp_path, HUB_POLICY=IMPATIENT))
        crms: dict[str, Simulator] = {}
        hooks: dict[str, int] = {}
        hub.start()
        hub.run("accounts", "create", "Acme", "--region", "DE")
        source = hub.run("sources", "create", "Acme", "--kind=chatwoot", "--signing-secret", SECRET)
        hub.webhook = source["webhook_url"]
        for plugin_id in CRMS:
            told = subject(plugin_id)
            crms[plugin_id] = stack.enter_context(type(told).simulator())
            settings = told.settings(crms[plugin_id].url)
            options = [f"--set={name}={value}" for name, value in settings.items()]
            hooks[plugin_id] = hub.run("hooks", "create", "Acme", plugin_id, *options)["id"]

        crms[down].stop()
        for number in PEOPLE:
            assert hub.send(contact(number)).status_code == 202
        well = [plugin_id for plugin_id in CRMS if plugin_id != down]
        # ``hub wait`` would wait for the one that is down, too.
        give_up = time.monotonic() + 120
        while any(min(mentions(crms[name].state()).values()) == 0 for name in well):
            assert time.monotonic() < give_up, hub.story()
            time.sleep(0.05)
        while any(states(hub, hooks[name])["done"] < len(PEOPLE) for name in well):
            assert time.monotonic() < give_up, hub.story()
        assert states(hub, hooks[down])["done"] == 0
        once = {name: mentions(crms[name].state()) for name in well}
        assert states(hub, hooks[down])["dead"] == 0

        crms[down].start()
        hub.wait(200)
        for name in CRMS:
            assert states(hub, hooks[name]) == {"done": len(PEOPLE)}, (name, hub.story())
        assert {name: mentions(crms[name].state()) for name in well} == once
        for name in CRMS:
            counted = mentions(crms[name].state())
            assert min(counted.values()) > 0, f"{name} lacks a person"
            assert len(set(counted.values())) == 1, f"{name} has a person twice: {counted}"
