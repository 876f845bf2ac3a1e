"""What belongs to one account does not exist for another: every operation, also new ones."""

from __future__ import annotations

from copy import copy

from hub.access.permissions import OF_ROLE, Permission
from hub.accounts import accounts, hooks, sources
from hub.api.operations import OPERATIONS
from hub.models import Role
from tests.support.people import member
from tests.support.things import things_of


def test_every_operation_keeps_accounts_apart_and_asks_the_role(web, world, make_program):
    with web.app_context():
        other = copy(world)
        other.account = accounts.create("Other")
        other.source = sources.create(other.account, "events")
        other.hook = hooks.create(other.account, "crm", {})[0]
    member(web, world.account.id, Role.OWNER, "mine@example.com")
    member(web, other.account.id, Role.OWNER, "theirs@example.com")
    with web.app_context():
        mine = things_of(world, "mine@example.com")
        theirs = things_of(other, "theirs@example.com")
    programs = {role: make_program(role) for role in Role}
    stranger = make_program(None)
    asked = 0
    for rule in web.url_map.iter_rules():
        operation = next((o for o in OPERATIONS if f"api.{o.name}" == rule.endpoint), None)
        if operation is None or "account_id" not in rule.arguments:
            continue

        def call(program, values, rule=rule, operation=operation):
            with web.test_request_context():
                _, path = rule.build(values, append_unknown=False)
            body = {"nonsense": 1} if operation.body else None
            return program.call(operation.method, path.removeprefix("/api/v1"), body).status_code

        values = mine.values(rule)
        assert call(stranger, values) == 404, operation.name
        for name in rule.arguments - {"account_id", "plugin_id"}:
            asked += 1
            crossed = {**values, name: theirs.values(rule)[name]}
            assert call(programs[Role.OWNER], crossed) == 404, (operation.name, name)
        assert isinstance(operation.need, Permission)
        for role, program in programs.items():
            if operation.need not in OF_ROLE[role]:
                asked += 1
                assert call(program, values) == 403, (operation.name, role)
    assert asked > 60
