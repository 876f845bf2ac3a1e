"""A refusal of GLPI is a missing right, a bad value, or no reason to stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import sentences
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Done, NeedsAttention, Rejected, Skip
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.support import JSON


class TestRefusals:
    """A refusal has one code for everything, so the profile is asked."""

    @pytest.mark.parametrize("lacking", [True, False])
    @pytest.mark.parametrize(
        ("method", "path", "settings"),
        [
            ("POST", "User", {}),
            ("PUT", "User", {}),
            ("POST", "Contact", {"use_contact": True}),
            ("PUT", "Contact", {"use_contact": True}),
            ("POST", "/Ticket", {}),
            ("PUT", "/Ticket", {}),
            ("POST", "ITILFollowup", {}),
            ("PUT", "ITILFollowup", {}),
            ("POST", "ITILSolution", {"solution_text": "Done."}),
        ],
    )
    def test_a_right_or_a_value(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, parts: Any,
        monkeypatch: Any, lacking: bool, method: str, path: str, settings: Any,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(**settings)
        monkeypatch.setattr("hub_glpi.rights.lacks", lambda *_: lacking)
        code = "ERROR_GLPI_ADD" if method == "POST" else "ERROR_GLPI_UPDATE"
        simulator.add_fault(
            Fault("status", method=method, path=path, status=400, body=f'["{code}", "Why."]',
                  content_type=JSON, times=None)
        )  # fmt: skip
        renamed = replace(parts["contact"], name="Ann Li")
        resolved = {**parts, "conversation": replace(parts["conversation"], status="resolved")}
        message = chatwoot.message("More.")
        story = [
            chatwoot.event("contact.created", contact=parts["contact"]),
            chatwoot.event("contact.updated", contact=renamed, version=2),
            chatwoot.event("message.created", message=chatwoot.message(), version=1, **parts),
            chatwoot.event("message.created", message=message, **parts),
            chatwoot.event("message.updated", message=replace(message, text="Less."), **parts),
            chatwoot.event("conversation.resolved", version=2, **resolved),
        ]
        errors = []
        for event in story:
            outcome = hub.deliver(event)
            if not isinstance(outcome, Done | Skip):
                errors.append(outcome)
        assert errors
        assert {type(error) for error in errors} <= (
            {NeedsAttention} if lacking else {Rejected, *Rejected.__subclasses__()}
        )
        if not lacking:
            assert "Why" in errors[0].sentence

    def test_a_followup_that_was_deleted_in_glpi(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start()
        message = chatwoot.message("More.")
        hub.done(chatwoot.event("message.created", message=message, **parts))
        with simulator.database.lock:
            simulator.database["ITILFollowup"].rows.clear()
        edited = chatwoot.event("message.updated", message=replace(message, text="x"), **parts)
        for _ in range(2):
            skip = hub.refused(edited)
            assert skip.sentence == sentences.FOLLOWUP_GONE.format(id=1)
        assert hub.requests == []

    def test_a_solution_that_an_agent_gave_first(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start(solution_text="Done.")
        simulator.add_fault(
            Fault("status", path="ITILSolution", status=400, body='["ERROR_GLPI_ADD", "Was."]',
                  content_type=JSON, applied=True)
        )  # fmt: skip
        parts["conversation"] = replace(parts["conversation"], status="resolved")
        done = hub.done(chatwoot.event("conversation.resolved", version=2, **parts))
        assert done.sentence == sentences.TICKET_SOLVED.format(id=1)
