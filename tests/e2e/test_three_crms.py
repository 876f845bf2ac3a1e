"""One account with several CRMs: when one is down, the others lose nothing and wait for nothing."""

from __future__ import annotations

import importlib
import json
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from hub.kit.conformance import Conformance
from hub.sdk.testing import payloads
from hub.sdk.testing.simulator import Simulator
from tests.support.installation import PATIENCE, SECRET, RunningHub

#: Each plugin with the class that tells the kit of it: its simulator and settings serve here too.
CRMS = {
    "glpi": "hub_glpi.conformance:TestGlpi",
    "leadsquared": "hub_leadsquared.conformance:TestLeadSquared",
    "webhook": "hub_webhook.conformance:TestWebhook",
}
#: Nobody wants to wait for the probes of a breaker that an operator would wait for.
IMPATIENT = "breaker.first_probe=0.5 breaker.longest_probe=1 retry.first=0.2 retry.longest=2"
#: People who write while one CRM is down; every CRM is once.
PEOPLE = 12


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


def mentions(crm: Simulator, people: range) -> Counter[int]:
    """How often each person's address stands in a CRM's records."""
    text = json.dumps(crm.state()).replace("\\", "")
    return Counter({number: text.count(f'"person{number}@example.com"') for number in people})


def test_a_crm_that_is_down_costs_the_others_nothing(tmp_path: Path) -> None:
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

        for number, down in enumerate(CRMS):
            before, after = number * PEOPLE, (number + 1) * PEOPLE
            people = range(1_000 + before, 1_000 + after)
            well = [name for name in CRMS if name != down]
            crms[down].stop()
            for person in people:
                assert hub.send(contact(person)).status_code == 202
            # ``hub wait`` would wait for the one that is down, too.
            give_up = time.monotonic() + PATIENCE
            while any(states(hub, hooks[name]) != {"done": after} for name in well):
                assert time.monotonic() < give_up, hub.story()
            arrived = {name: mentions(crms[name], people) for name in well}
            owed = states(hub, hooks[down])
            assert (owed["done"], owed["dead"], owed.total()) == (before, 0, after)
            assert set(mentions(crms[down], people).values()) == {0}

            crms[down].start()
            hub.wait()
            for name in CRMS:
                assert states(hub, hooks[name]) == {"done": after}, (name, hub.story())
                counted = mentions(crms[name], people)
                assert arrived.setdefault(name, counted) == counted, f"{name} got something twice"
                assert len(set(counted.values())) == 1, f"{name} counts people apart: {counted}"
                assert min(counted.values()) > 0, f"{name} lacks a person"
