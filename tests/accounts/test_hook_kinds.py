"""Hooks for one inbox, one or several in an account, and features that plugins ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hub import services
from hub.accounts import accounts, hooks, sources
from hub.database import in_transaction, reading
from hub.errors import Refused
from hub.inbox.accept import Submission, accept
from hub.inbox.sources import Draft
from hub.models import Delivery
from hub.plugins import Registry
from hub.sdk import Contact, Conversation, Event, Source
from tests.support.crm import Crm, make_plugin


def happens(account, name: str, inbox: str | None = None) -> None:
    """Accept one event."""
    source = sources.create(account, "events")
    talk = Conversation("1", inbox_id=inbox) if inbox else None
    now = datetime.now(UTC)
    event = Event(0, name, now, Source(source.id, "events"), Contact("1"), talk)
    submission = Submission(account.id, source.id, [Draft(event, "k", "contact:1")], {}, None, now)
    registry = services.registry()
    in_transaction(lambda session: accept(session, [submission], registry))


def owed() -> list[int]:
    """The hooks that are owed something, one for each delivery."""
    with reading() as session:
        return list(session.scalars(select(Delivery.hook_id).order_by(Delivery.id)))


@pytest.fixture
def installed(make_app):
    """Makes an application with one plugin, entered."""
    contexts = []

    def make(**options):
        context = make_app(make_plugin(Crm(), **options)).app_context()
        context.push()
        contexts.append(context)
        return context.app

    yield make
    for context in reversed(contexts):
        context.pop()


def test_an_inbox_hook_hears_of_its_inbox_only(installed):
    installed(hook_type="inbox")
    account = accounts.create("Acme")
    with pytest.raises(Refused, match="one inbox"):
        hooks.create(account, "crm", {})
    hook, _ = hooks.create(account, "crm", {}, inbox_id="7")
    assert hook.hook_type == "inbox"
    happens(account, "conversation.created", inbox="7")
    happens(account, "conversation.created", inbox="8")
    happens(account, "contact.created")
    assert owed() == [hook.id, hook.id]


def test_an_inbox_hook_without_its_plugin_hears_of_no_other_inbox(installed):
    app = installed()
    account = accounts.create("Acme")
    hook, _ = hooks.create(account, "crm", {}, inbox_id="7")
    with replace(services.of(app), registry=Registry({}, ())).entered():
        happens(account, "conversation.created", inbox="8")
        happens(account, "conversation.created", inbox="7")
    assert owed() == [hook.id]


def test_a_plugin_for_one_hook_an_account_refuses_the_second(installed):
    installed(allow_multiple_hooks=False)
    account, other = accounts.create("Acme"), accounts.create("Other")
    hooks.create(account, "crm", {})
    hooks.create(other, "crm", {})
    with pytest.raises(Refused, match="allows one hook"):
        hooks.create(account, "crm", {}, inbox_id="7")


def test_a_plugin_for_several_hooks_is_owed_by_each(installed):
    installed(allow_multiple_hooks=True)
    account = accounts.create("Acme")
    first, second = (hooks.create(account, "crm", {}, name=name)[0] for name in ("one", "two"))
    happens(account, "contact.created")
    assert owed() == [first.id, second.id]


def test_a_feature_that_is_off_keeps_a_plugin_out(installed):
    installed(feature_flag="crm_sync")
    account = accounts.create("Acme")
    with pytest.raises(Refused, match="needs the feature crm_sync"):
        hooks.create(account, "crm", {})
    accounts.update(account.id, features=["crm_sync"])
    hook, _ = hooks.create(accounts.find(account.id), "crm", {})
    happens(account, "contact.created")
    accounts.update(account.id, features=[])
    happens(account, "contact.created")
    assert owed() == [hook.id]
