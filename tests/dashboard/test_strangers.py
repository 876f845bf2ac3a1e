"""Nothing that a person of one account is shown depends on another account: no page, no answer of
the API, no error, no count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import pytest
from flask import Flask
from werkzeug.routing import Rule

from hub import audit
from hub.accounts import accounts, hooks, sources
from hub.models import Role
from hub.sdk import Rejected, RetryLater
from tests.api.conftest import Program
from tests.support.clock import clock_of
from tests.support.crm import Crm, World
from tests.support.people import Person, administrator, member
from tests.support.things import Things, things_of

#: It is the same SQL on both databases.
pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)
ABSENT = 4_711
SCOPES = ["look", "repair", "configure", "own"]


@dataclass
class Owner:
    """The owner of an account, with a browser and a program."""

    app: Flask
    things: Things
    person: Person
    program: Program

    @classmethod
    def of(cls, world: World, email: str) -> Owner:
        account = world.account.id
        person = member(world.app, account, Role.OWNER, email)
        with world.app.app_context():
            things = things_of(world, email)
        page = person.post(f"/accounts/{account}/tokens", name="robot", scopes=SCOPES).text
        (token,) = set(re.findall(r"hub_[\w-]{30,}", page))
        return cls(world.app, things, person, Program(world.app, token))

    def routes(self) -> Iterator[tuple[Rule, str]]:
        """All that a person or a program can ask for, and by which method."""
        for rule in self.app.url_map.iter_rules():
            named = rule.arguments & {"filename", "token"}
            if rule.endpoint.startswith(("dashboard.", "api.")) and not named:
                for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                    yield rule, method

    def ask(self, rule: Rule, method: str, **others: int) -> tuple[int, str]:
        """The answer's status and text. ``others`` are ids in place of one's own."""
        with self.app.test_request_context():
            values = {**self.things.values(rule), **others}
            _, path = rule.build(values, append_unknown=False)
        if rule.endpoint.startswith("api."):
            body = {"nonsense": 1} if method in ("POST", "PUT", "PATCH") else None
            answer = self.program.call(method, path.removeprefix("/api/v1"), body)
        else:
            answer = self.person.client.open(path, method=method, buffered=True)
        # Each form has a token of its own.
        return answer.status_code, re.sub(r'value="[\w.-]+\.[\w.-]+"', "", answer.text)


@pytest.fixture
def world(web: Flask) -> World:
    """An account in a hub where time stands still."""
    clock_of(web).stop()
    administrator(web)
    with web.app_context():
        return World(web)


def neighbour(world: World, crm: Crm) -> Owner:
    """Another account comes, where things of every kind happen and wait."""
    with world.app.app_context():
        other = copy(world)
        other.account = accounts.create("Other")
        other.source = sources.create(other.account, "events", name="Elsewhere")
        other.hook = hooks.create(other.account, "crm", {})[0]
        for trouble in (Rejected("It was refused."), RetryLater("It is away.")):
            crm.troubles.append(trouble)
            other.send("conversation.created", conversation="7", contact="7")
            other.work()
        with audit.acting(audit.Actor("Somebody <else@example.com>")):
            hooks.pause(other.hook.id, "It is moved.")
    return Owner.of(other, "theirs@example.com")


def test_another_account_changes_no_letter_of_what_is_shown(world, crm):
    mine = Owner.of(world, "mine@example.com")

    def shown() -> dict[str, tuple[int, str]]:
        return {
            rule.rule: mine.ask(rule, method) for rule, method in mine.routes() if method == "GET"
        }

    shown()  # which says what was to be said once
    alone = shown()
    neighbour(world, crm)
    beside = shown()
    assert [rule for rule in alone if alone[rule] != beside[rule]] == []
    statuses = [status for status, _ in alone.values()]
    assert statuses.count(200) > 30


def test_what_belongs_to_others_is_answered_as_what_is_not_there(world, crm):
    """By every route and method, for each thing that it names."""
    mine = Owner.of(world, "mine@example.com")
    theirs = vars(neighbour(world, crm).things)
    asked = 0
    for rule, method in mine.routes():
        for name in rule.arguments & theirs.keys():
            asked += 1
            numbers = re.compile(rf"\b({theirs[name]}|{ABSENT})\b")
            there, nowhere = (
                (status, numbers.sub("N", text))
                for status, text in (
                    mine.ask(rule, method, **{name: number}) for number in (theirs[name], ABSENT)
                )
            )
            assert there == nowhere, (method, rule.rule, name)
    assert asked > 100
