"""Conversations as a real Chatwoot sends them, beside a hand-written client with the same calls.

Each webhook comes over a connection of its own; each person has an email and a phone number, and
is new. ``traffic_opening`` is what makes a ticket, ``traffic`` the whole conversation.

``HUB_BENCH_BEFORE`` names the Python of an older checkout's virtual environment; its figures are
called ``before.…``, and both are measured in turns.
"""

from __future__ import annotations

import http.client
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

from benchmarks import ideal, postgres, webhooks
from benchmarks.checkout import Checkout, checkout
from benchmarks.conversations import Customer
from benchmarks.figures import Figures
from benchmarks.ideal import Person
from benchmarks.installation import Glpi, free_port, simulated_glpi, wait_for
from benchmarks.load import Refused

SERVICE_TIME = 0.020
_LANES = (8, 32)
_ROUNDS = 5
#: Conversations of a round, by what is sent of each.
_CONVERSATIONS = {"traffic_opening": 200, "traffic": 60}
#: Conversations that are sent at once, each webhook after the answer to the one before.
_SENDERS = 8
#: Conversations a second at a calm rate, and how many.
_CALM, _CALM_CONVERSATIONS = 2.0, 40
_context = multiprocessing.get_context("spawn")
_numbers = itertools.count(1)


def measure(figures: Figures, quick: bool) -> None:
    """Both databases, both numbers of lanes, this version and the one before in turns."""
    pythons = {"": Path(sys.executable)}
    if "HUB_BENCH_BEFORE" in os.environ:
        pythons["before."] = Path(os.environ["HUB_BENCH_BEFORE"])
    for database in ("sqlite", "postgresql") if postgres.is_here() else ("sqlite",):
        with ExitStack() as stack:
            glpi = stack.enter_context(simulated_glpi(SERVICE_TIME))
            hubs: dict[str, Checkout] = {}
            for prefix, python in pythons.items():
                url = "" if database == "sqlite" else stack.enter_context(postgres.database())
                hubs[prefix] = stack.enter_context(checkout(python, glpi, url))
            for lanes in _LANES:
                for what, number in _CONVERSATIONS.items():
                    _compare(
                        figures, hubs, glpi, database, lanes, what, number // (4 if quick else 1)
                    )
            for prefix, hub in hubs.items():
                name = f"{prefix}traffic_opening.{database}"
                waited = _calm(hub, glpi)
                figures.note(f"{name}.first_message_to_ticket_ms_p50", waited)
                if not prefix:  # the version before knew no such wait
                    at_once = _calm(hub, glpi, "order.patience=0")
                    figures.note(f"{name}.patience_ms", waited - at_once)


def _compare(
    figures: Figures,
    hubs: Mapping[str, Checkout],
    glpi: Glpi,
    database: str,
    lanes: int,
    what: str,
    number: int,
) -> None:
    """Five rounds, in turns; the hand-written client is measured in each."""
    rates: dict[str, list[float]] = {prefix: [] for prefix in hubs}
    cpu: dict[str, list[Mapping[str, float]]] = {prefix: [] for prefix in hubs}
    calls: dict[str, list[float]] = {prefix: [] for prefix in hubs}
    by_hands: list[float] = []
    for _ in range(_ROUNDS):
        glpi.reset()
        by_hands.append(_by_hand(glpi, what, number, lanes))
        figures.note(f"{what}.{database}.{lanes}.calls_by_hand", glpi.calls() / number)
        for prefix, hub in hubs.items():
            glpi.reset()
            hub.start(lanes)
            _deliver(hub, what, 2 * lanes)
            glpi_before, before = glpi.calls(), hub.cpu_seconds()
            rates[prefix].append(number / _deliver(hub, what, number))
            after = hub.cpu_seconds()
            cpu[prefix].append({kind: after[kind] - before.get(kind, 0.0) for kind in after})
            calls[prefix].append((glpi.calls() - glpi_before) / number)
            memory = hub.memory() / 1024**2
            hub.stop()
            figures.note(f"{prefix}{what}.{database}.{lanes}.installation_rss_mb", memory)
    for prefix in hubs:
        name = f"{prefix}{what}.{database}.{lanes}"
        figures.note(f"{name}.conversations_per_second", *rates[prefix])
        figures.note_ratio(f"{name}.ratio_to_hand_written", rates[prefix], by_hands)
        figures.note(f"{name}.calls_per_conversation", *calls[prefix])
        each = [
            {kind: seconds / number * 1000 for kind, seconds in one.items()} for one in cpu[prefix]
        ]
        figures.note(f"{name}.cpu_ms", *(sum(one.values()) for one in each))
        for kind in sorted({kind for one in each for kind in one}):
            figures.note(f"{name}.cpu_ms_by_process.{kind}", *(one.get(kind, 0.0) for one in each))
    figures.note(f"{what}.{database}.{lanes}.by_hand_per_second", *by_hands)


def _deliver(hub: Checkout, what: str, number: int) -> float:
    """Send so many conversations; returns the seconds until the last delivery."""
    last = hub.last_event()
    began = send(hub.port, hub.path, what, _strangers(number))
    hub.wait_until_delivered()
    return max(finished for _, _, finished in hub.deliveries(last)) - began


def _by_hand(glpi: Glpi, what: str, number: int, lanes: int) -> float:
    """Conversations a second of the hand-written client, while the webhooks are answered by a view
    that does nothing."""
    whole = what == "traffic"
    people = [
        Person(f"by.hand.{place}@example.com", f"+4915{place:09d}", 2 if whole else 0, whole)
        for place in range(number)
    ]
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare_flask", "--port", str(port)]
    path = "/webhooks/chatwoot/token"
    view = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: requests.post(f"http://127.0.0.1:{port}{path}", timeout=5).ok)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send, port, path, what, _strangers(number))
            seconds = ideal.deliver(glpi.url, people, lanes)
            sending.result()
    finally:
        view.terminate()
        view.wait(30)
    return number / seconds


def _strangers(number: int) -> range:
    """So many customers' numbers that were never given before."""
    first = next(_numbers)
    for _ in range(number):
        last = next(_numbers)
    return range(first, last)


def _calm(hub: Checkout, glpi: Glpi, policy: str = "") -> float:
    """The median from the webhook of a first message to its ticket, in milliseconds, at a rate at
    which nothing waits for anything else."""
    glpi.reset()
    hub.start(8, policy)
    last = hub.last_event()
    send(hub.port, hub.path, "traffic_opening", _strangers(_CALM_CONVERSATIONS), rate=_CALM)
    hub.wait_until_delivered()
    hub.stop()
    return 1000 * statistics.median(
        finished - received
        for event, received, finished in hub.deliveries(last)
        if event == "message.created"
    )


def send(port: int, path: str, what: str, customers: range, rate: float | None = None) -> float:
    """Send the conversations of these customers from a process of its own; returns when the first
    went, in unix seconds. Each webhook has a new connection, as Chatwoot's have."""
    with ProcessPoolExecutor(1, mp_context=_context) as pool:
        return pool.submit(_send, port, path, what, customers, rate).result()


def _send(port: int, path: str, what: str, customers: range, rate: float | None) -> float:
    waiting = deque(enumerate(customers))
    began = time.time()

    def one_after_the_other() -> None:
        while True:
            try:
                place, number = waiting.popleft()
            except IndexError:
                return
            if rate is not None:
                time.sleep(max(0.0, began + place / rate - time.time()))
            customer = Customer(number)
            for body in customer.opening() if what == "traffic_opening" else customer.whole():
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", path, body, webhooks.headers(body))
                answer = connection.getresponse()
                answer.read()
                if answer.status not in (200, 202):
                    raise Refused(f"{answer.status}")
                connection.close()

    with ThreadPoolExecutor(_SENDERS) as pool:
        for done in [pool.submit(one_after_the_other) for _ in range(_SENDERS)]:
            done.result()
    return began
