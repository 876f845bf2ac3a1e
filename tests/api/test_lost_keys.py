"""The API when stored secrets cannot be read."""

from __future__ import annotations

import pytest

from hub.accounts import sources
from tests.support.lost_keys import SENTENCE, lose


def test_a_hook_whose_secrets_cannot_be_read_is_listed(owner, account, world, web):
    other = owner.does(
        "POST", f"{account}/hooks", {"plugin_id": "crm", "settings": {"key": "hidden away"}}, 201
    )["hook"]
    with web.app_context():
        lose(world.hook)
    bad, good = owner.get(f"{account}/hooks")["items"]
    assert (bad["status_detail"], bad["secrets_set"]) == (SENTENCE, [])
    assert (good["status_detail"], good["secrets_set"]) == (other["status_detail"], ["key"])
    path = f"{account}/hooks/{world.hook.id}"
    assert owner.get(path)["status_detail"] == SENTENCE
    # What needs no secret is done all the same.
    assert owner.does("PATCH", path, {"name": "Mine"})["name"] == "Mine"
    assert owner.does("POST", f"{path}/disable")["enabled"] is False
    assert owner.does("POST", f"{path}/enable")["enabled"] is True
    report = owner.does("POST", f"{path}/test")["report"]
    assert (report["ok"], report["sentence"]) == (False, SENTENCE)
    assert owner.call("PATCH", path, {"settings": {"name": "b"}}).json["detail"] == SENTENCE
    # Secrets that are entered anew take the place of the lost ones.
    mended = owner.does("PATCH", path, {"settings": {"key": "entered anew"}})
    assert (mended["status_detail"], mended["secrets_set"]) == ("It works.", ["key"])
    with web.app_context():
        lose(world.hook)
    owner.does("DELETE", path, status=204)


def test_a_source_whose_secrets_cannot_be_read_is_listed(owner, account, world, web):
    made = owner.does("POST", f"{account}/sources", {"kind": "chatwoot"}, 201)
    assert made["detail"] == ""
    with web.app_context():
        lose(sources.find(made["id"]))
    rows = owner.get(f"{account}/sources")["items"]
    assert [row["detail"] for row in rows if row["id"] == made["id"]] == [SENTENCE]
    assert {row["detail"] for row in rows if row["id"] != made["id"]} == {""}
    path = f"{account}/sources/{made['id']}"
    shown = owner.get(path)
    assert (shown["detail"], shown["webhook_url"]) == (SENTENCE, None)
    assert owner.get(f"{account}/requests") == {"items": []}
    assert owner.does("PATCH", path, {"enabled": False})["enabled"] is False


@pytest.mark.parametrize("path", ["deliveries", "events"])
def test_what_is_told_of_the_past_needs_no_secrets(owner, account, world, web, path):
    with web.app_context():
        world.send("contact.created")
        lose(world.hook)
        lose(world.source)
    (row,) = owner.get(f"{account}/{path}")["items"]
    owner.get(f"{account}/{path}/{row['id']}")
