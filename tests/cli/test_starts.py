"""What a command does not need, it does not import; and what stands in the list is true."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import migrations
from hub.cli import cli, plugin_commands
from hub.cli.lazy import LazyCommand
from hub.queue import plugins
from hub.queue.connection import connect

#: What is heavy, and what drags much behind it.
HEAVY = {
    "alembic",
    "argon2",
    "flask",
    "hub.sdk",
    "hub_glpi.manifest",
    "hub_leadsquared.manifest",
    "hub_webhook.manifest",
    "jinja2",
    "marshmallow",
    "msgspec",
    "phonenumbers",
    "requests",
    "rich",
    "rq",
    "werkzeug",
}


def imported(environment: dict[str, str], *arguments: str) -> set[str]:
    """The modules that a process has loaded when the command is done."""
    code = """
import json, sys
from hub.cli import cli
cli(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_imports_next_to_nothing():
    found = imported({}, "--help")
    assert found & {*HEAVY, "sqlalchemy", "redis", "cryptography"} == set()
    assert {name for name in found if name.startswith("hub")} == {
        *("hub", "hub.cli", "hub.cli.failure", "hub.cli.lazy", "hub.cli.plugin_commands"),
    }


@pytest.mark.parametrize("command", [("status",), ("status", "--json"), ("wait",)])
def test_looking_needs_neither_flask_nor_plugins(config, command):
    environment = {
        "HUB_DATA_DIR": str(config.data_dir),
        "HUB_DATABASE_URL": config.database_url,
        "HUB_REDIS_URL": str(config.redis_url),
        "HUB_ENCRYPTION_KEYS": ",".join(config.encryption_keys),
    }
    assert imported(environment, *command) & HEAVY == set()


def listed() -> list[str]:
    return cli.list_commands(click.Context(cli))


@pytest.mark.parametrize("name", listed())
def test_the_help_in_the_list_is_that_of_the_command(name):
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, LazyCommand)
    real = command.load()
    assert (command.name, command.hidden) == (real.name, real.hidden)
    if not real.hidden:
        assert command.get_short_help_str(200) == real.get_short_help_str(200)


def test_the_shipped_plugins_name_their_commands():
    named = {entry.name for entry in entry_points(group="hub.commands")}
    assert named == {
        "glpi-simulator",
        "leadsquared-simulator",
        "webhook-secret",
        "webhook-simulator",
    }
    assert named < set(listed())


def install(site: Path, name: str, entry_points: str, module: str) -> None:
    """A distribution as pip would leave it."""
    information = site / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(entry_points)
    (site / f"{name}.py").write_text(module)


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    plugin_commands._undeclared.cache_clear()
    yield tmp_path
    plugin_commands._undeclared.cache_clear()
    for name in ("oldcrm", "newcrm"):
        sys.modules.pop(name, None)


def test_a_plugin_of_the_sdk_1_0_is_asked_for_its_commands(site):
    install(
        site,
        "oldcrm",
        "[hub.plugins]\noldcrm = oldcrm:plugin\n",
        """
import click
from tests.support.crm import Crm, make_plugin

@click.command("oldcrm-simulator")
def simulator():
    "Run an old CRM."
    click.echo("old CRM")

plugin = make_plugin(Crm(), id="oldcrm", commands=(simulator,))
""",
    )
    assert "Run an old CRM." in CliRunner().invoke(cli, ["--help"]).output
    assert CliRunner().invoke(cli, ["oldcrm-simulator"]).output == "old CRM\n"


def test_a_declared_command_is_listed_unseen(site):
    install(
        site,
        "newcrm",
        "[hub.plugins]\nnewcrm = newcrm:plugin\n"
        "[hub.commands]\nnewcrm-simulator = newcrm:simulator\nnewcrm-lost = newcrm:lost\n",
        '''
raise RuntimeError("it was imported")

def simulator():
    """Run a new CRM. It needs a while."""
''',
    )
    output = CliRunner().invoke(cli, ["--help"]).output
    assert "newcrm-simulator       Run a new CRM." in output
    assert "newcrm-lost            Brought by newcrm." in output
    assert isinstance(CliRunner().invoke(cli, ["newcrm-simulator"]).exception, RuntimeError)


def test_the_fleet_tells_which_plugins_can_be_used(config):
    with connect(config) as redis:
        assert plugins.usable(redis) == plugins.installed() == {"glpi", "leadsquared", "webhook"}
        plugins.tell(redis, ["webhook", "glpi"])
        assert plugins.usable(redis) == {"glpi", "webhook"}
        assert 0 < redis.ttl(plugins.KEY) <= plugins.TTL


def test_the_newest_revision_is_read_off_the_names_of_the_files():
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrations._config())
    assert migrations.newest() == scripts.get_current_head()
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")
