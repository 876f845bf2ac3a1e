"""Commands, run in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

import hub.cli
from hub.cli.failure import Failure
from hub.plugins import Registry
from tests.support.crm import make_plugin

Run = Callable[..., Any]


@pytest.fixture
def run(config, crm, monkeypatch) -> Run:
    """Runs ``hub ... --json`` and gives what it printed; ``fails`` expects its sentence."""
    monkeypatch.setenv("HUB_DATA_DIR", str(config.data_dir))
    monkeypatch.setenv("HUB_DATABASE_URL", config.database_url)
    monkeypatch.setenv("HUB_REDIS_URL", str(config.redis_url))
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join(config.encryption_keys))
    registry = Registry({"crm": make_plugin(crm)}, ())
    monkeypatch.setattr(Registry, "discover", classmethod(lambda _: registry))
    monkeypatch.setattr("hub.queue.plugins.installed", lambda: frozenset(registry.plugins))

    def run_command(*arguments: str, fails: str = "", as_json: bool = True) -> Any:
        options = ["--json"] if as_json else []
        result = CliRunner().invoke(
            hub.cli.cli, [*arguments, *options], standalone_mode=False, catch_exceptions=True
        )
        if fails:
            assert isinstance(result.exception, Failure), result.exception
            assert fails in str(result.exception)
        elif result.exception is not None:
            raise result.exception
        return json.loads(result.stdout) if as_json and result.stdout else result.output

    return run_command


@pytest.fixture
def hook(run: Run) -> dict[str, Any]:
    run("accounts", "create", "Acme", "--region", "de")
    hook: dict[str, Any] = run("hooks", "create", "Acme", "crm", "--set", "key=planted-secret")
    return hook
