"""What the plugin says about itself."""

from __future__ import annotations

import ast
from importlib import import_module, metadata, resources
from pathlib import Path

import click
from packaging.version import Version

from hub.kit.conformance.subject import Subject
from hub.sdk.plugin import validate

GROUP = "hub.plugins"
COMMANDS = "hub.commands"


class Manifest(Subject):
    """The manifest is sound, and true."""

    def test_the_manifest_is_sound(self) -> None:
        assert validate(self.plugin, self.plugin.id) is self.plugin

    def test_its_events_are_known(self) -> None:
        unknown = self.plugin.unknown_events
        assert unknown == [], f"This version of the SDK knows no {', '.join(unknown)}."

    def test_it_is_installed_under_its_id(self) -> None:
        found = list(metadata.entry_points(group=GROUP, name=self.plugin.id))
        assert len(found) == 1, (
            f"{len(found)} entry points of the group {GROUP} are named {self.plugin.id}; "
            "is the plugin installed?"
        )
        assert found[0].load() is self.plugin
        distribution = found[0].dist
        assert distribution is not None
        assert Version(distribution.version) == Version(self.plugin.version), (
            f"The manifest says version {self.plugin.version}, "
            f"the distribution {distribution.version}."
        )

    def test_the_description_is_a_sentence(self) -> None:
        text = self.plugin.description
        assert text[:1].isupper(), f"{text!r} does not begin with a capital letter."
        assert text.endswith("."), f"{text!r} does not end with a full stop."

    def test_the_logo_is_an_svg_in_the_package(self) -> None:
        logo = self.plugin.logo_bytes()
        assert logo is not None, 'The manifest names no logo; give logo="logo.svg".'
        text = logo.decode("utf-8")
        assert "<svg" in text
        assert "<script" not in text, "The logo is shown in the dashboard; it must hold no script."

    def test_commands_bear_the_name_of_the_plugin(self) -> None:
        beginnings = (self.plugin.id, self.plugin.id.replace("_", "-"))
        names = [str(command.name) for command in self.plugin.loaded_commands()]
        for entry in metadata.entry_points(group=COMMANDS):
            if entry.module.split(".")[0] == self.plugin.package:
                assert isinstance(entry.load(), click.Command), f"{entry.value} is no command."
                names.append(entry.name)
        strange = [name for name in names if not name.startswith(beginnings)]
        assert strange == [], f"Commands that do not begin with {beginnings[0]}: {strange}"

    def test_only_the_sdk_is_imported_from_the_hub(self) -> None:
        package = Path(str(resources.files(import_module(self.plugin.package))))
        wrong = [
            f"{file.relative_to(package)}: {name}"
            for file in sorted(package.rglob("*.py"))
            for name in _imported(file)
            if name.split(".")[0] == "hub" and name.split(".")[1:2] != ["sdk"]
        ]
        assert wrong == [], "Only hub.sdk is promised to stay."


def _imported(file: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # ``from hub import sdk`` names the part on the right.
            names += (
                [f"hub.{alias.name}" for alias in node.names]
                if node.module == "hub"
                else [node.module]
            )
    return names
