"""The flows of the GLPI plugin with a death at every boundary."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.kit.crashes import CrashHarness
from hub.sdk import Attachment, Event
from hub.sdk.testing.simulator import Request, Response, Simulator
from tests.support.glpi import FORGETFUL, GLPI
from tests.support.postgres import Postgres
from tests.support.story import Story

#: ``make chaos`` takes both databases.
DATABASES = ["sqlite", "postgresql"] if os.environ.get("HUB_TEST_LONG") else ["sqlite"]


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


@pytest.fixture(scope="module", params=DATABASES)
def environment(request: pytest.FixtureRequest, redis_socket: Path) -> Iterator[dict[str, str]]:
    redis = {"HUB_REDIS_URL": f"unix://{redis_socket}"}
    if request.param == "sqlite":
        yield redis
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield {**redis, "HUB_DATABASE_URL": server.url(name)}
    server.drop(name)


@pytest.fixture(scope="module")
def harness(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[CrashHarness]:
    with CrashHarness(GLPI, tmp_path_factory.mktemp("crash"), environment) as harness:
        yield harness


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_a_death_at_any_boundary_changes_nothing(
    harness: CrashHarness,
    files: Files,
    flow: Callable[[Files], list[Event]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    survived = harness.survive(flow(files))
    with capsys.disabled():
        print(f" {len(survived.boundaries)} boundaries, 0 lost, 0 doubled ", end="")
    assert len(survived.boundaries) > 20


def test_the_harness_sees_a_double(tmp_path: Path, files: Files, redis_socket: Path) -> None:
    """A remote that cannot find what it has makes the hub create a second ticket."""
    environment = {"HUB_REDIS_URL": f"unix://{redis_socket}"}
    with (
        CrashHarness(FORGETFUL, tmp_path, environment) as harness,
        pytest.raises(AssertionError, match="changed the end"),
    ):
        harness.survive(
            conversation(files), only=lambda name: name.endswith("POST") or "/Ticket" in name
        )
