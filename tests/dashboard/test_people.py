"""Members, users, the account itself, and how each person reads it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from hub.database import reading
from hub.models import (
    User,
)
from tests.support.people import Person


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
