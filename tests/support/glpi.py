"""The GLPI plugin as the harnesses take it: its simulator, its settings, its end state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub_glpi.simulator import APP_TOKEN, USER_TOKEN, GlpiSimulator

from hub.kit.crashes import Subject
from hub.sdk.testing.simulator import Request, Response
from tests.support.installation import end_state


def settings(url: str, **further: Any) -> dict[str, Any]:
    return {"api_url": url, "app_token": APP_TOKEN, "user_token": USER_TOKEN, **further}


def uploading(url: str) -> dict[str, Any]:
    return settings(url, upload_attachments=True, solution_text="Done.", emails_follow=True)


def whole_end_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Users, tickets with their followups in order, solutions, and documents with their tickets."""
    tables = state["tables"]
    return {
        **end_state(tables),
        "solutions": sorted(row["content"] for row in tables["ITILSolution"]),
        "documents": sorted(row["name"] for row in tables["Document"]),
        "document_items": len(tables["Document_Item"]),
    }


GLPI = Subject("glpi", GlpiSimulator, uploading, whole_end_state)


class Forgetful(GlpiSimulator):
    """Finds nothing, so that what a crash left behind cannot be found again."""

    def handle(self, request: Request) -> Response:
        if "/search/" in request.path:
            return Response.of_json({"totalcount": 0, "count": 0})
        return super().handle(request)


FORGETFUL = replace(GLPI, simulator=Forgetful)
