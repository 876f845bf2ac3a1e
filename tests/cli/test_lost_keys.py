"""Commands when stored secrets cannot be read."""

from __future__ import annotations

from tests.support.lost_keys import SENTENCE


def test_lists_tell_whose_secrets_cannot_be_read(run, hook, monkeypatch):
    run("sources", "create", "Acme", "--kind", "chatwoot")
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", run("keys", "generate", as_json=False).strip())
    run("hooks", "create", "Acme", "crm", "--set", "key=another")
    bad, good = run("hooks", "list")
    assert (bad["id"], bad["detail"]) == (hook["id"], SENTENCE)
    assert good["detail"] == "It works."
    assert run("hooks", "show", "1")["detail"] == SENTENCE
    assert run("hooks", "disable", "1")["enabled"] is False
    run("hooks", "test", "1", fails=SENTENCE)
    (source,) = run("sources", "list")
    assert (source["detail"], source["webhook_url"]) == (SENTENCE, None)
    assert run("quarantine", "list") == []
    found = run("doctor", fails="Something is broken")
    assert {"part": "encryption keys", "state": "broken", "finding": SENTENCE} in found
    run("hooks", "delete", "1", "--yes", as_json=False)
    assert [row["id"] for row in run("hooks", "list")] == [good["id"]]
