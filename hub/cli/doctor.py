"""``hub doctor``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click
from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from hub import services
from hub.cli.application import entered
from hub.cli.failure import Failure
from hub.cli.output import json_option, show
from hub.cli.serving import AS_ROOT
from hub.config import Config
from hub.database import db, reading
from hub.inbox import release
from hub.models import Hook, Source
from hub.queue import embedded
from hub.queue.alive import live_workers
from hub.security.encryption import Undecryptable, is_readable
from hub.services import registry


@click.command("doctor")
@json_option
def doctor(as_json: bool) -> None:
    """Look over the installation and say what to mend. Exit code 1 when something is broken."""
    with entered():
        rows = [
            _look(name, check)
            for name, check in (
                ("user", _user),
                ("data dir", _data_dir),
                ("database", _database),
                ("schema", _schema),
                ("encryption keys", _keys),
                ("redis", _redis),
                ("workers", _workers),
                ("plugins", _plugins),
                ("quarantine", _quarantine),
                ("doors", _doors),
            )
        ]
    show(rows, as_json)
    if any(row["state"] == "broken" for row in rows):
        raise Failure("Something is broken; see above.")


class _Broken(Exception):
    """A finding that stops the hub from doing its work."""


class _Worth(Exception):
    """A finding worth a look."""


def _look(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"part": name, "state": "ok", "finding": check()}
    except _Worth as finding:
        return {"part": name, "state": "look", "finding": str(finding)}
    except _Broken as finding:
        return {"part": name, "state": "broken", "finding": str(finding)}
    except (SQLAlchemyError, RedisError, Undecryptable) as error:
        return {"part": name, "state": "broken", "finding": str(error).splitlines()[0]}


def _config() -> Config:

    config = services.current().config
    assert isinstance(config, Config)
    return config


def _user() -> str:
    if os.geteuid() == 0:
        raise _Worth(AS_ROOT)
    return f"number {os.geteuid()}"


def _data_dir() -> str:
    folder = _config().data_dir
    if not os.access(folder, os.W_OK):
        raise _Broken(f"{folder} cannot be written to.")
    if folder.stat().st_mode & 0o077:
        raise _Broken(f"Other users of this machine can enter {folder}: run 'chmod 700 {folder}'.")
    if wide := [one.name for one in folder.iterdir() if one.stat().st_mode & 0o022]:
        raise _Worth(f"Others may write {', '.join(sorted(wide))} in {folder}.")
    return str(folder)


def _database() -> str:
    with reading() as session:
        session.execute(text("SELECT 1"))
    return db.engine.url.render_as_string(hide_password=True)


def _schema() -> str:
    current, needed = migrations.current(db.engine), migrations.newest()
    if current != needed:
        raise _Broken(f"It is at {current}, this version needs {needed}: run 'hub db upgrade'.")
    return str(current)


def _keys() -> str:
    with reading() as session:
        sources, hooks = session.scalars(select(Source)).all(), session.scalars(select(Hook)).all()
    stored = [one.token for one in sources] + [one.signing_secret for one in sources]
    if not all(map(is_readable, [*stored, *(hook.secrets for hook in hooks)])):
        raise Undecryptable
    return f"The secrets of {len(sources)} sources and {len(hooks)} hooks can be read."


def _redis() -> str:
    client = services.stores().redis
    try:
        client.ping()
    except RedisError as error:
        program = embedded.server_program() if _config().redis_url is None else "HUB_REDIS_URL"
        raise _Worth(f"Not running ({program}); 'hub up' starts it.") from error
    return f"version {client.info('server')['redis_version']}"


def _workers() -> str:
    try:
        workers = live_workers(services.stores().redis)
    except RedisError as error:
        raise _Worth("Unknown while Redis is not running.") from error
    if not workers:
        raise _Worth("None is alive: events are accepted and wait.")
    return ", ".join(workers)


def _plugins() -> str:
    if registry().broken:
        raise _Worth("; ".join(f"{item.id}: {item.sentence}" for item in registry().broken))
    return ", ".join(registry().plugins) or "none"


def _quarantine() -> str:
    held = release.held()
    if held:
        raise _Worth(f"{len(held)} requests are held: see 'hub quarantine list'.")
    return "empty"


def _doors() -> str:
    """What may call into private networks."""
    with reading() as session:
        found = [
            (f"{kind} {row.id} ({row.name})", row.doors)
            for kind, rows in (
                ("connection", session.query(Hook).order_by(Hook.id).all()),
                ("source", session.query(Source).order_by(Source.id).all()),
            )
            for row in rows
        ]
    opened = "; ".join(f"{name}: {doors}" for name, doors in found if doors)
    if before := [name for name, doors in found if doors is None]:
        raise _Worth(
            "Made before private addresses were asked about, these may call every one: "
            f"{', '.join(before)}. Enter the address of each anew to close the others."
            + (f" Open: {opened}" if opened else "")
        )
    return opened or "none is open"
