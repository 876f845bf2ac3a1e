"""``hub demo``: the whole way of real events, from Chatwoot's webhooks to two CRMs at once."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import signal
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click
import requests
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select

from hub.access import invitations
from hub.accounts import accounts, hooks, sources
from hub.app import create_app
from hub.cli.configuration import configured
from hub.cli.failure import Failure
from hub.cli.looking import require_schema
from hub.cli.output import say, table
from hub.database import reading
from hub.fleet import door
from hub.fleet.installation import Installation
from hub.fleet.supervisor import Child, hub_command
from hub.fleet.workers import PROCESSES, THREADS
from hub.history import search
from hub.history.deliveries import DeliveryFilter
from hub.history.leftovers import is_settled
from hub.history.status import overview
from hub.models import DeliveryState, Hook, KeptBack, Source
from hub.outbound.guard import THIS_MACHINE
from hub.sdk.testing import payloads

#: Seconds that everything may take to arrive.
PATIENCE = 120.0
_CHATWOOT = "https://chat.example.com"
_STATUSES = {1: "new", 2: "processing", 3: "planned", 4: "pending", 5: "solved", 6: "closed"}
#: GLPI's own users, which a new server has.
_OWN_USERS = 6
_REQUESTER = 1


@click.command("demo")
@click.option("--once", is_flag=True, help="End by itself; exit code 0 only if nothing is lost.")
@click.option("--port", type=int, default=8000, show_default=True)
def demo(once: bool, port: int) -> None:
    """Start everything with simulators of GLPI and LeadSquared, send recorded Chatwoot events, and
    show what arrived in both.

    Works in HUB_DATA_DIR, which should be empty; 'make demo' takes a fresh one.
    """
    # Its simulators run on this machine.
    os.environ["HUB_OUTBOUND_ALLOW"] = THIS_MACHINE
    config = configured()
    installation = Installation(config)
    # SIGTERM ends it as Ctrl-C does, and its children with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port = _free_port(port)
    app = create_app(config.reached_by(f"http://127.0.0.1:{port}"))
    with installation.only_one(), app.app_context():
        require_schema()
        glpi = _Glpi(_free_port(8091))
        leadsquared = _LeadSquared(_free_port(8092))
        # Children are watched from below on; the demo itself goes on in the foreground.
        watch = threading.Thread(target=installation.supervisor.run, name="supervisor")
        complete = True
        try:
            for crm in (glpi, leadsquared):
                installation.supervisor.add(crm.child())
            installation.start([door.open_at("127.0.0.1", port)], PROCESSES, THREADS)
            watch.start()
            complete = _show(f"http://127.0.0.1:{port}", glpi, leadsquared)
            if not once:
                say(
                    f"\nThe hub stays up at http://127.0.0.1:{port}, GLPI at {glpi.url}, "
                    f"LeadSquared at {leadsquared.base}."
                )
                say(f"Look at all of it on the dashboard: {invitations.first_administrator()}")
                threading.Event().wait()
        except KeyboardInterrupt:
            say("Stopping.")
        finally:
            installation.supervisor.stop()
            if watch.is_alive():
                watch.join()
            else:
                installation.supervisor.stop_children()
    if not complete:
        raise Failure("Not every event arrived; see above.")


class _Crm:
    """A simulator, as a process of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.key, self.secret = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = requests.get(f"{self.base}/__simulator__/state", timeout=10).json()
        return state


class _Glpi(_Crm):
    @property
    def url(self) -> str:
        return f"{self.base}/apirest.php"

    def child(self) -> Child:
        return Child(
            "glpi",
            hub_command(
                *("glpi-simulator", "--port", str(self.port)),
                *("--app-token", self.key, "--user-token", self.secret),
            ),
        )

    def settings(self) -> dict[str, Any]:
        return {"api_url": self.base, "app_token": self.key, "user_token": self.secret}


class _LeadSquared(_Crm):
    def child(self) -> Child:
        return Child(
            "leadsquared",
            hub_command(
                *("leadsquared-simulator", "--port", str(self.port), "--calls", "0"),
                *("--access-key", self.key, "--secret-key", self.secret),
            ),
        )

    def settings(self) -> dict[str, Any]:
        return {
            "api_url": self.base,
            "access_key": self.key,
            "secret_key": self.secret,
            "calls_per_second": 25,
            "enable_conversation_activity": True,
            "enable_transcript_activity": True,
        }


def _show(hub_url: str, glpi: _Glpi, leadsquared: _LeadSquared) -> bool:
    _wait_for(f"{hub_url}/readyz")
    for crm in (glpi, leadsquared):
        _wait_for(f"{crm.base}/__simulator__/state")
    source, hooks_made = _install({"glpi": glpi.settings(), "leadsquared": leadsquared.settings()})
    answers = _send(hub_url, source)
    _drain()
    _print_glpi(glpi.state())
    _print_leadsquared(leadsquared.state())
    _print_ignored(answers)
    complete = [_print_outcomes(hook, answers) for hook in hooks_made]
    return all(complete)


def _install(plugins: Mapping[str, dict[str, Any]]) -> tuple[Source, list[Hook]]:
    """The steps of an operator: an account, a source, and a hook for each CRM."""
    account = accounts.create(f"Demo {time.strftime('%Y-%m-%d %H:%M:%S')}", "DE")
    source = sources.create(
        account, "chatwoot", signing_secret=secrets.token_urlsafe(24), base_url=_CHATWOOT
    )
    made = []
    for plugin_id, settings in plugins.items():
        hook, report = hooks.create(account, plugin_id, settings)
        if not report.ok:
            raise Failure(f"The hook {hook.name} could not be set up: {report.sentence}")
        say(f"{hook.name} is connected: {report.sentence}")
        made.append(hook)
    return source, made


def _send(hub_url: str, source: Source) -> dict[str, dict[str, Any]]:
    """Every recorded payload over HTTP, signed as Chatwoot signs."""
    address = f"{hub_url}/webhooks/chatwoot/{source.token}"
    secret = (source.signing_secret or "").encode()
    answers = {}
    with Progress() as progress, requests.Session() as session:
        names = payloads.names()
        task = progress.add_task("Sending Chatwoot events", total=len(names))
        for name in names:
            body = payloads.raw(name)
            timestamp = str(int(time.time()))
            signature = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256)
            answer = session.post(
                address,
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "X-Chatwoot-Delivery": str(uuid.uuid4()),
                    "X-Chatwoot-Timestamp": timestamp,
                    "X-Chatwoot-Signature": f"sha256={signature.hexdigest()}",
                },
                timeout=30,
            )
            answers[name] = {"http": answer.status_code, **answer.json()}
            progress.advance(task)
    return answers


def _drain() -> None:
    give_up = time.monotonic() + PATIENCE
    with Progress() as progress:
        total = _open()
        task = progress.add_task("Delivering to the CRMs ", total=total or 1)
        while not is_settled() and time.monotonic() < give_up:
            progress.update(task, completed=total - _open())
            time.sleep(0.1)
        progress.update(task, completed=total or 1)


def _open() -> int:
    figures = overview()
    return int(figures["waiting"]) + int(figures["running"])


def _print_glpi(state: dict[str, Any]) -> None:
    tables: dict[str, list[dict[str, Any]]] = state["tables"]
    emails: dict[int, list[str]] = {}
    for row in tables["UserEmail"]:
        emails.setdefault(row["users_id"], []).append(row["email"])
    names = {
        row["id"]: " ".join(filter(None, (row["firstname"], row["realname"]))) or row["name"]
        for row in tables["User"]
    }
    table(
        [
            {
                "id": row["id"],
                "login": row["name"],
                "name": names[row["id"]],
                "emails": ", ".join(emails.get(row["id"], ())),
                "phone": row["phone"] or row["mobile"],
            }
            for row in tables["User"]
            if row["id"] > _OWN_USERS
        ],
        (),
        title="Users in GLPI",
    )
    requesters: dict[int, list[str]] = {}
    for row in tables["Ticket_User"]:
        if row["type"] == _REQUESTER:
            who = names.get(row["users_id"]) or row["alternative_email"]
            requesters.setdefault(row["tickets_id"], []).append(who)
    followups = Counter(row["items_id"] for row in tables["ITILFollowup"])
    table(
        [
            {
                "id": row["id"],
                "title": row["name"],
                "status": _STATUSES[row["status"]],
                "requester": ", ".join(requesters.get(row["id"], ())),
                "followups": followups[row["id"]],
            }
            for row in tables["Ticket"]
        ],
        (),
        title="Tickets in GLPI",
    )


def _print_leadsquared(state: dict[str, Any]) -> None:
    activities = Counter(row["RelatedProspectId"] for row in state["activities"])
    table(
        [
            {
                "name": f"{row.get('FirstName') or ''} {row.get('LastName') or ''}".strip(),
                "email": row.get("EmailAddress"),
                "phone": row.get("Mobile") or row.get("Phone"),
                "activities": activities[row["ProspectID"]],
            }
            for row in state["leads"]
        ],
        (),
        title="Leads in LeadSquared",
    )


def _print_ignored(answers: dict[str, dict[str, Any]]) -> None:
    ignored = [
        {"payload": name, "why": answer.get("reason") or answer.get("error") or answer["status"]}
        for name, answer in answers.items()
        if answer.get("status") != "accepted"
    ]
    table(ignored, (), title="Not meant for a CRM")


def _print_outcomes(hook: Hook, answers: dict[str, dict[str, Any]]) -> bool:
    found = search.every_delivery(DeliveryFilter(hook_id=hook.id), limit=1_000)
    not_done = [
        {"delivery": d.id, "event": e.name, "state": d.state.value, "why": d.reason}
        for d, e in reversed(found)
        if d.state != DeliveryState.DONE
    ]
    table(not_done, (), title=f"{hook.name}: skipped or kept back, and why")
    kept_back = _kept_back(hook)
    counts = Counter(
        "kept back" if delivery.id in kept_back else delivery.state.value for delivery, _ in found
    )
    refused = [name for name, answer in answers.items() if answer["http"] >= 300]
    lost = [
        state for state in counts if state not in ("done", "skipped", "superseded", "kept back")
    ]
    Console().print(
        f"{hook.name}: {len(answers)} webhooks sent, {len(found)} deliveries owed: "
        + ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        + f". Refused: {len(refused)}."
    )
    return not refused and not lost


def _kept_back(hook: Hook) -> set[int]:
    """The deliveries that wait until it is known whose they are: they are not lost."""
    query = select(KeptBack.delivery_id).where(KeptBack.hook_id == hook.id)
    with reading() as session:
        return set(session.scalars(query))


def _wait_for(url: str) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            requests.get(url, timeout=5)
            return
        except requests.RequestException as error:
            if time.monotonic() > give_up:
                raise Failure(f"{url} does not answer.") from error
            time.sleep(0.1)


def _free_port(wanted: int) -> int:
    """The wanted port, or any free one if it is taken: also by a server of another address of this
    machine, which would answer in the hub's place."""
    for port in (wanted, 0):
        if port and _answers(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                found: int = probe.getsockname()[1]
                return found
            except OSError:
                continue
    raise Failure("No port is free.")


def _answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
