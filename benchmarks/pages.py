"""The dashboard on a hub with a million stored events: how long each page takes."""

from __future__ import annotations

import re
import time

import requests

from benchmarks import history
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi
from hub.access import invitations
from hub.accounts import accounts

_EVENTS = 1_000_000
_ROUNDS = 15
PAGES = {
    "home": "",
    "deliveries": "deliveries",
    "deliveries_of_a_state": "deliveries?state=dead",
    "deliveries_far_back": "deliveries?before=500000",
    "deliveries_of_a_conversation": "deliveries?conversation=old-50000",
    "deliveries_since_yesterday": "deliveries?begin={yesterday}",
    "delivery": "deliveries/700000",
    "events": "events",
    "records": "records?contact=old-50000",
    "connection": "hooks/1",
    "queues": "queues",
}
#: No index answers these: a page of them looks through 20,000 rows at most.
SEARCHES = {"search_for_a_text": "deliveries?text=nobody"}


def measure(figures: Figures, quick: bool) -> None:
    """Each page some times over HTTP, from `hub web` as shipped."""
    with simulated_glpi() as glpi, installed(glpi) as installation:
        history.write(installation.app, _EVENTS // 10 if quick else _EVENTS)
        installation.start_web()
        browser, home = _sign_in(installation)
        slowest = [_time(figures, browser, home, *page) for page in PAGES.items()]
        figures.note("pages.slowest_ms", max(slowest))
        for page in SEARCHES.items():
            _time(figures, browser, home, *page)


def _time(figures: Figures, browser: requests.Session, home: str, name: str, path: str) -> float:
    """The median of milliseconds."""
    yesterday = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 86_400))
    url = home + path.format(yesterday=yesterday)
    milliseconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        answer = browser.get(url, timeout=60)
        milliseconds.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return figures.note(f"pages.{name}_ms", *milliseconds)


def _sign_in(installation: Installation) -> tuple[requests.Session, str]:
    """A browser of the account's owner, and the address of the account's home page."""
    with installation.app.app_context():
        account = accounts.listed()[0]
        link = invitations.create(administrator=True)
    base = f"http://127.0.0.1:{installation.port}"
    browser = requests.Session()
    page = base + "/" + link.split("/", 3)[3]
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page, timeout=60).text)
    assert token is not None
    person = {"email": "b@example.com", "name": "B", "password": "a sentence of some length"}
    browser.post(page, data={"csrf_token": token[1], **person}, timeout=60).raise_for_status()
    return browser, f"{base}/accounts/{account.id}/"
