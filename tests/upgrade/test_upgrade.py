"""What an older version has left is opened, shown, and carried on with by this one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hub.sdk.testing import payloads
from tests.upgrade.installation import Old

ACME, OTHER = 1, 2
#: Connections by the name that they were given.
GLPI, LEADSQUARED, EVERY, FEW = 1, 2, 3, 4
RETIRED, AWAY, PAUSED, WITHOUT_APP_TOKEN, FEW_LEADS, OFF = 5, 6, 7, 8, 9, 10
#: What nobody can pay before a person acts.
WAITING_FOR_A_PERSON = {RETIRED, PAUSED, WITHOUT_APP_TOKEN, OFF}
OPEN = {"pending", "waiting", "running"}
#: Settings of a plugin that is not installed cannot be shown.
NOT_THERE = {f"/accounts/{ACME}/hooks/{RETIRED}/edit"}


def deliveries(old: Old, account: int = ACME, **of: Any) -> list[dict[str, Any]]:
    """Those of an account, by the API, that have these values."""
    found = old.items(f"/accounts/{account}/deliveries?limit=200")
    return [row for row in found if all(row[name] == value for name, value in of.items())]


def owed(old: Old) -> Counter[int]:
    """How much is owed to each connection."""
    every = [row for account in (ACME, OTHER) for row in deliveries(old, account)]
    return Counter(row["hook_id"] for row in every if row["state"] in OPEN)


def send(old: Old, source: str, body: Any, number: str) -> TestResponse:
    """A request to the address that the sender has known since then, signed with its secret."""
    known, now = old.told["sources"][source], str(int(time.time()))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {}
    if known["kind"] == "chatwoot" and known["secret"]:
        mac = hmac.new(known["secret"].encode(), f"{now}.".encode() + raw, hashlib.sha256)
        headers = {
            "X-Chatwoot-Delivery": number,
            "X-Chatwoot-Timestamp": now,
            "X-Chatwoot-Signature": f"sha256={mac.hexdigest()}",
        }
    elif known["secret"]:
        key = base64.b64decode(known["secret"].removeprefix("whsec_"))
        mac = hmac.new(key, f"{number}.{now}.".encode() + raw, hashlib.sha256)
        headers = {
            "webhook-id": number,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
        }
    return old.app.test_client().post(
        known["path"], data=raw, content_type="application/json", headers=headers
    )


# It is shown.


def test_it_has_the_schema_of_today(old: Old) -> None:
    at = old.run("db", "current")
    assert at["current"] == at["needed"]
    standing = old.run("status")
    assert {hook["id"]: hook["status"] for hook in standing["hooks"]} == {
        **dict.fromkeys((GLPI, LEADSQUARED, EVERY, FEW, FEW_LEADS, OFF), "active"),
        RETIRED: "plugin_missing",
        AWAY: "degraded",
        PAUSED: "paused",
        WITHOUT_APP_TOKEN: "needs_attention",
    }
    assert (standing["dead"], standing["running"]) == (2, 1)


def things(old: Old, account: int) -> dict[str, list[Any]]:
    """For each part of a URL, what may stand there: one of each sort."""
    path = f"/accounts/{account}"
    by_state = {row["state"]: row["id"] for row in deliveries(old, account)}
    by_name = {row["name"]: row["id"] for row in old.items(f"{path}/events?limit=200")}
    return {
        "account_id": [account],
        "hook_id": [row["id"] for row in old.items(f"{path}/hooks")],
        "source_id": [row["id"] for row in old.items(f"{path}/sources")],
        "delivery_id": list(by_state.values()),
        "event_id": list(by_name.values()),
        "request_id": [row["id"] for row in old.items(f"{path}/requests")],
        "token_id": [row["id"] for row in old.items(f"{path}/tokens")],
        "invitation_id": [row["id"] for row in old.items(f"{path}/invitations")],
        "member_id": [row["user"]["id"] for row in old.items(f"{path}/members")],
        "user_id": [old.told["users"]["owner@example.com"]],
        "plugin_id": ["glpi", "leadsquared", "webhook"],
    }


def addresses(old: Old, prefix: str, values: dict[str, list[Any]]) -> Iterable[str]:
    """Of every page, or operation that only looks, each URL that leads to one of the things."""

    def wanted(rule: Rule) -> bool:
        known = rule.arguments <= values.keys()
        is_look = "GET" in (rule.methods or ()) and rule.endpoint.startswith(prefix)
        # Files, and one-time links, are no pages of an installation's things.
        return is_look and (known or not {"filename", "token"} & rule.arguments)

    urls = old.app.url_map.bind("localhost")
    for rule in filter(wanted, old.app.url_map.iter_rules()):
        names = sorted(rule.arguments)
        for chosen in itertools.product(*(values[name] for name in names)):
            yield urls.build(rule.endpoint, dict(zip(names, chosen, strict=True)), "GET")


def test_every_page_and_every_look_by_the_api_shows_what_was_left(old: Old) -> None:
    browser = old.browser("root@example.com")
    bearer = {"Authorization": f"Bearer {old.told['tokens']['root']}"}
    seen: Counter[str] = Counter()
    for account in (ACME, OTHER):
        values = things(old, account)
        for url in addresses(old, "dashboard.", values):
            answer = browser.get(url, buffered=True)
            right = (404,) if url in NOT_THERE else (200, 302, 303)
            assert answer.status_code in right, (url, answer.status_code, answer.text)
            seen["pages"] += 1
        for url in addresses(old, "api.", values):
            url += "?contact_id=501" if url.endswith("/links") else ""
            answer = old.app.test_client().get(url, headers=bearer, buffered=True)
            assert answer.status_code == 200, (url, answer.status_code, answer.text)
            seen["looks"] += 1
    assert seen["pages"] > 80
    assert seen["looks"] > 40


def test_the_command_line_shows_what_was_left(old: Old) -> None:
    assert [row["name"] for row in old.run("accounts", "list")] == ["Acme", "Bäckerei Süß & Co"]
    for source in old.told["sources"].values():
        shown = old.run("sources", "show", str(source["id"]))
        assert shown["webhook_url"].endswith(source["path"])
    assert [row["id"] for row in old.run("hooks", "list")] == list(range(GLPI, OFF + 1))
    for hook in (GLPI, RETIRED, WITHOUT_APP_TOKEN):
        assert old.run("hooks", "show", str(hook))["id"] == hook
    by_state = {row["state"]: row for row in old.run("deliveries", "list", "--limit", "200")}
    assert len(by_state) == 7
    for row in by_state.values():
        assert old.run("deliveries", "show", str(row["id"]))["state"] == row["state"]
    assert len(old.run("quarantine", "list")) == 3
    assert len(old.run("users", "list")) == len(old.told["users"])


# It goes on.


def test_what_was_owed_is_delivered_once(old: Old) -> None:
    glpi = old.servers.glpi
    before = owed(old)
    assert set(before) > {GLPI, LEADSQUARED, EVERY, FEW, AWAY, PAUSED}
    old.work()
    assert set(owed(old)) <= WAITING_FOR_A_PERSON
    # Three were being made when the version changed; two of them stand there already.
    emails = Counter(row["email"] for row in glpi.rows("UserEmail"))
    assert {emails[f"customer{number}@example.com"] for number in (3, 4, 8)} == {1}
    (away,) = [hook for hook in old.run("status")["hooks"] if hook["id"] == AWAY]
    assert (away["status"], away["breaker"]) == ("active", "closed")
    received = old.servers.gone.state()
    assert (len(received["messages"]), received["repeated"]) == (before[AWAY], 0)

    dead = [row for hook in (GLPI, FEW) for row in deliveries(old, hook_id=hook, state="dead")]
    assert len(dead) == 2
    assert old.run("deliveries", "replay", str(dead[0]["id"])) == {"replayed": 1}
    answer = old.api("POST", f"/accounts/{ACME}/deliveries/{dead[1]['id']}/replay")
    assert answer.status_code == 204, answer.text
    assert old.run("hooks", "resume", str(PAUSED))["status"] == "active"
    # Version 1 could not do without an app token; what it owed has waited.
    answer = old.api("POST", f"/accounts/{OTHER}/hooks/{WITHOUT_APP_TOKEN}/test")
    assert answer.json["report"]["ok"], answer.text
    old.work()
    assert deliveries(old, state="dead") == []
    assert set(owed(old)) <= {RETIRED}
    found = {row["email"] for row in old.servers.open_glpi.rows("UserEmail")}
    assert payloads.load("contact_created_widget_email")["email"] in found


def test_what_comes_to_the_old_addresses_arrives_beside_what_is_there(old: Old) -> None:
    old.work()
    glpi, tickets = old.servers.glpi, len(old.servers.glpi.rows("Ticket"))
    known = payloads.load("contact_created_full")
    assert send(old, "Website", known, "known").json == {"status": "duplicate"}
    message = payloads.load("message_created_outgoing_agent")
    further = {**message, "id": 9_001, "content": "Have you tried another browser?"}
    assert send(old, "Website", further, "further").status_code == 202
    new = {**known, "id": 9_002, "email": "new@example.com", "phone_number": None}
    assert send(old, "Website", new, "new").status_code == 202
    assert send(old, "Old Chatwoot", new, "unsigned").status_code == 202
    person = {"id": "1", "name": "Ada Braun-Groß", "email": "customer1@example.com"}
    event = {"event": "contact.updated", "id": "shop-new", "contact": person}
    assert send(old, "Shop", event, "event").status_code == 202
    assert send(old, "Closed", known, "closed").status_code == 404
    assert send(old, "Website", new | {"id": 9_003}, "new").status_code in (200, 202)

    arrived = len(old.servers.receiver.state()["messages"])
    old.work()
    assert set(owed(old)) <= WAITING_FOR_A_PERSON
    # In the ticket that the older version has made, not in another one.
    assert len(glpi.rows("Ticket")) == tickets
    texts = [row for row in glpi.rows("ITILFollowup") if "another browser" in row["content"]]
    assert [row["items_id"] for row in texts] == [1]
    leads = Counter(lead["EmailAddress"] for lead in old.servers.leadsquared.leads())
    assert (leads["new@example.com"], leads["customer1@example.com"]) == (1, 1)
    (ada,) = [u for u in glpi.rows("User") if u["id"] == 9]
    assert "Groß" in ada["realname"]
    assert len(old.servers.receiver.state()["messages"]) > arrived


#: Of each connection that works, a setting to change.
CHANGES = {
    GLPI: "solution_text=Done.",
    LEADSQUARED: "lead_source=Shop",
    EVERY: "condition=contact",
    FEW: "condition=contact",
    AWAY: "condition=contact",
    WITHOUT_APP_TOKEN: "solution_text=Done.",
    FEW_LEADS: "lead_source=Shop",
}


def test_its_stored_settings_are_right_today(old: Old) -> None:
    for hook, change in CHANGES.items():
        before = old.run("hooks", "show", str(hook))["settings"]
        assert old.run("hooks", "test", str(hook))["status"] == "active"
        after = old.run("hooks", "show", str(hook))["settings"]
        # The setup may complete an address.
        assert after["api_url"].startswith(before.pop("api_url")) if "api_url" in before else True
        assert before.items() <= after.items()
        # The secrets that stand beside it are kept.
        assert old.run("hooks", "update", str(hook), "--set", change)["status"] == "active"
        name, _, value = change.partition("=")
        assert old.run("hooks", "show", str(hook))["settings"][name] == value


# People come back.


def test_old_passwords_sessions_tokens_and_links_are_good(old: Old) -> None:
    for email in old.told["users"]:
        answer = old.browser(email).get("/profile")
        assert answer.status_code == 200, email
        assert email in answer.text
    assert '<html lang="fr"' in old.browser("owner@example.com").get("/profile").text

    anybody = old.browser()
    assert anybody.get("/profile").status_code != 200
    for link in old.told["links"].values():
        assert anybody.get("/" + link.split("/", 3)[3]).status_code == 200
    page = anybody.get("/sign-in").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    who = {"email": "owner@example.com", "password": old.told["password"]}
    assert anybody.post("/sign-in", data={"csrf_token": token, **who}).status_code == 303
    assert "owner@example.com" in anybody.get("/profile").text

    assert old.api("GET", f"/accounts/{ACME}/hooks", token="look").status_code == 200
    assert old.api("GET", f"/accounts/{OTHER}/hooks", token="look").status_code in (403, 404)
    hook = f"/accounts/{ACME}/hooks/{GLPI}"
    assert old.api("POST", f"{hook}/enable", token="look").status_code == 403
    assert old.api("POST", f"{hook}/enable").status_code == 200
