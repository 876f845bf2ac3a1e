"""The story that the data tells."""

from __future__ import annotations

import time
from typing import Any

from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY
from hub_webhook.simulator import SECRET
from tests.making.made import Made
from tests.making.settings import (
    CHATWOOT_SECRET,
    EVENTS_SECRET,
    GLPI_EVERY,
    LEADSQUARED_EVERY,
    WEBHOOK_EVERY,
)

from hub.access import audit, invitations, members
from hub.models import Role
from hub.sdk.testing import payloads
from hub.sdk.testing.simulator import Fault
from tests.support.people import Person


def person(number: int, name: str) -> dict[str, Any]:
    return {"id": str(number), "name": name, "email": f"customer{number}@example.com"}


def make(made: Made, servers: dict[str, Any]) -> None:
    """The whole story."""
    url = {name: server.url for name, server in servers.items()}
    made.people()
    acme = made.api(
        "POST", "/accounts", {"name": "Acme", "default_region": "DE", "features": ["beta"]}, 201
    )["id"]
    other = made.api("POST", "/accounts", {"name": "Bäckerei Süß & Co"}, 201)["id"]
    made.source(
        acme,
        "chatwoot",
        "Website",
        signing_secret=CHATWOOT_SECRET,
        base_url="https://chat.example.com",
    )
    made.source(acme, "events", "Shop", signing_secret=EVENTS_SECRET)
    made.source(other, "chatwoot", "Old Chatwoot", allow_unsigned=True)
    closed = made.source(acme, "chatwoot", "Closed", signing_secret="no longer")
    made.api("PATCH", f"/accounts/{acme}/sources/{closed}", {"enabled": False})

    receiver = url["receiver"]
    made.hook(acme, "glpi", "GLPI, every setting", {"api_url": url["glpi"], **GLPI_EVERY})
    every = {"api_url": url["leadsquared"], **LEADSQUARED_EVERY}
    made.hook(acme, "leadsquared", "LeadSquared, every setting", every)
    every = {"url": f"{receiver}/every", **WEBHOOK_EVERY}
    tuned = made.hook(acme, "webhook", "Webhook, every setting", every)
    made.hook(
        acme, "webhook", "Webhook, few settings", {"url": f"{receiver}/few", "secret": SECRET}
    )
    made.hook(acme, "retired_crm", "Its plugin is gone", {"key": "a key of a CRM"})
    limits = {"concurrency": 2, "calls_per_second": 50.0}
    made.api("PATCH", f"/accounts/{acme}/hooks/{tuned}", limits)

    # All is well.
    made.chatwoot("Website", "contact_created_full")
    made.chatwoot("Website", "conversation_created_widget_with_message")
    made.chatwoot("Website", "message_created_incoming_widget")
    made.work()
    made.chatwoot("Website", "message_created_outgoing_agent")
    made.event("contact.created", contact=person(1, "Ada Braun"))
    made.work()
    talk = {"id": "71", "inbox_id": "1", "inbox_name": "Shop", "status": "open"}
    parts = {"contact": person(1, "Ada Braun"), "conversation": talk}
    made.event("conversation.created", **parts)
    said = {"id": "711", "text": "My oven is cold.", "direction": "incoming"}
    made.event("message.created", **parts, message={**said, "sender": {"kind": "contact"}})
    made.work()
    for number, text in ((712, "Is it plugged in?"), (713, "And switched on?")):
        answer = {"id": str(number), "text": text, "direction": "outgoing"}
        by = {"kind": "user", "id": "7", "name": "Bob"}
        made.event("message.created", **parts, message={**answer, "sender": by})
    made.work()
    made.event("conversation.resolved", **parts | {"conversation": {**talk, "status": "resolved"}})
    # Two changes before anybody works: the second makes the first needless.
    made.event("contact.updated", contact=person(1, "Ada B."))
    made.event("contact.updated", contact=person(1, "Ada Braun-Weiß"))
    made.work()

    # Refused for good, and nothing to do.
    refused = Fault(
        "status", "POST", "/few", status=400, body="{}", content_type="application/json"
    )
    servers["receiver"].add_fault(refused)
    servers["glpi"].add_fault(
        Fault("status", "POST", "/User", status=400, body='["ERROR_GLPI_ADD", "No."]')
    )
    made.event("contact.created", contact=person(2, "Bela Refused"))
    made.work()
    made.retired.troubles = [ValueError("a bug of a plugin")]
    made.event("contact.created", contact={"id": "5", "name": "Without anything"})
    made.work()

    # Hooks that do not work now: a remote that is gone, a pause, a plugin that is gone.
    gone = servers["gone"]
    made.hook(acme, "webhook", "Its remote is away", {"url": f"{gone.url}/away", "secret": SECRET})
    paused = made.hook(
        acme,
        "webhook",
        "One inbox, paused",
        {"url": f"{receiver}/paused", "secret": SECRET},
        inbox_id="1",
    )
    made.api("POST", f"/accounts/{acme}/hooks/{paused}/pause", {"reason": "Moving house"})
    gone.stop()
    made.event("contact.created", contact=person(6, "Emil Away"))
    made.event("contact.created", contact=person(7, "Fritz Away"))
    made.work()
    time.sleep(2.1)
    made.work()

    # A failure that passes, and an answer that is lost.
    servers["glpi"].add_fault(Fault("status", "POST", "/User", status=503))
    made.event("contact.created", contact=person(3, "Carla Waits"))
    made.work()
    servers["glpi"].add_fault(Fault("drop_after", "POST", "/User"))
    made.event("contact.created", contact=person(4, "Dora Lost"))
    made.work()

    # Another account: few settings, and an app token that was left empty.
    few = {"api_url": url["open_glpi"], "user_token": "simulator-user-token"}
    made.hook(other, "glpi", "GLPI, few settings", few)
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    few = {"api_url": url["leadsquared"], **keys}
    made.hook(other, "leadsquared", "LeadSquared, few settings", few)
    off = made.hook(other, "webhook", "Off", {"url": f"{receiver}/off", "secret": SECRET})
    made.api("POST", f"/accounts/{other}/hooks/{off}/disable")
    made.chatwoot("Old Chatwoot", "contact_created_widget_email")
    made.work()

    # Requests that are held.
    wrong = {"X-Chatwoot-Signature": "sha256=" + "0" * 64}
    body = payloads.load("contact_updated_phone_added")
    made.send("Website", body, 401, **wrong)
    made.send("Website", b"{", 400)
    made.send("Shop", {"event": "contact.created", "id": "x", "contact": {}}, 400)

    # People, what they hold, and what they did.
    owner = made.member(acme, Role.OWNER, "owner@example.com", "Olga Owner")
    owner.does("/profile", name="Olga Ø.", language="fr", timezone="Europe/Paris", theme="dark")
    made.member(acme, Role.OPERATOR, "operator@example.com", "Otto Operator")
    viewer = made.member(acme, Role.VIEWER, "viewer@example.com", "Vera Viewer")
    with made.app.app_context():
        members.add(other, made.told["users"]["viewer@example.com"], Role.OWNER)
    assert viewer.get(f"/accounts/{other}/").status_code == 200
    made.token("look", 4, ["look"], acme, 30)
    with made.app.app_context(), audit.acting(audit.COMMAND_LINE):
        links = made.told["links"]
        links["join"] = invitations.create(
            email="new@example.com", account_id=acme, role=Role.OPERATOR
        )
        links["password"] = invitations.new_password(made.told["users"]["operator@example.com"])
    assert Person(made.app).sign_in("viewer@example.com", "wrong").status_code == 401

    # At last, a worker dies.
    made.event("contact.created", contact=person(8, "Gerda Crash"))
    made.die()
