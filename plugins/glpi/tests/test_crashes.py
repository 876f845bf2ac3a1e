"""A worker may die before or after any call and any commit; the next one makes it good.

Each story is told once to count its boundaries. Then it is told again for every boundary, with a
death there, and once more to the end. GLPI must look as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Attachment, Event, RetryLater
from hub.sdk.testing.context import Crash
from hub.sdk.testing.simulator import Fault

Story = Callable[[Any], list[Sequence[Event]]]


def burst(chatwoot: Any) -> list[Sequence[Event]]:
    """A customer with email and phone writes, and goes on writing; agents answer and resolve."""
    contact = chatwoot.contact(phone="+34612345678")
    conversation = chatwoot.conversation()
    parts = {"contact": contact, "conversation": conversation}
    messages = [
        chatwoot.event("message.created", message=chatwoot.message(text), **parts)
        for text in ("First.", "ok", "ok", "Thanks.")
    ]
    resolved = replace(conversation, status="resolved")
    return [
        [chatwoot.event("contact.created", contact=contact)],
        [chatwoot.event("conversation.created", version=1, **parts)],
        messages,
        [
            chatwoot.event(
                "contact.updated", contact=replace(contact, email="new@example.com"), version=2
            )
        ],
        [
            chatwoot.event(
                "conversation.resolved", contact=contact, conversation=resolved, version=3
            )
        ],
    ]


def tell(hub: Any, story: Sequence[Sequence[Event]], crash_at: int | None) -> int:
    """Deliver a story in order. The worker dies at a boundary and another takes over."""
    passed = 0
    for events in story:
        while True:
            hub.last = worker = hub.worker(
                crash_at=crash_at - passed if crash_at and crash_at > passed else None
            )
            try:
                deliver(worker, events)
            except Crash:
                passed = crash_at or 0
                continue
            passed += len(worker.boundaries)
            break
    return passed


def deliver(worker: Any, events: Sequence[Event]) -> None:
    if len(events) == 1:
        worker.deliver(events[0])
    else:
        worker.deliver_batch(events)


def picture(simulator: GlpiSimulator) -> Any:
    """What people see in GLPI."""
    return {
        "users": [
            (u["name"], u["firstname"], u["realname"], u["phone"], sorted(u["_emails"]))
            for u in simulator.users()
            if u["_emails"]
        ],
        "contacts": [(c["name"], c["email"]) for c in simulator.contacts()],
        "tickets": [
            (
                t["name"],
                t["status"],
                t["content"].partition("<a")[0],
                len(t["_requesters"]),
                t["_requester_emails"],
            )
            for t in simulator.tickets()
        ],
        "followups": [f["content"] for f in simulator.followups()],
        "solutions": [s["content"] for s in simulator.rows("ITILSolution")],
        "documents": sorted(
            (
                row["itemtype"],
                row["items_id"],
                simulator.database["Document"].rows[row["documents_id"]]["name"],
            )
            for row in simulator.rows("Document_Item")
        ),
        "files": len(simulator.rows("Document")),
    }


SETTINGS: dict[str, dict[str, Any]] = {
    "users": {},
    "contacts": {"use_contact": True},
    "solutions": {"solution_text": "Done."},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_crash_anywhere_changes_nothing(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, kind: str
) -> None:
    story = burst(chatwoot)
    boundaries = tell(make_simulated_hub(**SETTINGS[kind]), story, None)
    expected = picture(simulator)
    assert len(expected["tickets"]) == 1
    assert boundaries > 20
    for crash_at in range(1, boundaries + 1):
        simulator.restore()
        hub = make_simulated_hub(**SETTINGS[kind])
        tell(hub, story, crash_at)
        assert picture(simulator) == expected, f"after a crash at boundary {crash_at}"
        remote_ids = [
            link.remote_id
            for link in hub.store.links.links.values()
            if link.kind in ("followup", "notice")
        ]
        assert len(set(remote_ids)) == len(expected["followups"]), crash_at


def test_a_crash_while_files_are_stored_and_deleted(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, files: str
) -> None:
    parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}

    def with_files(text: str, *names: str) -> Any:
        items = tuple(Attachment("file", name, f"{files}/{name}") for name in names)
        return chatwoot.message(text, attachments=items)

    messages = [
        with_files("First.", "a.txt"),
        with_files("", "b.png", "virus.exe"),
    ]
    wrong = with_files("secret", "pass.txt")
    gone = replace(wrong, text="", deleted=True, attachments=())
    story = [
        [chatwoot.event("message.created", message=message, **parts) for message in messages],
        [chatwoot.event("message.created", message=wrong, **parts)],
        [chatwoot.event("message.updated", message=gone, **parts)],
    ]
    boundaries = tell(make_simulated_hub(), story, None)
    expected = picture(simulator)
    assert [name for _, _, name in expected["documents"]] == ["b.png (b.png)", "a.txt (a.txt)"]
    assert expected["files"] == 2
    for crash_at in range(1, boundaries + 1):
        simulator.restore()
        tell(make_simulated_hub(), story, crash_at)
        assert picture(simulator) == expected, f"after a crash at boundary {crash_at}"


def test_a_crash_while_an_unknown_customer_becomes_known(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    nobody = chatwoot.contact(email=None)
    known = replace(nobody, email=chatwoot.email())
    parts = {"contact": nobody, "conversation": chatwoot.conversation()}
    story = [
        [chatwoot.event("conversation.created", version=1, **parts)],
        [chatwoot.event("message.created", message=chatwoot.message("Late."), **parts)],
        [chatwoot.event("contact.updated", contact=known, version=2)],
    ]
    settings = {"anonymous_tickets": True}
    boundaries = tell(make_simulated_hub(**settings), story, None)
    expected = picture(simulator)
    assert expected["tickets"][0][3] == 1
    for crash_at in range(1, boundaries + 1):
        simulator.restore()
        tell(make_simulated_hub(**settings), story, crash_at)
        assert picture(simulator) == expected, f"after a crash at boundary {crash_at}"


def test_a_crash_while_a_resolved_conversation_is_first_heard_of(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    parts = {
        "contact": chatwoot.contact(),
        "conversation": chatwoot.conversation(status="resolved"),
    }
    message = chatwoot.event("message.created", message=chatwoot.message(), **parts)
    story = [[message], [chatwoot.event("conversation.resolved", version=1, **parts)]]
    boundaries = tell(make_simulated_hub(solution_text="Done."), story, None)
    expected = picture(simulator)
    assert (expected["tickets"][0][1], len(expected["solutions"])) == (5, 1)
    for crash_at in range(1, boundaries + 1):
        simulator.restore()
        tell(make_simulated_hub(solution_text="Done."), story, crash_at)
        assert picture(simulator) == expected, f"after a crash at boundary {crash_at}"


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "html", "empty", "garbage"])
@pytest.mark.parametrize("applied", [True, False])
def test_an_answer_that_is_lost(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, kind: Any, applied: bool
) -> None:
    """GLPI may have done what was asked although its answer says nothing."""
    story = burst(chatwoot)
    hub = make_simulated_hub()
    calls = 0
    for events in story:
        worker = hub.worker()
        deliver(worker, events)
        calls += len(worker.calls)
    expected = picture(simulator)
    for nth in range(1, calls + 1):
        simulator.restore()
        simulator.clear_faults()
        simulator.add_fault(Fault(kind, nth=nth, times=1, applied=applied))
        hub = make_simulated_hub(with_setup=False)
        for events in story:
            for _ in range(5):
                worker = hub.worker()
                outcomes = (
                    worker.deliver_batch(events) if len(events) > 1 else [worker.deliver(events[0])]
                )
                if not any(isinstance(outcome, RetryLater) for outcome in outcomes):
                    break
        assert picture(simulator) == expected, f"after a lost answer to call {nth}"
