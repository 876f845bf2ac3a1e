"""Each deed leaves the same entries in the audit log, whichever face it was done by."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from hub.access import tokens
from hub.access.permissions import Permission
from hub.database import reading
from hub.models import (
    Role,
    User,
)
from tests.cli.deeds import DEEDS, Deed, Entry, Place
from tests.support.crm import Crm, World
from tests.support.people import administrator, member

HUB = Path(__file__).parents[2] / "hub"
FACES = ("dashboard", "api", "cli")


@pytest.fixture
def place(web: Flask, crm: Crm, run: Callable[..., Any]) -> Place:
    with web.app_context():
        world = World(web)
    administrator(web)
    owner = member(web, world.account.id, Role.OWNER)
    with web.app_context():
        with reading() as session:
            number = session.scalars(select(User.id).where(User.email.like("owner%"))).one()
        every = [permission.value for permission in Permission]
        _, token = tokens.create(number, "test", every, account_id=world.account.id, days=1)
    return Place(web, crm, world, owner, token, run)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_a_deed_leaves_the_same_entries_by_whichever_face_it_was_done(place: Place, deed: Deed):
    ways: dict[str, Callable[[], None]] = {}
    if (way := deed.dashboard) is not None:
        ways["dashboard"] = lambda rest=way[0], fields=way[1]: place.at_dashboard(rest, fields)
    if (call := deed.api) is not None:
        ways["api"] = lambda call=call: place.at_api(*call)
    if (line := deed.cli) is not None:
        ways["cli"] = lambda line=line: place.at_command_line(line)
    told: dict[str, list[Entry]] = {}
    for face, act in ways.items():
        with place.app.app_context():
            deed.before(place)
        subject = place.number(deed.subject) if deed.subject else None
        place.audited()
        act()
        entries = place.audited()
        assert {actor for actor, _ in entries} == {
            "command line" if face == "cli" else "owner1@example.com <owner1@example.com>"
        }
        assert {entry.subject_id for _, entry in entries} == {subject}, face
        told[face] = [entry.without_numbers() for _, entry in entries]
        assert tuple(entry.action for entry in told[face]) == deed.leaves, face
        assert {entry.account_id for entry in told[face]} == {place.world.account.id}, face
    first = next(iter(told.values()))
    assert all(entries == first for entries in told.values()), told


def test_no_face_writes_into_the_audit_log_or_the_database_by_itself():
    """It calls one function for each deed, which does both."""
    found = [
        f"{path.relative_to(HUB)}:{node.lineno} {node.attr}"
        for face in FACES
        for path in sorted((HUB / face).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("note", "note_in")
        and isinstance(node.value, ast.Name)
        and node.value.id == "audit"
    ]
    found += [
        f"{path.relative_to(HUB)}:{node.lineno} {alias.name}"
        for face in FACES
        for path in sorted((HUB / face).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub.")
        for alias in node.names
        if alias.name in ("in_transaction", "transaction", "note")
    ]
    assert found == []
