"""Who may open what: every route of the dashboard and the API, today's and tomorrow's."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from hub.access import gate
from hub.access.gate import Open
from hub.access.permissions import OF_ROLE, Permission
from hub.accounts import accounts, hooks, sources
from hub.models import Role
from tests.support.crm import World
from tests.support.people import Person, administrator, member
from tests.support.things import Things, things_of

#: Pages for people who are not signed in; all others ask who is there.
OPEN_TO_ALL = {"start", "sign_in", "invitation", "choose_language", "static"}
#: What lets a person do more than look, and therefore must need more than looking.
DEEDS = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Scene:
    """Two accounts with one of everything each, and people of all roles in the first."""

    app: Flask
    mine: Things
    theirs: Things
    people: dict[str, Person]

    def routes(self) -> list[tuple[Rule, str, Permission | Open]]:
        with self.app.app_context():
            return [
                (rule, method, gate.need_of(rule.endpoint))
                for rule in self.app.url_map.iter_rules()
                if rule.endpoint.startswith("dashboard.")
                for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
            ]

    def ask(self, who: str, rule: Rule, method: str, values: dict[str, Any]) -> int:
        with self.app.test_request_context():
            _, path = rule.build(values, append_unknown=False)
        return self.people[who].client.open(path, method=method).status_code


@pytest.fixture
def scene(web: Flask) -> Scene:
    with web.app_context():
        world = World(web)
        other = copy(world)
        other.account = accounts.create("Other")
        other.source = sources.create(other.account, "events")
        other.hook = hooks.create(other.account, "crm", {})[0]
    people = {
        "anonymous": Person(web),
        "administrator": administrator(web),
        "stranger": member(web, other.account.id, Role.OWNER, "stranger@example.com"),
        **{role.value: member(web, world.account.id, role) for role in Role},
    }
    with web.app_context():
        mine = things_of(world, f"{Role.OWNER}{world.account.id}@example.com")
        theirs = things_of(other, "stranger@example.com")
    return Scene(web, mine, theirs, people)


def test_every_route_says_what_it_needs(scene):
    open_to_all = {
        rule.endpoint.removeprefix("dashboard.")
        for rule, _, need in scene.routes()
        if need is Open.TO_ALL
    }
    assert open_to_all == OPEN_TO_ALL


def test_deeds_need_more_than_looking(scene):
    for rule, method, need in scene.routes():
        if method in DEEDS and rule.rule.startswith("/accounts/"):
            assert need != Permission.LOOK, rule


def test_the_roles(scene):
    """A POST that passes the gate ends at the missing token of its form: nothing is changed."""
    asked = 0
    for rule, method, need in scene.routes():
        if need is Open.TO_ALL:
            continue
        values = scene.mine.values(rule)
        in_account = "account_id" in rule.arguments
        passed = 400 if method in DEEDS else 200
        for who in scene.people:
            asked += 1
            status = scene.ask(who, rule, method, values)
            if who == "anonymous":
                expected = 303
            elif need is Open.TO_USERS or who == "administrator":
                expected = passed
            elif not in_account:
                expected = 403
            elif who == "stranger":
                expected = 404
            else:
                expected = passed if need in OF_ROLE[Role(who)] else 403
            if rule.endpoint == "dashboard.plugin_logo" and expected == 200:
                expected = 404  # the small CRM has none
            assert status == expected, (who, method, rule.rule, need)
    assert asked > 250


def test_what_belongs_to_others_does_not_exist(scene):
    asked = 0
    for rule, method, need in scene.routes():
        for name in rule.arguments - {"account_id", "plugin_id", "filename", "token"}:
            if "account_id" not in rule.arguments:
                continue
            asked += 1
            values = {**scene.mine.values(rule), name: scene.theirs.values(rule)[name]}
            status = scene.ask("owner", rule, method, values)
            assert status == 404, (method, rule.rule, name, need)
    assert asked > 20


def test_a_view_that_says_nothing_is_not_served(scene, monkeypatch):
    views = scene.app.view_functions
    monkeypatch.setitem(views, "dashboard.home", lambda account_id: "open to all!")
    answer = scene.people["owner"].get(f"/accounts/{scene.mine.account_id}/")
    assert answer.status_code == 500
    assert "open to all!" not in answer.text
