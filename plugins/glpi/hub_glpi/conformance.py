"""GLPI, as the hub's conformance kit tries it."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from hub.sdk.testing.conformance import Conformance
from hub_glpi import plugin
from hub_glpi.simulator import APP_TOKEN, USER_TOKEN, GlpiSimulator

#: GLPI's own users, which a new server has.
_OWN_USERS = 6


class TestGlpi(Conformance):
    plugin = plugin
    simulator = GlpiSimulator
    #: Where the files of the recorded messages are, which are stored in GLPI.
    hosts = frozenset({"chat.example.com:443"})

    def settings(self, url: str) -> Mapping[str, Any]:
        tokens = {"app_token": APP_TOKEN, "user_token": USER_TOKEN}
        return {"api_url": url, **tokens, "solution_text": "Done.", "first_message_grace": 0}

    def remote(self, state: Mapping[str, Any]) -> Any:
        tables = state["tables"]
        emails, requesters, followups = defaultdict(set), defaultdict(set), defaultdict(list)
        names = {row["id"]: row["name"] for row in tables["User"]}
        for row in tables["UserEmail"]:
            emails[row["users_id"]].add(row["email"])
        for row in tables["Ticket_User"]:
            who = names.get(row["users_id"]) or row["alternative_email"]
            requesters[row["tickets_id"]].add(who)
        for row in sorted(tables["ITILFollowup"], key=lambda row: row["id"]):
            followups[row["items_id"]].append((_plain(row["content"]), row["is_private"]))
        return {
            "users": sorted(
                (row["name"], row["firstname"], row["realname"], row["phone"], emails[row["id"]])
                for row in tables["User"]
                if row["id"] > _OWN_USERS
            ),
            "tickets": sorted(
                (
                    row["name"],
                    _plain(row["content"]),
                    row["status"],
                    row["priority"],
                    requesters[row["id"]],
                    followups[row["id"]],
                )
                for row in tables["Ticket"]
            ),
            "solutions": sorted(row["content"] for row in tables["ITILSolution"]),
        }

    def converged(self, state: Mapping[str, Any]) -> Any:
        """The message that comes first becomes the ticket's text, the others its followups."""
        remote = self.remote(state)
        tickets = [
            (status, priority, requesters, sorted(_said(content, followups)))
            for _, content, status, priority, requesters, followups in remote["tickets"]
        ]
        return {**remote, "tickets": sorted(tickets, key=str)}


def _plain(content: str) -> str:
    text = re.sub(r"<[^>]+>", " ", html.unescape(content))
    return re.sub(r"\s+", " ", text).strip()


def _said(content: str, followups: list[tuple[str, int]]) -> set[str]:
    """The lines of the story that stand in a ticket."""
    texts = " ".join([content, *(text for text, _ in followups)])
    return {line for line in ("My printer burns.", "Use water.") if line in texts}
