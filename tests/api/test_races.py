"""What somebody else deletes while a request is at work is not there: 404, never 500."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from copy import copy

import pytest
from sqlalchemy import delete

from hub.access import gate
from hub.accounts import accounts, hooks, sources
from hub.api.operations import OPERATIONS
from hub.database import engine
from hub.models import Account, Hook, QuarantinedRequest, Role, Source
from tests.support.people import Person, administrator, member
from tests.support.things import things_of

KINDS = {
    "account_id": Account,
    "hook_id": Hook,
    "source_id": Source,
    "request_id": QuarantinedRequest,
}
BODIES = {
    "account_update": {"name": "Another"},
    "delivery_skip": {"reason": "It is over."},
    "hook_create": {"plugin_id": "crm", "settings": {}},
    "hook_pause": {"reason": "It is late."},
    "hook_update": {"name": "Another", "settings": {}},
    "invitation_create": {"role": "viewer"},
    "member_role": {"role": "owner"},
    "source_create": {"kind": "events"},
    "source_update": {"name": "Another"},
    "token_create": {"name": "Another", "scopes": ["look"], "days": 5},
}
#: What answers in any case: lists of what there is, and deeds whose effect is there already.
ANSWER = frozenset(
    {
        *("account_status", "audit_list", "delivery_list", "delivery_replay_all", "event_list"),
        *("invitation_list", "link_list", "member_list", "token_list"),
        *("hook_probe", "invitation_withdraw", "request_discard"),
        *("delivery_insist", "delivery_replay", "delivery_skip"),
    }
)


class Rival:
    """Deletes a row once the gate has let a request pass: at once, or before its first write."""

    def __init__(self, monkeypatch, *, before_write: bool) -> None:
        self.victim: tuple[type, int] | None = None
        self._passed = False
        check, transaction = gate.check, engine.transaction

        def passing(*given):
            check(*given)
            self._passed = True
            if not before_write:
                self._strike(transaction)

        @contextmanager
        def writing():
            if self._passed:
                self._strike(transaction)
            with transaction() as session:
                yield session

        monkeypatch.setattr(gate, "check", passing)
        monkeypatch.setattr(engine, "transaction", writing)

    def aims_at(self, kind: type, number: int) -> None:
        self.victim, self._passed = (kind, number), False

    def _strike(self, transaction) -> None:
        if self.victim is None:
            return
        (kind, number), self.victim = self.victim, None
        with transaction() as session:
            if kind is Account:
                session.execute(delete(Hook).where(Hook.account_id == number))
            session.execute(delete(kind).where(kind.id == number))


@pytest.fixture(params=[False, True], ids=["at once", "before the write"])
def rival(request, monkeypatch) -> Rival:
    return Rival(monkeypatch, before_write=request.param)


def another(world, email: str):
    """An account with one of everything."""
    other = copy(world)
    other.account = accounts.create(uuid.uuid4().hex)
    other.source = sources.create(other.account, "events")
    other.hook = hooks.create(other.account, "crm", {})[0]
    member(world.app, other.account.id, Role.OWNER, email)
    return things_of(other, email)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_no_operation_fails_when_its_subject_goes(web, world, make_program, rival):
    program, asked = make_program(None, administrator=True), 0
    for rule in web.url_map.iter_rules():
        operation = next((o for o in OPERATIONS if f"api.{o.name}" == rule.endpoint), None)
        if operation is None or "account_id" not in rule.arguments:
            continue
        for name in sorted(KINDS.keys() & rule.arguments):
            with web.app_context():
                things = another(world, f"{uuid.uuid4().hex}@example.com")
            values = things.values(rule)
            with web.test_request_context():
                _, path = rule.build(values, append_unknown=False)
            body = BODIES.get(operation.name, {}) if operation.body else None
            rival.aims_at(KINDS[name], values[name])
            answer = program.call(operation.method, path.removeprefix("/api/v1"), body)
            was_struck = rival.victim is None
            case = (operation.name, name, answer.status_code, answer.text[:200])
            assert answer.status_code < 500, case
            if was_struck and operation.name not in ANSWER:
                asked += 1
                assert answer.status_code == 404, case
    assert asked >= 15


PAGES = (
    ("GET", "hooks", Account),
    ("GET", "quarantine", Account),
    ("GET", "records?text=a", Account),
    ("GET", "settings", Account),
    ("GET", "hooks/{hook_id}", Hook),
    ("POST", "hooks/{hook_id}/test", Hook),
    ("POST", "hooks/{hook_id}/resume", Hook),
    ("POST", "hooks/{hook_id}/limits", Hook),
    ("POST", "sources/{source_id}/enable", Source),
    ("POST", "sources/new?kind=events", Account),
)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_no_page_fails_when_its_subject_goes(web, world, rival):
    person: Person = administrator(web)
    for method, path, kind in PAGES:
        with web.app_context():
            things = another(world, f"{uuid.uuid4().hex}@example.com")
        path = f"/accounts/{things.account_id}/{path.format(**vars(things))}"
        number = {Account: things.account_id, Hook: things.hook_id, Source: things.source_id}[kind]
        person.post("/accounts/new", name="")  # fetches the form's token
        rival.aims_at(kind, number)
        send = person.get if method == "GET" else person.post
        answer = send(path, **({} if method == "GET" else {"kind": "events"}))
        case = (method, path, answer.status_code)
        if rival.victim is None:
            # A form that cannot be taken is shown again, with the reason.
            assert answer.status_code in ((400, 404) if "/new" in path else (404,)), case
        else:
            assert answer.status_code < 400, case
