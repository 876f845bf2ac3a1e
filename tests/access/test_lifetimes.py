"""How long what lets a person in is good: the policy decides, and pages tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.app import create_web_app
from hub.database import reading
from hub.models import Invitation, UserSession
from hub.plugins import Registry
from hub.policy import LifetimePolicy, Policies
from tests.conftest import CHEAP
from tests.support.people import Person, administrator
from tests.support.web_apps import close

SHORT = (
    "lifetime.idle=600 lifetime.session=86400 lifetime.link=7200 lifetime.device=1200 "
    "lifetime.form=240 lifetime.draft=60"
)


@pytest.fixture
def app(config):
    policies = Policies.from_text(f"{CHEAP} {SHORT}")
    app = create_web_app(replace(config, policies=policies), Registry({}, ()))
    yield app
    close(app)


def test_lifetimes_are_what_the_policy_says(app):
    root = administrator(app)
    page = root.post("/users/invite", email="new@example.com").text
    assert "It works once, within 2 hr, and is not shown again." in page
    answer = Person(app).sign_in("root@example.com")
    cookies = {one.partition("=")[0]: one for one in answer.headers.getlist("Set-Cookie")}
    assert "Max-Age=1200" in cookies["hub-device"]
    assert app.permanent_session_lifetime == timedelta(seconds=600)
    assert app.config["WTF_CSRF_TIME_LIMIT"] == 240
    with app.app_context(), reading() as session:
        link = session.scalars(select(Invitation).order_by(Invitation.id.desc())).first()
        assert link.expires_at - link.created_at == timedelta(hours=2)
        begun = session.scalars(select(UserSession).order_by(UserSession.id.desc())).first()
        assert begun.expires_at - begun.created_at == timedelta(seconds=600)


def test_what_is_not_set_stays_as_it_was():
    assert LifetimePolicy() == LifetimePolicy(
        idle=timedelta(days=14),
        session=timedelta(days=90),
        link=timedelta(days=3),
        device=timedelta(days=365),
        form=timedelta(hours=12),
        draft=timedelta(minutes=30),
    )
