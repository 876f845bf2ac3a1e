"""The documentation says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import hub.sdk
from hub.cli import cli
from hub.cli.lazy import LazyCommand
from hub.kit.conformance.subject import Subject
from hub.sdk.plugin import Plugin
from hub.sdk.testing.simulator import FAULT_KINDS

ROOT = Path(__file__).parent.parent
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
PLUGINS = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_variable_is_documented():
    read = set(re.findall(r'"(HUB_[A-Z_]+)"', (ROOT / "hub/config.py").read_text()))
    assert read >= {"HUB_DATA_DIR", "HUB_POLICY"}
    assert [name for name in sorted(read) if f"`{name}`" not in OPERATING] == []


def test_every_field_of_the_manifest_is_documented():
    fields = set(Plugin.__dataclass_fields__) - {"docs_url", "logo"}
    assert [name for name in sorted(fields) if f"`{name}`" not in PLUGINS] == []


def test_every_member_of_the_kit_is_documented():
    members = {name for name in vars(Subject) if not name.startswith("_")} - {"bench"}
    members |= set(Subject.__annotations__)
    assert members >= {"plugin", "simulator", "settings", "remote", "reads_answers"}
    kit = PLUGINS.partition("## The conformance kit")[2]
    assert [name for name in sorted(members) if f"`{name}" not in kit] == []


def test_every_fault_is_documented():
    assert [kind for kind in FAULT_KINDS if kind not in PLUGINS] == []


def test_every_name_of_the_sdk_that_an_author_needs_is_documented():
    """The protocols are described by what they offer."""
    described = {
        *("Attachment", "BatchOutcome", "BorrowedSession", "Call", "CallContext", "Change"),
        *("Clock", "Conversation", "Context", "EVENT_NAMES", "HttpClient", "HubError", "LaneLost"),
        *("Link", "Links", "Log", "Message", "Outcome", "Redactor", "Sender", "SessionDriver"),
        *("SessionPool", "SetupContext", "Source", "Translator", "CONVERSATION_CREATED"),
        *("CONVERSATION_RESOLVED", "CONVERSATION_UPDATED", "MESSAGE_CREATED", "MESSAGE_UPDATED"),
    }
    names = set(hub.sdk.__all__) - described
    assert [name for name in sorted(names) if name not in PLUGINS] == []


def test_the_example_plugin_is_a_plugin():
    """The code of the page runs as it stands."""
    code, *_ = re.findall(r"```python\n(.*?)```", PLUGINS, re.DOTALL)
    namespace: dict[str, object] = {}
    exec(compile(code, "docs/plugins.md", "exec"), namespace)
    plugin = hub.sdk.plugin.validate(namespace["plugin"], "acme")
    assert plugin.events == {"contact.created", "contact.updated"}


PAGES = ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} leads to {target}"


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"\bhub ([a-z]+(?: [a-z]+)?)", README + OPERATING)))
)
def test_commands_that_the_pages_name_exist(command):
    first, *rest = command.split()
    found = cli.get_command(click.Context(cli), first)
    if found is None:
        # "the hub is", "hub runs": prose, not a command.
        assert f"`hub {first}" not in README + OPERATING
        return
    assert isinstance(found, LazyCommand)
    if rest and isinstance(found := found.load(), click.Group):
        assert rest[0] in found.commands, f"hub {command}"
