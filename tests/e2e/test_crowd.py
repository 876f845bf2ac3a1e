"""Many at once, over eight worker processes, with a GLPI that fails at random."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hub_glpi.simulator import GlpiSimulator

from hub.sdk.testing.simulator import Fault
from tests.support import crowd
from tests.support.crowd import contact
from tests.support.installation import RunningHub

CONTACTS = range(1_000, 1_100)
CONVERSATIONS = range(5_000, 5_050)
#: One conversation gets a hundred messages, twenty others five each.
MESSAGES = [(5_000, number) for number in range(100)] + [
    (5_001 + number % 20, 100 + number) for number in range(100)
]

#: No backoff of minutes for who was unlucky several times in a row.
POLICY = "retry.first=0.5 retry.longest=4 breaker.first_probe=1 breaker.longest_probe=4"
#: Seconds after which something is wrong; on a quiet machine it takes a tenth of them.
GIVE_UP = 600


def conversation(number: int) -> dict[str, Any]:
    return crowd.conversation(number, contact(number - 4_000))


def message(talk: int, number: int) -> dict[str, Any]:
    return crowd.message(number, talk, contact(talk - 4_000))


def test_none_is_doubled_and_none_is_missing(tmp_path):
    with (
        GlpiSimulator(service_time=0.01, seed=7) as glpi,
        RunningHub(tmp_path, HUB_POLICY=POLICY) as hub,
    ):
        hub.glpi_url = glpi.url
        hub.start("--processes", "8", "--threads", "4")
        hub.connect()
        for kind in ("status", "html", "garbage", "drop_before", "drop_after"):
            glpi.add_fault(Fault(kind, times=None, probability=0.02))

        def send(bodies: list[dict[str, Any]], at_once: int) -> None:
            def post(body: dict[str, Any]) -> int:
                return hub.send(json.dumps(body).encode()).status_code

            with ThreadPoolExecutor(at_once) as pool:
                assert set(pool.map(post, bodies)) == {202}

        send([contact(number) for number in CONTACTS], 16)
        send([conversation(number) for number in CONVERSATIONS], 16)
        # One after the other, so that their order is known; the lanes work on them at once.
        send([message(talk, number) for talk, number in MESSAGES], 1)
        hub.wait(GIVE_UP)
        glpi.clear_faults()
        status = hub.run("status")
        assert (status["waiting"], status["running"], status["dead"]) == (0, 0, 0), hub.story()

        people = Counter(user["name"] for user in glpi.users() if "person" in user["name"])
        assert people == Counter(f"person{number}@example.com" for number in CONTACTS)
        tickets = glpi.tickets()
        talks = Counter(int(re.search(r"conversations/(\d+)", t["content"])[1]) for t in tickets)
        assert talks == Counter(CONVERSATIONS)
        for ticket in tickets:
            talk = int(re.search(r"conversations/(\d+)", ticket["content"])[1])
            said = [number for other, number in MESSAGES if other == talk]
            # The customer's first message is the ticket's text, the others are its followups.
            texts = [ticket["content"], *(f["content"] for f in glpi.followups(ticket["id"]))]
            found = [int(n) for text in texts for n in re.findall(r"Message (\d+)\.", text)]
            assert found == said, f"conversation {talk}"
