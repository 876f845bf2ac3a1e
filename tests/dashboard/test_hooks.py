"""Connections: their forms and pages, and what their buttons do."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from hub import services
from hub.dashboard import forms
from hub.database import in_transaction, reading
from hub.models import (
    Breaker,
    BreakerState,
    Hook,
    HookStatus,
    Role,
)
from hub.sdk import (
    SettingsSchema,
    SetupFailed,
    SetupResult,
)
from hub.sdk.settings import secret, text
from tests.support.crm import Crm, Setup, make_plugin
from tests.support.people import member


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


def test_installing_a_plugin(desk, web):
    form = desk.page("hooks/new/crm")
    assert 'type="password"' in form
    page = desk.does("hooks/new/crm", name="Second", **{"s-name": "second", "s-key": "hidden away"})
    assert "It works." in page
    assert "set, never shown" in page
    assert "hidden away" not in page


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
    assert "The old settings stay in use" in page
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
    redis = services.of(web).redis
    (key,) = redis.keys("{hub}:draft:*")
    assert b"hidden away" not in redis.get(key)
    assert 0 < redis.ttl(key) <= 1_800


def test_it_is_saved_untested_where_somebody_wants_that(desk, web, fussy):
    entered = {"s-name": "second", "s-key": "hidden away"}
    assert "Save without testing" in desk.does("hooks/new/crm", **entered)
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
