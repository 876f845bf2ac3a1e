"""The flows of the GLPI plugin with a death at every boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.sdk import Attachment, Event
from hub.sdk.testing.crashes import CrashHarness
from hub.sdk.testing.simulator import Request, Response, Simulator
from tests.support.glpi import GLPI
from tests.support.story import Story


class Files(Simulator):
    """Serves one file under every address."""

    def handle(self, request: Request) -> Response:
        return Response(body=b"A burning printer.", content_type="text/plain")

    def state(self) -> dict[str, object]:
        return {}


@pytest.fixture(scope="module")
def files() -> Iterator[Files]:
    with Files() as running:
        yield running


def contact(_: Files) -> list[Event]:
    story = Story()
    created = story.happens("contact.created")
    story.contact = replace(story.contact, name="Ann Lee-Marlow", email="ann.lee@example.com")
    return [created, story.happens("contact.updated")]


def conversation(_: Files) -> list[Event]:
    """The customer is not known, and says one thing twice."""
    story = Story()
    return [
        story.happens("conversation.created"),
        *(story.says(text) for text in ("My printer burns.", "It really does.", "ok", "ok")),
    ]


def resolve(_: Files) -> list[Event]:
    story = Story()
    return [
        story.says("My printer burns."),
        story.happens("conversation.updated", status="pending"),
        story.happens("conversation.resolved", status="resolved"),
    ]


def attachment(files: Files) -> list[Event]:
    story = Story()
    file = Attachment("file", "7", f"{files.url}/burns.txt", "burns.txt", "text/plain", 18)
    return [story.says("My printer burns."), story.says("Look.", file)]


FLOWS: list[Callable[[Files], list[Event]]] = [contact, conversation, resolve, attachment]


@pytest.fixture(scope="module", params=["sqlite"])
def harness(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_socket: Path
) -> Iterator[CrashHarness]:
    environment = {"HUB_REDIS_URL": f"unix://{redis_socket}"}
    with CrashHarness(GLPI, tmp_path_factory.mktemp("crash"), environment) as harness:
        yield harness


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_a_death_at_any_boundary_changes_nothing(
    harness: CrashHarness,
    files: Files,
    flow: Callable[[Files], list[Event]],
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    survived = harness.survive(flow(files))
    record_property("boundaries", len(survived.boundaries))
    with capsys.disabled():
        print(f"\n{flow.__name__}: killed at {len(survived.boundaries)} boundaries, none lost or doubled")
    assert len(survived.boundaries) > 10
