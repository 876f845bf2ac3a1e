"""Plugins and hooks over the API."""

from __future__ import annotations

from hub.sdk import SetupFailed
from tests.support.crm import Setup


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
