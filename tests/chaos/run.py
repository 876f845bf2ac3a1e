"""The chaos run: everything goes wrong while thousands of events pass; the account at the end."""

from __future__ import annotations

import re
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests
from hub_glpi.simulator import GlpiSimulator

from hub.sdk.testing.simulator import Fault
from tests.chaos.disturber import Disturber, RedisServer
from tests.chaos.traffic import EVENTS, Webhook, email, said, webhooks
from tests.support.installation import RunningHub

#: Seconds. Short, so that a pause of a few seconds outlasts both locks.
LEASE = 3.0
POLICY = (
    f"lease.lease={LEASE} lease.renew_below=2 lease.settle=1 "
    "retry.first=0.2 retry.longest=1 breaker.first_probe=0.3 breaker.longest_probe=1"
)
#: One call in ten, over all kinds.
FAULTS = ("status", "throttle", "html", "garbage", "drop_before", "drop_after")
PROBABILITY = 0.10
SENDERS = 8
#: Tries of a webhook that finds no server.
TRIES = 200

Progress = Callable[[int], None]


@dataclass
class Account:
    """What came of it."""

    seed: int
    events: int
    seconds: float
    disturbances: Counter[str]
    calls: int
    faults: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    unsettled: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing doubled, order kept, nothing left to do."""
        return not (self.lost or self.doubled or self.disordered or any(self.unsettled.values()))


def run(
    folder: Path,
    *,
    events: int,
    seed: int,
    at_least: float = 0.0,
    progress: Progress = lambda _: None,
    settle: float = 600.0,
    database_url: str = "",
) -> Account:
    """Send so many events, over at least so many seconds, while everything goes wrong.

    Without ``database_url`` the hub has its own SQLite.
    """
    conversations = list(webhooks(max(1, events // EVENTS)))
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="hub-") as redis_folder,
        GlpiSimulator(service_time=0.005, seed=seed, log_size=1_000_000) as glpi,
    ):
        redis = RedisServer(Path(redis_folder))
        try:
            environment = {
                "HUB_REDIS_URL": redis.url,
                "HUB_POLICY": POLICY,
                "HUB_DATABASE_URL": database_url,
            }
            with RunningHub(folder, fresh=True, **environment) as hub:
                hub.glpi_url = glpi.url
                hub.start("--processes", "4", "--threads", "8")
                hub.connect()
                share = 1 - (1 - PROBABILITY) ** (1 / len(FAULTS))
                for kind in FAULTS:
                    glpi.add_fault(
                        Fault(kind, times=None, probability=share, retry_after="0.2")  # type: ignore[arg-type]
                    )
                disturber = Disturber(hub, redis, seed, lease=LEASE)
                disturber.start()
                pause = max(0.0, at_least - 2.0) / len(conversations) * SENDERS
                _send_all(hub, conversations, pause, progress)
                _wait_in_the_storm(hub, settle)
                disturber.stop()
                faults = _faults_struck(glpi)
                glpi.clear_faults()
                hub.wait(settle)
                status = hub.run("status")
                account = Account(
                    seed,
                    sum(len(told) for told in conversations),
                    time.monotonic() - begun,
                    disturber.done,
                    len(glpi.requests()),
                    faults,
                    unsettled={name: status[name] for name in ("waiting", "running", "dead")},
                )
                examine(account, glpi, len(conversations))
                return account
        finally:
            redis.kill()


def examine(account: Account, glpi: GlpiSimulator, conversations: int) -> None:
    """Compare what stands in GLPI with what was sent."""
    people = Counter(user["name"] for user in glpi.users())
    tickets: dict[int, list[int]] = {}
    contents: dict[int, str] = {}
    for ticket in glpi.tickets():
        found = re.search(r"conversations/(\d+)", ticket["content"])
        assert found is not None, ticket
        tickets.setdefault(int(found[1]) - 100_000, []).append(ticket["id"])
        contents[ticket["id"]] = ticket["content"]
    for number in range(conversations):
        _count(account, people[email(number)], f"person {number}")
        mine = tickets.get(number, [])
        _count(account, len(mine), f"ticket of conversation {number}")
        # The customer's first message is the ticket's text, the others are its followups.
        texts = [
            text
            for ticket in mine
            for text in (contents[ticket], *(f["content"] for f in glpi.followups(ticket)))
        ]
        messages = [m for text in texts for m in re.findall(r"Message \d+-\d+\.", text)]
        counts = Counter(messages)
        for message in said(number):
            _count(account, counts[message], message)
        if len(messages) == len(counts) and messages != said(number):
            account.disordered.append(f"conversation {number}: {messages}")


def _count(account: Account, found: int, what: str) -> None:
    if found == 0:
        account.lost.append(what)
    elif found > 1:
        account.doubled.append(f"{what}, {found} times")


def _send_all(
    hub: RunningHub,
    conversations: Sequence[Sequence[Webhook]],
    pause: float,
    progress: Progress,
) -> None:
    """Several conversations at once, each in its own order."""

    def send(told: Sequence[Webhook]) -> None:
        for webhook in told:
            _send(hub, webhook)
        progress(len(told))
        time.sleep(pause)

    with ThreadPoolExecutor(SENDERS) as pool:
        for _ in pool.map(send, conversations):
            pass


def _send(hub: RunningHub, webhook: Webhook) -> None:
    """Send one webhook until the hub has it.

    A real Chatwoot does not repeat what found no server; the hub promises what it has accepted,
    and whether it had must not matter: a repetition has the same delivery id.
    """
    delivery_id = str(uuid.uuid4())
    for _ in range(TRIES):
        try:
            answer = hub.send(webhook.body, delivery_id=delivery_id)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        if answer.status_code in (200, 202):
            return
        assert answer.status_code == 503, answer.text
        time.sleep(0.1)
    raise AssertionError(f"the hub does not take a webhook: {hub.story()}")


def _wait_in_the_storm(hub: RunningHub, seconds: float) -> None:
    """Until nothing is owed, or for so long; the disturbances go on meanwhile."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        status = hub.run("status")
        if not status["waiting"] and not status["running"]:
            return
        time.sleep(1)


def _faults_struck(glpi: GlpiSimulator) -> int:
    return sum(1 for request in glpi.requests() if request.faults)
