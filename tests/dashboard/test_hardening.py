"""What browsers are told, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from hub.app import create_web_app
from hub.database import db
from hub.plugins import Registry
from tests.support.people import Person, administrator


@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/no/such/page", "/static/hub.css"])
def test_every_answer_carries_the_headers(web, path):
    headers = Person(web).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_not_kept_by_browsers_but_assets_are(web):
    assert Person(web).get("/sign-in").headers["Cache-Control"] == "no-store"
    assert "no-store" not in Person(web).get("/static/hub.css").headers["Cache-Control"]


def test_behind_https_the_cookie_stays_there(config):
    secure = dataclasses.replace(config, public_url="https://hub.example.com")
    app = create_web_app(secure, Registry({}, ()))
    answer = app.test_client().get("/sign-in", base_url="https://hub.example.com")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-hub=")
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert answer.headers["Strict-Transport-Security"]
    with app.app_context():
        db.engine.dispose()


def test_a_form_without_its_token_is_refused(web):
    person = administrator(web)
    answer = person.client.post("/accounts/new", data={"name": "Forged"})
    assert answer.status_code == 400
    assert "This form is too old" in answer.text
    assert "Forged" not in person.page("/accounts")


def test_a_huge_form_is_refused(web):
    person = administrator(web)
    assert person.post("/accounts/new", name="x" * 300_000).status_code == 413


def test_a_proxy_is_believed_only_where_there_is_one(config):
    for proxies, address in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        app = create_web_app(dataclasses.replace(config, proxies=proxies), Registry({}, ()))
        seen = []
        app.add_url_rule(
            "/who",
            "who",
            lambda seen=seen: seen.append(__import__("flask").request.remote_addr) or "",
        )
        app.test_client().get("/who", headers={"X-Forwarded-For": "203.0.113.9"})
        assert seen == [address]
        with app.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("before", ["-1", "x", "1e9", "9" * 40])
def test_a_cursor_that_is_none_is_refused(web, before):
    person = administrator(web)
    account = person.post("/accounts/new", name="Acme").location
    assert person.get(f"{account}deliveries?before={before}").status_code == 400


def test_errors_tell_no_inner_story(web, monkeypatch):
    person = administrator(web)
    monkeypatch.setattr("hub.dashboard.views.profile.zoneinfo", None)
    answer = person.get("/profile")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "AttributeError" not in answer.text


@pytest.mark.parametrize(
    ("proxies", "address", "headers", "status"),
    [
        (0, "127.0.0.1", {}, 200),
        (0, "10.1.2.3", {}, 200),
        (0, "93.184.216.34", {}, 403),
        (0, "127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 403),
        (0, "127.0.0.1", {"Forwarded": "for=10.1.2.3"}, 403),
        (1, "127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 200),
        (1, "127.0.0.1", {"X-Forwarded-For": "93.184.216.34"}, 403),
        (1, "127.0.0.1", {"X-Forwarded-For": "10.1.2.3, 93.184.216.34"}, 403),
    ],
)
@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_figures_of_all_accounts_are_for_who_asks_from_inside(
    config, proxies, address, headers, status
):
    app = create_web_app(dataclasses.replace(config, proxies=proxies), Registry({}, ()))
    answer = app.test_client().get(
        "/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}
    )
    assert answer.status_code == status
    assert ("hub_deliveries" in answer.text) is (status == 200)
    with app.app_context():
        db.engine.dispose()
