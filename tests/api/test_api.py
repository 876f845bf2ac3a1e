"""The API: what it does, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.access import gate
from hub.access.gate import Open
from hub.access.permissions import OF_ROLE, Permission
from hub.api.openapi import document
from hub.api.operations import OPERATIONS
from hub.clock import written
from hub.database import in_transaction
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused as Held
from hub.inbox.quarantine import Request
from hub.models import Role
from hub.sdk import KeepBack, Rejected, RetryLater, SetupFailed
from tests.support.crm import Setup


@pytest.fixture
def account(world) -> str:
    return f"/accounts/{world.account.id}"


def happens(web, world, **what) -> int:
    with web.app_context():
        (event_id,) = world.send("conversation.created", **{"conversation": "7", **what})
        world.sweeper.sweep()
        world.work()
    return event_id


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


def test_accounts(make_program):
    root = make_program(None, administrator=True)
    made = root.does("POST", "/accounts", {"name": "New", "default_region": "de"}, 201)
    path = f"/accounts/{made['id']}"
    assert root.does("PATCH", path, {"features": ["b", "a"]})["features"] == ["a", "b"]
    assert root.call("POST", "/accounts", {"name": "New"}).status_code == 409
    root.does("DELETE", path, status=204)
    assert root.call("GET", path).status_code == 404


def test_sources_keep_their_secret(owner, account):
    body = {"kind": "chatwoot", "signing_secret": "kept quiet", "base_url": "https://c.example"}
    made = owner.does("POST", f"{account}/sources", body, 201)
    assert made["signing_secret_set"] is True
    assert "/webhooks/chatwoot/" in made["webhook_url"]
    changed = owner.does("PATCH", f"{account}/sources/{made['id']}", {"enabled": False})
    assert changed["enabled"] is False
    everything = str([owner.get(f"{account}/{rest}") for rest in ("sources", "audit")])
    assert "kept quiet" not in everything
    owner.does("DELETE", f"{account}/sources/{made['id']}", status=204)


def test_hooks_from_beginning_to_end(owner, account):
    assert owner.get("/plugins")["items"][0]["id"] == "crm"
    schema = owner.get("/plugins/crm")["settings_schema"]
    assert schema["properties"]["key"]["writeOnly"] is True
    body = {"plugin_id": "crm", "settings": {"name": "a", "key": "hidden away"}}
    made = owner.does("POST", f"{account}/hooks", body, 201)
    assert made["report"]["ok"] is True
    assert made["hook"]["secrets_set"] == ["key"]
    path = f"{account}/hooks/{made['hook']['id']}"
    assert owner.does("PATCH", path, {"concurrency": 3, "name": "Mine"})["concurrency"] == 3
    assert owner.does("PATCH", path, {"settings": {"name": "b"}})["settings"]["name"] == "b"
    assert owner.get(path)["secrets_set"] == ["key"]
    # An empty text takes away what the plugin can do without.
    assert owner.does("PATCH", path, {"settings": {"key": ""}})["secrets_set"] == []
    assert owner.does("PATCH", path, {"settings": {"key": "hidden away"}})["secrets_set"] == ["key"]
    assert owner.does("POST", f"{path}/pause", {"reason": "A test."})["status"] == "paused"
    assert owner.does("POST", f"{path}/resume")["hook"]["status"] == "active"
    assert owner.does("POST", f"{path}/disable")["enabled"] is False
    assert owner.does("POST", f"{path}/enable")["enabled"] is True
    assert owner.does("POST", f"{path}/test")["report"]["sentence"] == "It works."
    owner.does("POST", f"{path}/probe", status=204)
    assert "hidden away" not in str(owner.get(f"{account}/audit")) + str(owner.get(path))
    owner.does("DELETE", path, status=204)
    assert owner.call("GET", path).status_code == 404


def test_settings_that_do_not_fit_name_their_field(owner, account):
    body = {"plugin_id": "crm", "settings": {"name": 5, "colour": "red"}}
    answer = owner.call("POST", f"{account}/hooks", body)
    assert answer.status_code == 400
    assert set(answer.json["errors"]["settings"]) == {"name", "colour"}


def test_settings_that_fail_change_nothing(owner, account, world, monkeypatch):
    def run(service):
        raise SetupFailed("The key is wrong.", field="key")

    path = f"{account}/hooks/{world.hook.id}"
    before = owner.get(path)
    monkeypatch.setattr(Setup, "run", run)
    answer = owner.call("PATCH", path, {"settings": {"key": "a wrong one"}})
    assert (answer.status_code, answer.json["detail"]) == (422, "The key is wrong.")
    assert (answer.json["report"]["ok"], answer.json["report"]["field"]) == (False, "key")
    assert owner.get(path) == before
    # What does not work anyway is stored, so that it can be mended.
    assert owner.does("POST", f"{path}/test")["hook"]["status"] == "needs_attention"
    changed = owner.does("PATCH", path, {"settings": {"key": "another"}})
    assert changed["secrets_set"] == ["key"]


def test_two_who_change_a_hook(owner, account, world):
    path = f"{account}/hooks/{world.hook.id}"
    tag = owner.call("GET", path).headers["ETag"]
    first = owner.call("PATCH", path, {"name": "First"}, **{"If-Match": tag})
    assert first.status_code == 200
    assert first.headers["ETag"] != tag
    assert owner.call("PATCH", path, {"name": "Second"}, **{"If-Match": tag}).status_code == 412
    assert owner.get(path)["name"] == "First"


def test_events_and_deliveries(owner, account, web, world, crm):
    crm.troubles = [Rejected("The subject is empty.")]
    event_id = happens(web, world)
    event = owner.get(f"{account}/events/{event_id}")
    assert event["payload"] == {"raw": True}
    (listed,) = owner.get(f"{account}/deliveries?state=dead&text=SUBJECT")["items"]
    assert listed["event"]["conversation_id"] == "7"
    path = f"{account}/deliveries/{listed['id']}"
    assert owner.get(path)["tries"][0]["outcome"] == "rejected"
    counted = owner.does("POST", f"{account}/deliveries/replay?state=dead&dry_run=true")
    assert counted == {"deliveries": 1}
    assert owner.get(path)["state"] == "dead"
    assert owner.does("POST", f"{account}/deliveries/replay?state=dead") == {"deliveries": 1}
    assert owner.call("POST", f"{path}/replay").status_code == 409
    owner.does("POST", f"{path}/skip", {"reason": "A test."}, 204)
    assert owner.get(path)["state"] == "skipped"
    assert owner.get(f"{account}/status")["dead"] == 0
    actions = [entry["action"] for entry in owner.get(f"{account}/audit")["items"]]
    assert actions[:2] == ["delivery.skipped", "deliveries.replayed"]


def test_a_delivery_that_waits_says_why(owner, account, web, world, crm):
    crm.troubles = [RetryLater("The CRM is down.", delay=600)]
    happens(web, world)
    (listed,) = owner.get(f"{account}/deliveries?state=waiting")["items"]
    standing = listed["standing"]
    assert (standing["cause"], standing["why"]) == ("backoff", "The CRM is down.")
    moment = datetime.fromisoformat(standing["next_try"])
    assert listed["reason"] == f"Next try: {written(moment, UTC)}. The CRM is down."
    assert owner.get(f"{account}/deliveries/{listed['id']}")["standing"] == standing
    owner.does("POST", f"{account}/deliveries/{listed['id']}/skip", {"reason": "A test."}, 204)
    assert "standing" not in owner.get(f"{account}/deliveries/{listed['id']}")


def test_links_tell_what_a_conversation_is_called(owner, account, web, world):
    happens(web, world)
    assert owner.call("GET", f"{account}/links").status_code == 409
    assert owner.get(f"{account}/links?conversation_id=7") == {"items": []}


def test_pages(owner, account, web, world):
    for number in range(7):
        happens(web, world, conversation=str(number), contact=str(number))
    seen, cursor = [], ""
    while True:
        page = owner.get(f"{account}/deliveries?limit=3{cursor}")
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == 7


def test_held_requests(owner, account, web, world):
    with web.app_context():
        request = Request({"content-type": "application/json"}, b"{", datetime.now(UTC))
        refusal = Held(400, "not_json", "It is not JSON.")
        in_transaction(lambda s: quarantine.hold(s, world.source, request, refusal))
    (held,) = owner.get(f"{account}/requests")["items"]
    released = owner.does("POST", f"{account}/requests/{held['id']}/release")
    assert released["outcome"].startswith("still held")
    owner.does("DELETE", f"{account}/requests/{held['id']}", status=204)
    assert owner.get(f"{account}/requests") == {"items": []}


def test_people(owner, make_program, account):
    make_program(Role.VIEWER)
    rows = owner.get(f"{account}/members")["items"]
    viewer = next(row["user"]["id"] for row in rows if row["role"] == "viewer")
    owner.does("PUT", f"{account}/members/{viewer}/role", {"role": "operator"}, 204)
    owner.does("DELETE", f"{account}/members/{viewer}", status=204)
    assert len(owner.get(f"{account}/members")["items"]) == 1
    made = owner.does("POST", f"{account}/invitations", {"role": "viewer"}, 201)
    assert "/invitation/" in made["link"]
    (invitation,) = owner.get(f"{account}/invitations")["items"]
    owner.does("DELETE", f"{account}/invitations/{invitation['id']}", status=204)


def test_users(make_program):
    root = make_program(None, administrator=True)
    make_program(Role.VIEWER)
    first, second = (user["id"] for user in root.get("/users")["items"])
    assert "/invitation/" in root.does("POST", "/users/invitations", {}, 201)["link"]
    assert "/invitation/" in root.does("POST", f"/users/{second}/password", status=201)["link"]
    assert root.call("DELETE", f"/users/{first}").status_code == 409, "the last administrator"
    root.does("PUT", f"/users/{second}/administrator", {"administrator": True}, 204)
    root.does("DELETE", f"/users/{second}", status=204)
    assert len(root.get("/users")["items"]) == 1


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": 5}, {"name"}),
        ({"name": "x", "colour": 1}, {"colour"}),
        ({"name": "x", "features": "all"}, {"features"}),
    ],
)
def test_bodies_that_do_not_fit(make_program, body, errors):
    answer = make_program(None, administrator=True).call("POST", "/accounts", body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert set(answer.json["errors"]) == errors


def test_what_is_no_json(owner, web):
    headers = {"Authorization": f"Bearer {owner.token}"}
    client = web.test_client()
    path = "/api/v1/accounts"
    assert client.post(path, data="name=x", headers=headers).status_code in (403, 415)
    root_less = client.post(f"{path}/1/tokens", data="{}", headers=headers)
    assert root_less.status_code == 415
    for text in ("{", '{"days": NaN}', "\xff"):
        broken = client.post(
            f"{path}/1/tokens", data=text, headers=headers, content_type="application/json"
        )
        assert broken.status_code == 400
    large = client.post(
        f"{path}/1/tokens",
        data='{"name": "' + "x" * 300_000 + '"}',
        headers=headers,
        content_type="application/json",
    )
    assert large.status_code == 413
    for answer in (root_less, broken, large):
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=-1", "nonsense=1", "limit=1&limit=2"]
)
def test_queries_that_do_not_fit(owner, account, query):
    assert owner.call("GET", f"{account}/events?{query}").status_code == 400


def test_paths_and_methods_that_are_none(owner, account):
    assert owner.call("GET", "/nothing").content_type == "application/problem+json"
    wrong = owner.call("PUT", account, {})
    assert wrong.status_code == 405
    assert "PATCH" in wrong.headers["Allow"]
    assert owner.call("GET", f"/accounts/{2**80}").status_code == 404


def test_the_document_knows_every_operation(web):
    documented = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
    }
    served = {
        (method, one.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for one in web.url_map.iter_rules()
        if one.endpoint.startswith("api.")
        for method in one.methods - {"HEAD", "OPTIONS"}
    }
    assert documented == served
    assert web.test_client().get("/api/v1/openapi.json").json["openapi"] == "3.0.3"


def test_every_need_is_a_scope(web):
    with web.app_context():
        for one in OPERATIONS:
            assert isinstance(gate.need_of(f"api.{one.name}"), Permission | Open)


def test_the_page_to_try_it_has_a_form_for_each(web):
    page = web.test_client().get("/api/docs")
    assert page.status_code == 200
    assert page.text.count('class="try"') == len(OPERATIONS)
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_what_is_kept_back_is_counted_and_need_not_be(web, world, crm, owner, account):
    crm.troubles.append(KeepBack("Nothing is known of the person."))
    happens(web, world)
    (kept,) = owner.get(f"{account}/deliveries?state=kept_back")["items"]
    assert kept["state"] == "waiting"
    assert kept["kept_until"] == kept["due_at"]
    standing = owner.get(f"{account}/status")
    assert (standing["kept_back"], standing["waiting"]) == (1, 0)
    assert standing["oldest_waiting_seconds"] is None
    assert (standing["hooks"][0]["kept_back"], standing["hooks"][0]["open"]) == (1, 0)
    path = f"{account}/deliveries/{kept['id']}"
    assert owner.does("POST", f"{path}/insist") == {"deliveries": 1}
    assert owner.call("POST", f"{path}/insist").status_code == 409
    assert owner.get(path)["kept_until"] is None
    entry = owner.get(f"{account}/audit")["items"][0]
    assert (entry["action"], entry["subject_id"]) == ("delivery.insisted", kept["id"])
    assert entry["after"] == {"deliveries": 1}
    assert 'hub_deliveries{state="kept_back"} 0' in web.test_client().get("/metrics").text
