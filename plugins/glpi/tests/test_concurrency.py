"""Many lanes at once, with and without faults: no double, none missing, and in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Done, Event, RetryLater, Skip
from hub.sdk.testing.simulator import Fault

WORKERS = 8


def drain(hub: Any, lanes: Sequence[Sequence[Sequence[Event]]]) -> list[Any]:
    """Pay what the lanes owe, each in order and by one worker, trying again as the hub would."""

    def one(lane: Sequence[Sequence[Event]]) -> list[Any]:
        outcomes: list[Any] = []
        for events in lane:
            for _ in range(60):
                worker = hub.worker()
                got = (
                    list(worker.deliver_batch(events))
                    if len(events) > 1
                    else [worker.deliver(events[0])]
                )
                if not any(isinstance(outcome, RetryLater) for outcome in got):
                    break
            outcomes += got
        return outcomes

    with ThreadPoolExecutor(WORKERS) as pool:
        return [outcome for outcomes in pool.map(one, lanes) for outcome in outcomes]


def random_faults(simulator: GlpiSimulator) -> None:
    kinds: list[Any] = ["drop_before", "drop_after", "html", "empty", "status", "garbage"]
    simulator.add_fault(*[Fault(kind, times=None, probability=0.03) for kind in kinds])


def lanes_of(chatwoot: Any, count: int, messages: int) -> list[list[list[Event]]]:
    """Customers who each open a conversation and write."""
    lanes = []
    for number in range(count):
        contact = chatwoot.contact(
            f"Customer {number}",
            id=str(100 + number),
            email=f"c{number}@x.example",
            phone=f"+3461{number:07d}",
        )
        parts = {"contact": contact, "conversation": chatwoot.conversation(str(number))}
        lane = [
            [chatwoot.event("contact.created", contact=contact)],
            [chatwoot.event("conversation.created", version=1, **parts)],
        ]
        texts = [
            chatwoot.event("message.created", message=chatwoot.message(f"Line {n}."), **parts)
            for n in range(messages)
        ]
        # What waits goes together; how it is cut is up to the moment.
        lane += [texts[:1], texts[1:3], texts[3:]] if messages > 3 else [[t] for t in texts]
        lanes.append([events for events in lane if events])
    return lanes


def settled(outcomes: Sequence[Any]) -> None:
    assert all(isinstance(outcome, Done | Skip) for outcome in outcomes), Counter(
        str(outcome) for outcome in outcomes if not isinstance(outcome, Done | Skip)
    )


def test_a_hundred_contacts_at_once(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    random_faults(simulator)
    settled(drain(simulated_hub, [lane[:1] for lane in lanes_of(chatwoot, 100, 0)]))
    emails = Counter(email for user in simulator.users() for email in user["_emails"])
    assert len(emails) == 100
    assert set(emails.values()) == {1}


def test_twenty_lanes_with_everything(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    random_faults(simulator)
    settled(drain(simulated_hub, lanes_of(chatwoot, 20, 8)))
    tickets = simulator.tickets()
    assert len(tickets) == 20
    assert all(len(ticket["_requesters"]) == 1 for ticket in tickets)
    for ticket in tickets:
        assert "<p>Line 0.</p>" in ticket["content"]
        found = [
            re.findall(r"Line (\d+)\.", followup["content"])[0]
            for followup in simulator.followups(ticket["id"])
        ]
        assert found == [str(n) for n in range(1, 8)]


def test_fifty_conversations_of_known_customers_at_once(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    lanes = lanes_of(chatwoot, 50, 1)
    settled(drain(simulated_hub, [lane[:1] for lane in lanes]))
    simulator.clear_requests()
    random_faults(simulator)
    settled(drain(simulated_hub, [lane[1:] for lane in lanes]))
    references = [
        re.findall(r"/conversations/(\d+)\"", ticket["content"])[0]
        for ticket in simulator.tickets()
    ]
    assert sorted(references, key=int) == [str(number) for number in range(50)]


def test_a_hundred_messages_in_one_conversation(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    (lane,) = lanes_of(chatwoot, 1, 101)
    *begin, texts = lane
    settled(drain(simulated_hub, [begin]))
    random_faults(simulator)
    settled(drain(simulated_hub, [[texts[:50], texts[50:]]]))
    found = [
        re.findall(r"Line (\d+)\.", followup["content"])[0] for followup in simulator.followups()
    ]
    assert found == [str(number) for number in range(1, 101)]


def test_two_workers_open_two_sessions_for_a_hundred_events(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    lanes = [lane[:1] for lane in lanes_of(chatwoot, 100, 0)]
    simulator.clear_requests()

    def work(mine: Sequence[Sequence[Sequence[Event]]]) -> list[Any]:
        return [simulated_hub.worker().deliver(lane[0][0]) for lane in mine]

    with ThreadPoolExecutor(2) as pool:
        outcomes = [o for part in pool.map(work, [lanes[:50], lanes[50:]]) for o in part]
    settled(outcomes)
    paths = [entry.path for entry in simulator.requests()]
    assert sum("initSession" in path for path in paths) <= 2


def test_one_person_in_many_lanes(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Callable[..., Any]
) -> None:
    """By email, by phone, or by both, as User or as Contact."""
    for use_contact in (False, True):
        simulator.restore()
        hub = make_simulated_hub(use_contact=use_contact)
        both = {"email": "ann@x.example", "phone": "+34612345678"}
        lanes = []
        for number in range(16):
            values = both if number % 4 else {**both, "email": None}
            contact = chatwoot.contact(id=str(number), **values)
            lanes.append([[chatwoot.event("contact.created", contact=contact)]])
        settled(drain(hub, lanes))
        people = simulator.contacts() if use_contact else simulator.users()
        assert len([p for p in people if p.get("phone")]) == 1


def test_sessions_are_as_many_as_workers(
    simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
) -> None:
    simulator.clear_requests()
    settled(drain(simulated_hub, lanes_of(chatwoot, 20, 3)))
    assert len(simulator.open_sessions()) <= WORKERS
    simulated_hub.close()
    assert simulator.open_sessions() == []
