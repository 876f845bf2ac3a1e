"""The pages: what they show, and what their buttons do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from hub.accounts import hooks
from hub.dashboard import forms
from hub.database import in_transaction, reading
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused, Request
from hub.models import (
    AuditEntry,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Hook,
    HookStatus,
    QuarantinedRequest,
    Role,
    Source,
    User,
)
from hub.sdk import (
    KeepBack,
    NeedsAttention,
    Rejected,
    SettingsSchema,
    SetupFailed,
    SetupResult,
)
from hub.sdk.settings import secret, text
from tests.support.crm import Crm, Setup, World, make_plugin
from tests.support.people import Person, administrator, member


@dataclass
class Desk:
    """An account at work, and its owner at the dashboard."""

    app: Flask
    crm: Crm
    world: World
    person: Person

    def path(self, rest: str = "") -> str:
        return f"/accounts/{self.world.account.id}/{rest}"

    def page(self, rest: str = "") -> str:
        return self.person.page(self.path(rest))

    def does(self, rest: str, **fields: object) -> str:
        return self.person.does(self.path(rest), **fields)

    def happens(self, name: str = "conversation.created", **what: str) -> int:
        """An event; returns its delivery's id."""
        with self.app.app_context():
            (event_id,) = self.world.send(name, **{"conversation": "7", **what})
            with reading() as session:
                return session.scalar(select(Delivery.id).where(Delivery.event_id == event_id))

    def work(self) -> None:
        with self.app.app_context():
            self.world.sweeper.sweep()
            self.world.work()

    def delivery(self, delivery_id: int) -> Delivery:
        with self.app.app_context(), reading() as session:
            return session.get_one(Delivery, delivery_id)

    def hook(self) -> Hook:
        with self.app.app_context():
            return hooks.find(self.world.hook.id)

    def audited(self) -> list[tuple[str, dict, dict]]:
        with self.app.app_context(), reading() as session:
            rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(row.action, row.before, row.after) for row in rows if row.account_id]


@pytest.fixture
def desk(web: Flask, crm: Crm) -> Desk:
    with web.app_context():
        world = World(web)
    administrator(web)
    return Desk(web, crm, world, member(web, world.account.id, Role.OWNER))


def test_home_says_what_needs_attention_first(desk, web):
    assert "No worker is alive" in desk.page()
    delivery = desk.happens()
    desk.crm.troubles.append(NeedsAttention("The token is wrong.", field="key"))
    desk.work()
    text = desk.page()
    assert "needs attention" in text
    assert "The token is wrong." in text
    assert desk.delivery(delivery).state == DeliveryState.PENDING


def test_a_new_account_is_led_from_step_to_step(web):
    root = administrator(web)
    home = root.post("/accounts/new", name="Acme").location
    assert "No events can arrive yet: connect Chatwoot." in root.page(home)
    made = root.post(f"{home}sources/new", kind="chatwoot", base_url="https://chat.example.com")
    page = root.page(made.location)
    assert "Waiting for the first event" in page
    webhook = re.search(r'value="(http[^"]+/webhooks/chatwoot/[^"]+)"', page)[1]
    assert "Events go nowhere yet" in root.page(home)
    root.does(made.location, signing_secret="kept in the vault")
    assert "kept in the vault" not in root.page(made.location)
    path = "/" + webhook.split("/", 3)[3]
    refused = web.test_client().post(path, data=b"{", content_type="application/json")
    assert refused.status_code == 401
    assert "1 request was refused and is held." in root.page(made.location)


def test_the_story_of_a_delivery(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("The subject is empty.", field="subject"))
    desk.work()
    text = desk.page(f"deliveries/{delivery}")
    assert "Conversation begun" in text
    assert "The subject is empty." in text
    assert "failed" in text
    listed = desk.page("deliveries?state=dead")
    assert f"/deliveries/{delivery}" in listed
    assert "Replay all of these" in listed


def test_a_failed_delivery_is_replayed(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("Not now."))
    desk.work()
    assert "It is owed again" in desk.does(f"deliveries/{delivery}/replay")
    desk.work()
    assert desk.delivery(delivery).state == DeliveryState.DONE
    assert ("delivery.replayed", {}, {}) in desk.audited()
    desk.does(f"deliveries/{delivery}/replay")
    assert desk.person.post(desk.path(f"deliveries/{delivery}/replay")).status_code == 409


def test_all_of_a_filter_are_replayed(desk):
    wanted = [desk.happens(conversation=str(number), contact=str(number)) for number in (1, 2)]
    desk.crm.troubles += [Rejected("Not now."), Rejected("Not now.")]
    desk.work()
    other = desk.happens(conversation="3", contact="3")
    desk.work()
    assert "2 deliveries of this filter" in desk.page("deliveries?state=dead")
    desk.does("deliveries/replay?state=dead")
    desk.work()
    assert {desk.delivery(one).attempts for one in wanted} == {2}
    assert desk.delivery(other).attempts == 1
    assert desk.audited()[-1] == (
        "deliveries.replayed",
        {},
        {"state": "dead", "deliveries": 2},
    )
    assert desk.person.post(desk.path("deliveries/replay")).status_code == 409


def test_a_delivery_is_skipped_for_a_reason(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("Never."))
    desk.work()
    assert desk.person.post(desk.path(f"deliveries/{delivery}/skip")).status_code == 409
    desk.does(f"deliveries/{delivery}/skip", reason="A test.")
    assert desk.delivery(delivery).state == DeliveryState.SKIPPED
    assert ("delivery.skipped", {}, {"reason": "A test."}) in desk.audited()


def test_what_is_kept_back_is_seen_and_need_not_be(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(KeepBack("Nothing is known of the person.", days=2))
    desk.work()
    told = "Kept back until the person is known; skipped after"
    text = desk.page(f"deliveries/{delivery}")
    assert told in text
    assert "Nothing is known of the person." in text
    assert told in desk.page("records?conversation=7")
    assert f"/deliveries/{delivery}" in desk.page("deliveries?state=kept_back")
    assert f"/deliveries/{delivery}" not in desk.page("deliveries?state=waiting")
    assert "state=kept_back" in desk.page("")
    assert f"/deliveries/{delivery}/insist" in text
    desk.does(f"deliveries/{delivery}/insist")
    desk.work()
    assert desk.delivery(delivery).state == DeliveryState.DONE
    assert ("delivery.insisted", {}, {"deliveries": 1}) in desk.audited()
    assert desk.person.post(desk.path(f"deliveries/{delivery}/insist")).status_code == 409


def test_nobody_insists_on_what_its_plugin_cannot_do(desk, monkeypatch):
    delivery = desk.happens()
    desk.crm.troubles.append(KeepBack("Nothing is known of the person.", days=2))
    desk.work()
    (plugin,) = desk.app.extensions["hub.registry"].plugins.values()
    monkeypatch.setattr(plugin.processor, "can_insist", False)
    assert f"/deliveries/{delivery}/insist" not in desk.page(f"deliveries/{delivery}")
    answer = desk.person.post(desk.path(f"deliveries/{delivery}/insist"))
    assert answer.status_code == 409
    assert "its plugin must know whose it is" in answer.text
    assert desk.delivery(delivery).state == DeliveryState.WAITING


def test_a_delivery_that_waits_says_why(desk):
    """Never the plugin's old reason: its connection was mended, and paused since."""
    delivery = desk.happens(conversation="7")
    desk.crm.troubles.append(NeedsAttention("The key is wrong."))
    desk.work()
    event = desk.delivery(delivery).event_id
    pages = ("deliveries", f"deliveries/{delivery}", f"events/{event}", "records?conversation=7")
    said = "The connection needs attention. The key is wrong."
    assert [said in desk.page(rest) for rest in pages] == [True] * 4
    with desk.app.app_context():
        hooks.update(desk.world.hook.id, {})
        hooks.pause(desk.world.hook.id, "Moving house.")
    for rest in pages:
        page = desk.page(rest).partition('<ol class="story">')[0]
        assert "The connection is paused. Moving house." in page
        assert "The key is wrong." not in page


def test_names_from_outside_do_no_harm(desk):
    hostile = '"><script>alert(1)</script>'
    delivery = desk.happens(contact=hostile)
    desk.crm.troubles.append(Rejected(hostile))
    desk.work()
    for rest in ("deliveries", f"deliveries/{delivery}", "events", "records?text=script", "queues"):
        assert "<script>alert" not in desk.page(rest), rest


def test_searching(desk):
    for number in range(3):
        desk.happens(conversation=str(number), contact=f"c{number}")
    desk.happens("message.created", conversation="1", contact="c1", message="9")
    desk.crm.troubles += [Rejected("The moon is full."), None, None, None]
    desk.work()

    def count(query: str, page: str = "deliveries") -> int:
        return desk.page(f"{page}?{query}").count("<tr>") - 1

    assert count("") == 4
    assert count("event=message.created") == 1
    assert count("conversation=1") == 2
    assert count("contact=c2") == 1
    assert count("state=dead") == 1
    assert count("text=MOON") == 1
    assert count("text=mars") == -1
    assert count("text=%25") == -1, "a percent sign is a percent sign"
    assert count("begin=2026-01-01T00:00") == 4
    assert count("end=2026-01-01T00:00") == -1
    assert count("event=message.created", "events") == 1
    assert desk.person.get(desk.path("deliveries?state=lost")).status_code == 400
    assert desk.person.get(desk.path("deliveries?begin=yesterday")).status_code == 400


def test_pages_follow_each_other(desk):
    for number in range(60):
        desk.happens(conversation=str(number), contact=str(number))
    seen: list[str] = []
    path: str | None = desk.path("deliveries")
    while path:
        text = desk.person.page(path)
        seen += re.findall(rf"/accounts/{desk.world.account.id}/deliveries/(\d+)\"", text)
        older = re.search(r'href="([^"]+before=\d+)', text)
        path = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 60
    assert seen == sorted(seen, key=int, reverse=True)


def test_records_tell_what_a_conversation_is_called(desk):
    desk.happens(conversation="7", contact="7")
    desk.work()
    assert "No CRM knows it yet." in desk.page("records?contact=999")
    assert "Conversations:" in desk.page("records?contact=7")


def test_installing_a_plugin(desk, web):
    form = desk.page("hooks/new/crm")
    assert 'type="password"' in form
    page = desk.does("hooks/new/crm", name="Second", **{"s-name": "second", "s-key": "hidden away"})
    assert "It works." in page
    assert "set, never shown" in page
    assert "hidden away" not in page


def test_the_page_sees_what_chatwoots_form_refuses(desk):
    desk.does("sources/new", kind="chatwoot", base_url="http://127.0.0.1:3000", name="Chat")
    page = desk.does("sources/new", kind="chatwoot", base_url="http://127.0.0.1:3000", name="")
    assert "<h1>Chatwoot</h1>" in page
    page = desk.page("sources/2")
    assert "Please enter a valid URL" in page
    assert "curl -sS http://127.0.0.1:3000/api/v1/accounts/ACCOUNT/webhooks" in page
    assert "cookies" in page
    assert "Please enter a valid URL" not in desk.page("sources/1"), "no Chatwoot"


def hook_count(web) -> int:
    with web.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Hook)) or 0


@pytest.fixture
def fussy(monkeypatch):
    """The CRM accepts one key only."""

    def run(service):
        if service.context.settings.get("key") != "the right one":
            raise SetupFailed("The key is wrong.", field="key")
        return SetupResult("It works.")

    monkeypatch.setattr(Setup, "run", run)


def test_what_fails_is_not_saved_and_what_was_typed_is_kept(desk, web, fussy):
    """A mistake in one field: the secret in the other need not be typed again, and never comes
    back to the browser. Reloading makes nothing."""
    path = "hooks/new/crm"
    entered = {"name": "Second", "s-name": "second", "s-key": "hidden away"}
    tried = desk.person.post(desk.path(path), **entered)
    assert (tried.status_code, tried.headers["Location"]) == (303, desk.path(path))
    for _ in range(2):
        page = desk.page(path)
        assert "The key is wrong." in page
        assert re.search(r'id="f-s-key"[^>]*autofocus aria-invalid=', page)
        assert 'value="second"' in page
        assert "hidden away" not in page
    assert hook_count(web) == 1
    monkey = {**entered, "s-name": "third", "s-key": ""}
    assert "The key is wrong." in desk.does(path, **monkey)
    page = desk.does(path, **{**monkey, "s-key": "the right one"})
    assert "It works." in page
    assert hook_count(web) == 2
    assert "The key is wrong." not in desk.page(path), "the draft is gone"


def test_a_wrong_value_does_not_stop_what_works(desk, fussy):
    path = f"hooks/{desk.world.hook.id}/edit"
    desk.does(path, **{"s-name": "a", "s-key": "the right one", "version": desk.hook().version})
    before = desk.hook()
    page = desk.does(path, **{"s-name": "b", "s-key": "a wrong one", "version": before.version})
    assert "what worked stays in force" in page
    now = desk.hook()
    assert (now.status, now.version, now.settings) == (
        before.status,
        before.version,
        before.settings,
    )
    assert now.secrets == {"key": "the right one"}
    assert "The key is wrong." in desk.page(path)
    page = desk.does(path, drop="1")
    assert "The key is wrong." not in page
    assert 'value="a"' in page


def test_an_optional_secret_that_was_typed_can_be_taken_back(desk, fussy):
    path = "hooks/new/crm"
    page = desk.does(path, **{"s-name": "second", "s-key": "not needed"})
    assert 'name="clear-key"' in page
    page = desk.does(path, **{"s-name": "second", "s-key": "", "clear-key": "true"})
    assert 'name="clear-key"' not in page


def test_settings_that_can_be_passed_over_are_folded_away(web):
    class Settings(SettingsSchema):
        key = secret("Key", required=True)
        more = text("More", group="More")
        needed = text("Needed", group="Needed", required=True)

    plugin = make_plugin(Crm(), settings=Settings)

    def folded(values: dict[str, str], wrong: dict[str, list[str]]) -> set[str]:
        with web.test_request_context():
            groups = forms.groups(plugin, values, wrong, ["key"])
        return {group.title for group in groups[1:] if not group.open}

    assert folded({}, {}) == {"More"}
    assert folded({"needed": "y"}, {}) == {"More", "Needed"}
    assert folded({"needed": "y"}, {"more": ["It is wrong."]}) == {"Needed"}


def test_a_draft_is_of_its_sign_in_and_secret(desk, web, fussy):
    path = "hooks/new/crm"
    desk.does(path, **{"s-name": "second", "s-key": "hidden away"})
    other = member(web, desk.world.account.id, Role.OPERATOR, "other@example.com")
    assert "The key is wrong." not in other.page(desk.path(path))
    redis = web.extensions["hub.redis"]
    (key,) = redis.keys("{hub}:draft:*")
    assert b"hidden away" not in redis.get(key)
    assert 0 < redis.ttl(key) <= 1_800


def test_it_is_saved_untested_where_somebody_wants_that(desk, web, fussy):
    entered = {"s-name": "second", "s-key": "hidden away"}
    assert "Save it untested" in desk.does("hooks/new/crm", **entered)
    desk.does("hooks/new/crm", **{**entered, "s-key": ""}, anyway="1")
    with web.app_context(), reading() as session:
        newest = session.scalars(select(Hook).order_by(Hook.id.desc())).first()
        assert (newest.status, newest.secrets) == (
            HookStatus.NEEDS_ATTENTION,
            {"key": "hidden away"},
        )


def test_a_secret_stays_when_its_field_is_empty(desk):
    path = f"hooks/{desk.world.hook.id}/edit"
    desk.does(path, **{"s-name": "a", "s-key": "hidden away", "version": desk.hook().version})
    assert "hidden away" not in desk.page(path)
    desk.does(path, **{"s-name": "b", "s-key": "", "version": desk.hook().version})
    assert desk.hook().secrets == {"key": "hidden away"}
    assert desk.hook().settings["name"] == "b"
    changes = [entry for entry in desk.audited() if entry[0] == "hook.updated"]
    assert any(after.get("secrets") == "changed" for _, _, after in changes)
    assert "hidden away" not in str(desk.audited())
    assert "hidden away" not in desk.page("audit")


def test_an_optional_secret_can_be_taken_away(desk):
    path = f"hooks/{desk.world.hook.id}/edit"
    assert "clear-key" not in desk.page(path)
    desk.does(path, **{"s-name": "a", "s-key": "hidden away", "version": desk.hook().version})
    assert 'name="clear-key"' in desk.page(path)
    fields = {"s-name": "a", "s-key": "", "clear-key": "true"}
    assert "not set" in desk.does(path, **fields, version=desk.hook().version)
    assert desk.hook().secrets == {}
    # What is typed counts more than the box.
    fields["s-key"] = "another"
    desk.does(path, **fields, version=desk.hook().version)
    assert desk.hook().secrets == {"key": "another"}


def test_two_who_change_a_hook_at_once(desk):
    path = f"hooks/{desk.world.hook.id}/edit"
    version = desk.hook().version
    desk.does(path, **{"s-name": "first", "version": version})
    late = desk.does(path, **{"s-name": "second", "version": version})
    assert "Somebody else has changed this hook" in late
    assert desk.hook().settings["name"] == "first"


def test_pause_and_resume(desk):
    path = f"hooks/{desk.world.hook.id}"
    assert desk.person.post(desk.path(f"{path}/pause"), reason=" ").status_code == 409
    desk.does(f"{path}/pause", reason="It is being moved.")
    assert desk.hook().status == HookStatus.PAUSED
    assert "It is being moved." in desk.page(path)
    assert "It works." in desk.does(f"{path}/resume")
    assert desk.hook().status == HookStatus.ACTIVE


def test_how_a_test_went_is_shown_once_on_the_connections_page(desk, fussy):
    """The page of the deed itself could not be looked at again: each look would test anew."""
    path = f"hooks/{desk.world.hook.id}"
    answer = desk.person.post(desk.path(f"{path}/test"))
    assert (answer.status_code, answer.headers["Location"]) == (303, desk.path(path))
    live = desk.person.get(desk.path(path), headers={"X-Live": "1"}).text
    assert "Test of the connection" in live
    page = desk.page(path)
    assert "Test of the connection" in page
    assert "The key is wrong." in page
    assert "Test of the connection" not in desk.page(path)


def test_off_and_on_and_gone(desk, web):
    path = f"hooks/{desk.world.hook.id}"
    desk.does(f"{path}/disable")
    assert not desk.hook().enabled
    desk.does(f"{path}/enable")
    assert desk.hook().enabled
    desk.does(f"{path}/limits", name="Mine", concurrency="3", calls_per_second="")
    assert (desk.hook().name, desk.hook().concurrency) == ("Mine", 3)
    assert desk.person.post(desk.path(f"{path}/limits"), concurrency="-1").status_code == 409
    desk.does(f"{path}/delete")
    assert desk.person.get(desk.path(path)).status_code == 404
    assert desk.audited()[-1][0] == "hook.deleted"


def test_a_circuit_breaker_is_probed(desk, web):
    away = Breaker(
        hook_id=desk.world.hook.id,
        state=BreakerState.OPEN,
        reason="The CRM is away.",
        retry_at=datetime(2099, 1, 1, tzinfo=UTC),
    )
    with web.app_context():
        in_transaction(lambda session: session.add(away))
    assert "The CRM is away." in desk.page("queues")
    assert "Probe now" in desk.page("queues")
    desk.does(f"hooks/{desk.world.hook.id}/probe")
    with web.app_context(), reading() as session:
        assert session.get_one(Breaker, desk.world.hook.id).retry_at < datetime.now(UTC)


def test_the_quarantine_is_emptied(desk, web):
    with web.app_context():
        body = b'{"event": "contact.created", "nonsense": true}'
        request = Request({"content-type": "application/json"}, body, datetime.now(UTC))
        for _ in range(2):
            in_transaction(
                lambda s: quarantine.hold(
                    s, desk.world.source, request, Refused(400, "bad", "It is not right.")
                )
            )
        with reading() as session:
            first = session.scalars(select(QuarantinedRequest.id)).first()
    assert "It is not right." in desk.page("quarantine")
    page = desk.does(f"quarantine/{first}/release")
    assert re.search(r'class="notice bad"[^>]*>1 request is held still', page)
    page = desk.does(f"sources/{desk.world.source.id}/release")
    assert "2 requests are held still." in page
    desk.does(f"quarantine/{first}/discard")
    with web.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(QuarantinedRequest)) == 1
    assert [entry[0] for entry in desk.audited()][-3:] == [
        "request.released",
        "requests.released",
        "request.discarded",
    ]


def test_requests_that_are_released_are_all_accounted_for(desk, web):
    body = b"""{"event": "contact.created", "id": "1", "occurred_at": "2026-07-14T12:00:00Z",
        "contact": {"id": "7", "name": "Ann"}}"""
    request = Request({"content-type": "application/json"}, body, datetime.now(UTC))
    desk.does(f"sources/{desk.world.source.id}", name="Code", allow_unsigned="true")
    with web.app_context():
        for _ in range(2):
            refusal = Refused(401, "bad", "The signature is wrong.")
            in_transaction(
                lambda s, why=refusal: quarantine.hold(s, desk.world.source, request, why)
            )
    page = desk.does(f"sources/{desk.world.source.id}/release")
    assert "1 request was accepted." in page
    assert "1 request brought nothing new." in page


def test_sources_are_changed_and_deleted(desk, web):
    path = f"sources/{desk.world.source.id}"
    desk.does(path, name="Desk", base_url="https://chat.example.com/", allow_unsigned="true")
    with web.app_context(), reading() as session:
        source = session.get_one(Source, desk.world.source.id)
    assert (source.name, source.base_url, source.allow_unsigned) == (
        "Desk",
        "https://chat.example.com",
        True,
    )
    assert desk.person.post(desk.path(path), base_url="ftp://x").status_code == 409
    desk.does(f"{path}/disable")
    assert "This source is off" in desk.page(path)
    desk.happens()
    assert desk.person.post(desk.path(f"{path}/delete")).status_code == 409
    desk.work()
    desk.does(f"{path}/delete")
    assert desk.person.get(desk.path(path)).status_code == 404


def test_members_and_tokens(desk, web):
    page = desk.person.post(desk.path("members/invite"), role="viewer").text
    link = re.search(r'value="(http[^"]+/invitation/[^"]+)"', page)[1]
    viewer = Person(web).sign_up(link, "vera@example.com", "Vera")
    assert "Vera" in desk.page("members")
    with web.app_context(), reading() as session:
        vera = session.scalar(select(User.id).where(User.email == "vera@example.com"))
        owner = session.scalar(select(User.id).where(User.email.like("owner%")))
    desk.does(f"members/{vera}/role", role="operator")
    viewer.page(desk.path("hooks/new/crm"))
    assert desk.person.post(desk.path(f"members/{owner}/remove")).status_code == 409
    desk.does(f"members/{vera}/remove")
    assert viewer.get(desk.path()).status_code == 404
    made = desk.person.post(desk.path("tokens"), name="CI", scopes=["look"], days="30").text
    secret = re.search(r'value="(hub_[^"]+)"', made)[1]
    assert secret not in desk.page("tokens")
    assert "CI" in desk.page("tokens")
    assert desk.person.post(desk.path("tokens"), name="CI", scopes=["fly"]).status_code == 400
    for days in ("-5", "1.5", "abc", "999999"):
        refused = desk.person.post(desk.path("tokens"), name="CI", scopes=["look"], days=days)
        assert refused.status_code == 400, days
    assert {"member.created", "invitation.created"} <= {entry[0] for entry in desk.audited()}


def test_the_account_itself(desk):
    desk.does("settings", name="New name", default_region="fr", features="beta alpha beta")
    page = desk.page("settings")
    assert "New name" in page
    assert 'value="FR"' in page
    assert 'value="alpha beta"' in page
    bad = desk.person.post(desk.path("settings"), name="X", default_region="ZZ")
    assert bad.status_code == 400
    assert "ZZ is not a two-letter country code" in bad.text
    assert desk.person.post(desk.path("delete")).status_code == 409


def test_languages_and_zones(desk):
    desk.person.does("/profile", name="Ana", language="fr", timezone="Asia/Tokyo", theme="dark")
    page = desk.page()
    assert '<html lang="fr" data-theme="dark">' in page
    assert "Ana" in page
    bad = desk.person.post("/profile", name="Ana", timezone="Mars/Olympus")
    assert bad.status_code == 400
    visitor = Person(desk.app)
    german_or_spanish = {"Accept-Language": "de, es-MX;q=0.8, en;q=0.5"}
    assert '<html lang="es"' in visitor.get("/sign-in", headers=german_or_spanish).text
    visitor.does("/language", language="pt_BR", next="/sign-in")
    assert '<html lang="pt-BR"' in visitor.page("/sign-in")


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("zone", "name"), [("", "UTC"), ("Asia/Tokyo", "JST")])
def test_every_time_says_its_zone(desk, zone, name):
    desk.person.does("/profile", name="Ana", timezone=zone)
    delivery = desk.happens()
    desk.work()
    for path in ("deliveries", "events", f"deliveries/{delivery}"):
        page = desk.page(path)
        times = re.findall(r"\d{1,2}:\d\d:\d\d\s[AP]M([^<\"]*)", page)
        assert times, path
        assert {text.strip()[:3] for text in times} == {name}, path
    for path, said in (("", f"({name})</small>"), ("deliveries", f"From ({name})")):
        assert said in desk.page(path)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_country_is_chosen_by_its_name(desk):
    """Typed into a field of two letters, Germany became GE, which is Georgia."""
    page = desk.page("settings")
    assert re.search(r'<select [^>]*name="default_region"', page)
    named = dict(re.findall(r'<option value="([A-Z]*)"[^>]*>([^<]+)<', page))
    assert (named["DE"], named["GE"]) == ("Germany", "Georgia")
    assert "Germany is not a two-letter country code" in (
        desk.person.post(desk.path("settings"), name="X", default_region="Germany").text
    )
    page = desk.does("settings", name="X", default_region="DE")
    assert re.search(r'<option value="DE" selected>', page)


def test_an_administrator_looks_after_users(desk, web):
    root = Person(web)
    root.sign_in("root@example.com")
    page = root.post("/users/invite", email="new@example.com").text
    link = re.search(r'value="(http[^"]+/invitation/[^"]+)"', page)[1]
    Person(web).sign_up(link, "", "New")
    with web.app_context(), reading() as session:
        new = session.scalar(select(User.id).where(User.email == "new@example.com"))
        first = session.scalar(select(User.id).where(User.email == "root@example.com"))
    assert root.post(f"/users/{first}/remove").status_code == 409, "the last administrator"
    root.does(f"/users/{new}/administrator", administrator="true")
    assert "Link" in root.post(f"/users/{new}/password").text
    root.does(f"/users/{new}/remove")
    assert "new@example.com" not in root.page("/users")
    assert "user.deleted" in root.page("/audit")
