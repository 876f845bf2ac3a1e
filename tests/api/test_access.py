"""Who may call the API, and for what."""

from __future__ import annotations

import pytest

from hub.access import gate
from hub.access.gate import Open
from hub.access.permissions import OF_ROLE, Permission
from hub.api.operations import OPERATIONS
from hub.models import Role


def test_who_asks(owner, world):
    me = owner.get("/me")
    assert me["user"]["email"] == "user1@example.com"
    assert [one["id"] for one in me["accounts"]] == [world.account.id]
    assert "password" not in str(me)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic dTpw"])
def test_without_a_good_token(web, world, header):
    answer = web.test_client().get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 401


def test_the_cookie_of_the_dashboard_opens_nothing(web, world):
    from tests.support.people import administrator

    person = administrator(web)
    assert person.get("/profile").status_code == 200
    assert person.get("/api/v1/me").status_code == 401


def test_a_revoked_token_is_dead(owner, account):
    made = owner.does(
        "POST", f"{account}/tokens", {"name": "x", "scopes": ["look"], "days": 1}, 201
    )
    assert made["token"].startswith("hub_")
    assert made["token"] not in str(owner.get(f"{account}/tokens"))
    other = type(owner)(owner.app, made["token"])
    assert other.get(account)["name"] == "Acme"
    owner.does("DELETE", f"{account}/tokens/{made['id']}", status=204)
    assert other.call("GET", account).status_code == 401


def test_a_token_cannot_make_a_stronger_one(make_program, account):
    program = make_program(scopes=["own"])
    body = {"name": "x", "scopes": ["own"], "days": 1}
    for change in ({"scopes": ["look", "own"]}, {"days": 31}, {"days": None}):
        answer = program.call("POST", f"{account}/tokens", {**body, **change})
        assert answer.status_code == 409, change
    program.does("POST", f"{account}/tokens", body, 201)


def test_every_operation_asks_role_and_scope(web, make_program, world):
    programs = {role: make_program(role) for role in Role}
    stranger = make_program(None)
    powerless = make_program(Role.OWNER, scopes=["administer"])
    asked = 0
    with web.app_context():
        needs = {one.name: gate.need_of(f"api.{one.name}") for one in OPERATIONS}
    for one in OPERATIONS:
        if "account_id" not in one.rule:
            continue
        path = one.path.removeprefix("/api/v1")
        path = path.replace("{account_id}", str(world.account.id))
        path = path.split("{")[0] + "999999" if "{" in path else path
        if one.path.count("{") > 1:
            continue  # a thing that is not there is 404 for all: test_roles asks for real things
        need = needs[one.name]
        assert isinstance(need, Permission)
        for role, program in programs.items():
            asked += 1
            status = program.call(one.method, path, {"nonsense": 1}).status_code
            allowed = need in OF_ROLE[role]
            assert (status == 403) is not allowed, (one.name, role, status)
            if allowed and one.method == "DELETE":
                assert status == 409, "the account has a hook still"
        assert stranger.call(one.method, path, {"nonsense": 1}).status_code == 404
        assert powerless.call(one.method, path, {"nonsense": 1}).status_code == 403
    assert asked > 40


def test_a_token_for_one_account_is_for_no_other(make_program, web, world, account):
    from hub.accounts import accounts

    with web.app_context():
        other = accounts.create("Other")
    program = make_program(administrator=True, only_account=other.id)
    assert program.call("GET", account).status_code == 404
    assert program.get(f"/accounts/{other.id}")["name"] == "Other"


def test_what_belongs_to_others_does_not_exist(make_program, web, world, account):
    administrator = make_program(None, administrator=True)
    other = administrator.does("POST", "/accounts", {"name": "Other"}, 201)
    for rest in (f"hooks/{world.hook.id}", f"sources/{world.source.id}", "events/1", "links/1"):
        assert administrator.call("GET", f"/accounts/{other['id']}/{rest}").status_code == 404


def test_every_need_is_a_scope(web):
    with web.app_context():
        for one in OPERATIONS:
            assert isinstance(gate.need_of(f"api.{one.name}"), Permission | Open)
