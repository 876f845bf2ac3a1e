"""What commands tell, and to whom: no secret, files for nobody else, data apart from messages."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import traceback
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from hub import log
from hub.cli import cli
from hub.cli.serving import AS_ROOT
from hub.database import in_transaction
from hub.models import Hook, Source, User

PLANTED = "planted-secret"
NOW = datetime(2026, 7, 14, tzinfo=UTC)


#: What those give who mistype a secret, or paste one that begins with @.
SLIPS = (
    ("hooks", "create", "Acme", "crm", "--set", PLANTED),
    ("hooks", "create", "Acme", "crm", "--set", f"={PLANTED}"),
    ("hooks", "create", "Acme", "crm", "--set", "key", PLANTED),
    ("hooks", "create", "Acme", "crm", "--set", f"key=@{PLANTED}"),
    ("hooks", "create", "Acme", "crm", "--set", f"keys={PLANTED}"),
    ("hooks", "create", "Nobody", "crm", "--set", f"key={PLANTED}"),
    ("hooks", "create", "Acme", "crm", f"--key={PLANTED}"),
    ("hooks", "update", "1", "--set", f"key:{PLANTED}"),
    ("hooks", "update", "1", "--set", "key=x", PLANTED),
    ("sources", "create", "Acme", "--signing-secret", f"@{PLANTED}"),
    ("sources", "create", "Acme", "--signing-secret", "x", PLANTED),
    ("sources", "update", "7", "--signing-secret", PLANTED),
    ("sources", "update", "7", "--signing-secret", "x", PLANTED),
)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_command_that_fails_repeats_no_secret(run, hook):
    for arguments in SLIPS:
        result = CliRunner().invoke(cli, arguments, standalone_mode=False)
        assert isinstance(result.exception, Exception), arguments
        told = "".join(traceback.format_exception(result.exception))
        if isinstance(result.exception, click.ClickException):
            told += result.exception.format_message()
        assert PLANTED not in told + result.output, arguments


def test_the_option_is_named_whose_file_cannot_be_read(run, hook):
    run("hooks", "update", "1", "--set", f"key=@{PLANTED}", fails="The file that --set key names")
    secret = ("--signing-secret", f"@{PLANTED}")
    run("sources", "create", "Acme", *secret, fails="The file that --signing-secret names")


def test_an_error_of_the_database_tells_no_values(make_app):
    told = {"email": "ann@example.com", "name": "Ann", "password_hash": PLANTED}
    with make_app().app_context():
        in_transaction(lambda s: s.add(User(**told, created_at=NOW)))
        with pytest.raises(IntegrityError) as caught:
            in_transaction(lambda s: s.add(User(**told, created_at=NOW)))
    assert PLANTED not in str(caught.value)


def test_data_goes_to_stdout_and_the_log_to_stderr(capsys):
    log.configure("json")
    log.get("hub.tests").warning("refused", key=PLANTED, api_key=PLANTED)
    log.get("hub.tests")._logger.debug("not told")
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = map(json.loads, told.err.splitlines())
    assert (line["level"], line["message"], line["api_key"]) == ("warning", "refused", "[secret]")
    log.configure("console")
    log.get("hub.tests").info("accepted")
    moment, level, *_ = capsys.readouterr().err.split()
    assert level == "info"
    assert moment[8] in "+-", "the time says its zone"


def test_what_the_hub_writes_is_nobody_elses(tmp_path):
    """Whatever the umask of its caller is."""
    folder = tmp_path / "data"
    environment = {"HUB_DATA_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "hub", "accounts", "create", "Acme"]
    done = subprocess.run(command, env=environment, umask=0, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = [folder, *folder.rglob("*")]
    assert len(written) > 3
    assert [str(one) for one in written if stat.S_IMODE(one.stat().st_mode) & 0o077] == []


def findings(output: str) -> dict[str, tuple[str, str]]:
    return {row["part"]: (row["state"], row["finding"]) for row in json.loads(output)}


def test_the_doctor_looks_at_who_can_enter_the_data_dir(run, hook, config, monkeypatch):
    os.chmod(config.data_dir, 0o750)
    monkeypatch.setattr("hub.config.os.geteuid", lambda: 12_345)
    result = CliRunner().invoke(cli, ["doctor", "--json"], standalone_mode=False)
    state, finding = findings(result.stdout)["data dir"]
    assert state == "broken"
    assert f"chmod 700 {config.data_dir}" in finding
    assert "Something is broken" in str(result.exception)


def test_the_doctor_lists_doors(run, hook, make_app):
    run("sources", "create", "Acme", "--name", "Chat")
    connection, source = "connection 1 (Small CRM)", "source 1 (Chat)"
    for of_hook, of_source, state, told in (
        ("", "", "ok", ["none is open"]),
        ("crm.internal", "", "ok", [f"{connection}: crm.internal"]),
        ("crm.internal", None, "look", [f"{connection}: crm.internal", source]),
        (None, "chat.internal", "look", [connection, f"{source}: chat.internal"]),
    ):
        with make_app().app_context():
            in_transaction(lambda s, doors=of_hook: s.execute(update(Hook).values(doors=doors)))
            in_transaction(lambda s, doors=of_source: s.execute(update(Source).values(doors=doors)))
        (row,) = [row for row in run("doctor") if row["part"] == "doors"]
        assert row["state"] == state
        assert [text for text in told if text not in row["finding"]] == []


@pytest.mark.parametrize("euid", [0, 1_000])
def test_running_as_root_is_said_aloud(run, hook, monkeypatch, euid):
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = CliRunner().invoke(cli, ["up", "--port", port], standalone_mode=False).stderr
    assert (AS_ROOT in told) is (euid == 0)
    assert (AS_ROOT in CliRunner().invoke(cli, ["sweeper", "--once"]).stderr) is (euid == 0)
