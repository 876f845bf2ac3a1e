"""A person who has never seen the hub connects Chatwoot to GLPI, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from hub.sdk.testing import payloads
from tests.support.browser import LOOKS, browser, watched
from tests.support.installation import SECRET, RunningHub
from tests.support.people import PASSWORD

SCREENSHOTS = Path("build/screenshots")
#: Milliseconds within which a page must show by itself what has happened.
SOON = 20_000


@dataclass
class Scene:
    """A hub, a browser, and what was found out on the way."""

    hub: RunningHub
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    owner: Any = None
    viewer: Any = None
    account: str = ""
    dead: str = ""
    looks: dict[tuple[str, bool], Page] = field(default_factory=dict)

    def page(self, state: Any = None, **options: Any) -> Page:
        context = self.browser.new_context(
            storage_state=state, base_url=self.hub.url, **{**LOOKS["light"], **options}
        )
        page = context.new_page()
        self.complaints += watched(page)
        return page

    def looked_at(self, look: str, *, signed_in: bool) -> Page:
        """The page that shows everything in this look, one after the other."""
        if (look, signed_in) not in self.looks:
            state = self.owner if signed_in else None
            self.looks[look, signed_in] = self.page(state, **LOOKS[look])
        return self.looks[look, signed_in]

    def path(self, rest: str) -> str:
        return f"{self.account}{rest}"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The whole way, walked once; the tests look at it from all sides."""
    with browser() as running, RunningHub(tmp_path_factory.mktemp("hub")) as hub:
        hub.start_glpi("--service-time", "10")
        hub.start()
        scene = Scene(hub, running)
        page = scene.page()
        sign_up(scene, page)
        connect_chatwoot(scene, page)
        connect_glpi(scene, page)
        repair(scene, page)
        scene.owner = page.context.storage_state()
        invite_a_viewer(scene, page)
        yield scene


def sign_up(scene: Scene, page: Page) -> None:
    """The first link, the first login, the first account."""
    link = re.search(r"http\S+/invitation/\S+", scene.hub.story())
    assert link is not None, scene.hub.story()
    page.goto(link[0])
    page.get_by_label("Email").fill("ana@example.com")
    page.get_by_label("Name").fill("Ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="New account").first.click()
    page.get_by_label("Name").fill("Acme Support")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("No events can arrive yet: connect Chatwoot.")).to_be_visible()
    scene.account = re.sub(r"^https?://[^/]+", "", page.url)


def connect_chatwoot(scene: Scene, page: Page) -> None:
    """The guided page turns green by itself."""
    page.get_by_role("link", name="Connect Chatwoot").click()
    page.get_by_label("Address of your Chatwoot").fill("https://chat.example.com")
    page.get_by_role("button", name="Continue").click()
    scene.hub.webhook = page.get_by_label("Webhook address").input_value()
    page.get_by_label("Signing secret").fill(SECRET)
    page.get_by_role("button", name="Save the secret").click()
    expect(page.get_by_role("heading", name="Waiting for the first event")).to_be_visible()
    assert scene.hub.send(payloads.raw("contact_created_full")).status_code == 202
    expect(page.get_by_role("heading", name="Events arrive")).to_be_visible(timeout=SOON)


def connect_glpi(scene: Scene, page: Page) -> None:
    """A wrong token first: the sentence says what is wrong, and it is mended."""
    page.get_by_role("link", name="Catalogue").click()
    page.get_by_role("link", name="Connect GLPI").click()
    page.get_by_label("API address").fill(scene.hub.glpi_url)
    page.get_by_label("App token").fill("simulator-app-token")
    page.get_by_label("User token").fill("a wrong one")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_label("User token")).to_be_focused()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "connection-failed.png")
    expect(page.locator("#p-s-user_token")).to_be_in_viewport()
    page.reload()
    assert "a wrong one" not in page.content()
    # The app token was right, and is kept.
    page.get_by_label("User token").fill("simulator-user-token")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("is ready: tickets go to").first).to_be_visible()
    expect(page.get_by_text("active").first).to_be_visible()
    assert "simulator-user-token" not in page.content()


def repair(scene: Scene, page: Page) -> None:
    """A delivery fails; it is found from the home page, understood, and replayed."""
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("Everything is working.")).to_be_visible(timeout=SOON)
    fault = {
        "kind": "status",
        "status": 400,
        "method": "POST",
        "path": "/Ticket$",
        "body": '["ERROR_GLPI_ADD", "The category is mandatory"]',
        "content_type": "application/json; charset=UTF-8",
    }
    requests.post(f"{scene.hub.glpi_url}/__simulator__/faults", json=fault, timeout=120)
    name = "conversation_created_widget_with_message"
    assert scene.hub.send(payloads.raw(name)).status_code == 202
    expect(page.get_by_text("1 delivery failed for good")).to_be_visible(timeout=SOON)
    page.get_by_role("link", name="View", exact=True).click()
    page.get_by_role("link", name="Conversation started").click()
    expect(page.get_by_text("The category is mandatory").first).to_be_visible()
    scene.dead = re.sub(r"^https?://[^/]+", "", page.url)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Attempt 3: done")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("link", name="Open it in GLPI")).to_be_visible()


def invite_a_viewer(scene: Scene, page: Page) -> None:
    """Somebody who may look."""
    page.goto(scene.path("members"))
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    theirs = scene.page()
    theirs.goto(link)
    theirs.get_by_label("Email").fill("vera@example.com")
    theirs.get_by_label("Name").fill("Vera")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Continue").click()
    expect(theirs.get_by_role("heading", name="Acme Support")).to_be_visible()
    scene.viewer = theirs.context.storage_state()


PAGES = {
    "accounts": "/accounts",
    "profile": "/profile",
    "users": "/users",
    "home": "",
    "deliveries": "deliveries",
    "delivery": "DELIVERY",
    "events": "events",
    "event": "events/1",
    "records": "records?contact=501",
    "connections": "hooks",
    "connection": "hooks/1",
    "connection-form": "hooks/1/edit",
    "sources": "sources",
    "source": "sources/1",
    "source-form": "sources/new",
    "catalogue": "catalogue",
    "queues": "queues",
    "quarantine": "quarantine",
    "members": "members",
    "tokens": "tokens",
    "audit": "audit",
    "settings": "settings",
    "sign-in": "/sign-in",
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_in_every_look(scene, name):
    """Screenshots to look at; nothing scrolls sideways; axe finds nothing serious."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    rest = PAGES[name]
    path = scene.dead if rest == "DELIVERY" else rest if rest.startswith("/") else scene.path(rest)
    for look, options in LOOKS.items():
        page = scene.looked_at(look, signed_in=name != "sign-in")
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= options["viewport"]["width"], f"{look}: the page scrolls sideways"
        found = Axe().run(page).response["violations"]
        serious = [
            (one["id"], [node["html"][:200] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], look


def test_the_pages_complain_of_nothing(scene):
    assert scene.complaints == []


def test_a_viewer_looks_but_does_not_touch(scene):
    page = scene.page(scene.viewer)
    page.goto(scene.dead)
    expect(page.get_by_text("Attempt 3: done")).to_be_visible()
    assert page.get_by_role("button", name="Replay").count() == 0
    page.goto(scene.path("hooks/1"))
    assert page.get_by_role("link", name="Change settings").count() == 0
    assert page.goto(scene.path("hooks/1/edit")).status == 403
    expect(
        page.get_by_text("You can see this account, but you cannot change this.")
    ).to_be_visible()
    assert page.goto(scene.path("members")).status == 403


def test_the_keyboard_is_enough(scene):
    page = scene.page(scene.owner)
    page.goto(scene.path(""))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    menu = page.locator("details.person > summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).not_to_be_visible()
    expect(menu).to_be_focused()


def test_a_live_page_leaves_the_focus_where_it_is(scene):
    page = scene.page(scene.owner)
    page.goto(scene.path(""))
    link = page.locator("#standing .card a").first
    link.focus()
    # The next round finds a difference, and comes at once.
    page.evaluate("""() => {
        document.getElementById("standing").insertAdjacentHTML("beforeend", "<i id=old></i>");
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    expect(page.locator("#old")).to_have_count(0, timeout=SOON)
    expect(link).to_be_focused()


def test_javascript_is_not_needed(scene):
    page = scene.page(scene.owner, java_script_enabled=False)
    page.goto(scene.path("deliveries"))
    page.get_by_label("Contact, or text of the outcome").fill("okafor")
    page.get_by_role("button", name="Search").click()
    assert page.get_by_role("row").count() > 1
    page.goto(scene.dead)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("The delivery is tried again at once.")).to_be_visible()


def test_the_dashboard_speaks_the_browsers_language(scene):
    page = scene.page(locale="fr-FR")
    page.goto("/sign-in")
    assert page.locator("html").get_attribute("lang") == "fr"
