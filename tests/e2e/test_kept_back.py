"""A visitor gives an email an hour after the first words, and the hub is killed twice in between.

The webhooks are those of the recorded day: a website's visitor, and one who is merged with a
customer who is known already.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tests.real.recording import Webhook, webhooks
from tests.support.installation import RunningHub

HOUR = 3_600 * 1_000_000
#: Every moment that is compared with the time of day.
MOMENTS = {
    "events": ("occurred_at", "received_at", "ordered_at", "settled_at"),
    "deliveries": ("due_at", "created_at"),
    "attempts": ("started_at", "finished_at"),
    "kept_deliveries": ("until",),
    "lanes": ("due_at",),
}


#: How the steps of each scene begin.
STEPS = {
    "anonymous": ("widget: an", "widget: first", "widget: two", "widget: agent", "widget: a file"),
    "merge": ("widget: gives",),
}


def scene(name: str) -> list[Webhook]:
    """The webhooks of a scene of the day, those of its contacts too."""
    return [one for one in webhooks() if one.step.startswith(STEPS[name])]


def texts(hub: RunningHub) -> list[list[str]]:
    """What stands in each ticket: its text, then its followups in their order."""
    found = []
    for _, content, _, _, requesters, followups in hub.glpi()["tickets"]:
        entries = [content, *(text for text, _ in followups)]
        found.append([*requesters, *(re.sub(r"\W+", " ", entry) for entry in entries)])
    return found


def an_hour_passes(hub: RunningHub) -> None:
    """The hub is killed, the hour passes while it is away, and it is killed once more."""
    for attempt in range(2):
        assert hub.up is not None
        hub.up.kill()
        hub.up.wait()
        hub.wait_until_port_is_free()  # its children notice and stop
        if attempt == 0:
            with sqlite3.connect(hub.folder / "data" / "hub.db") as database:
                for table, columns in MOMENTS.items():
                    moved = ", ".join(f"{name} = {name} - {HOUR}" for name in columns)
                    database.execute(f"UPDATE {table} SET {moved}")
            database.close()
        hub.start()


def send(hub: RunningHub, sent: Sequence[Webhook]) -> None:
    for one in sent:
        answer = hub.send(one.raw.encode())
        assert answer.status_code in (200, 202), answer.text


def test_the_whole_conversation_arrives_in_order_and_once(tmp_path: Path) -> None:
    with RunningHub(tmp_path, HUB_POLICY="lease.lease=3 lease.renew_below=2") as hub:
        hub.start_glpi()
        hub.start()
        hub.connect(unknown_people="when_known")
        anonymous = scene("anonymous")
        merged = scene("merge")
        known = next(n for n, one in enumerate(anonymous) if "visitor.day1@example.com" in one.raw)
        survivor = next(
            n for n, one in enumerate(merged)
            if '"message_updated"' in one.raw and "known.day1@example.com" in one.raw
        )  # fmt: skip
        send(hub, [*anonymous[:known], *merged[:survivor]])
        hub.wait()
        before = hub.run("status")
        assert before["kept_back"] > 6
        assert texts(hub) == []

        an_hour_passes(hub)
        assert hub.run("status")["kept_back"] == before["kept_back"]
        send(hub, [*anonymous[known:], *merged[survivor:]])
        hub.wait()

        after = hub.run("status")
        assert (after["kept_back"], after["waiting"], after["dead"]) == (0, 0, 0), hub.story()
        of_visitor, of_merged = sorted(texts(hub), key=len, reverse=True)
        said = [
            *("hello anyone there", "my order is late", "order 4711", "What s your email"),
            *("looks like a VIP", "look", "", "answer to that"),
        ]
        assert of_visitor[0] == "visitor.day1@example.com"
        assert len(of_visitor) == 1 + len(said)
        for words, entry in zip(said, of_visitor[1:], strict=True):
            assert words in entry, of_visitor
        assert of_merged[0] == "known.day1@example.com"
        assert ["not known yet" in of_merged[1], "now you know me" in of_merged[2]] == [True, True]
        assert len(of_merged) == 3
