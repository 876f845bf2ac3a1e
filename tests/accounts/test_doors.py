"""Whose word opens a door into a private network, and for how long."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import update

from hub.accounts import accounts, hooks, proving, sources
from hub.audit import (
    COMMAND_LINE,
    Actor,
    acting,
)
from hub.database import in_transaction
from hub.models import Hook, Source
from hub.outbound.files import EventFiles
from hub.outbound.guard import Doors
from hub.sdk import (
    Attachment,
    Event,
    HubError,
    Message,
    SettingsSchema,
    SetupFailed,
    SetupResult,
    SetupService,
)
from hub.sdk import Source as EventSource
from hub.sdk.settings import text, url
from tests.support.crm import NOW, Crm, make_plugin
from tests.support.web import serving

OPERATOR = Actor("Ann <ann@example.com>", 7)
ADMINISTRATOR = Actor("Root <root@example.com>", 1, opens_doors=True)
INSIDE, OUTSIDE = "http://crm.internal/api", "http://crm.example/api"


class Settings(SettingsSchema):
    name = text("Name", default="crm")
    address = url("Address", required=True)


class Setup(SetupService):
    """Asks the address; nobody is there, which ``is_well`` passes over."""

    is_well = True

    def run(self) -> SetupResult:
        if self.is_well:
            return SetupResult("It works.")
        try:
            self.context.http.get(self.context.settings["address"])
        except HubError as error:
            raise SetupFailed(error.sentence, field="address") from error
        raise AssertionError("somebody answered")


@pytest.fixture
def account(make_app, monkeypatch):
    """An account, in a world where .internal is inside and .example is not."""
    look_up = socket.getaddrinfo
    known = {"internal": "10.255.255.1", "example": "93.184.216.34"}

    def resolve(host, *rest, **more):
        return look_up(known.get(str(host).rpartition(".")[2], host), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with make_app(make_plugin(Crm(), settings=Settings, setup=Setup)).app_context():
        yield accounts.create("Acme")


def connect(account, actor: Actor, address: str) -> Hook:
    with acting(actor):
        return hooks.create(account, "crm", {"address": address})[0]


def test_an_operator_is_told_whom_to_ask(account, monkeypatch):
    monkeypatch.setattr(Setup, "is_well", False)
    with acting(OPERATOR):
        hook, report = hooks.create(account, "crm", {"address": INSIDE})
    assert (report.ok, report.field) == (False, "address")
    assert "An administrator of the hub can connect it" in report.sentence
    assert "HUB_OUTBOUND_ALLOW=10.255.255.1" in report.sentence
    assert hooks.view(hook).doors == Doors()


@pytest.mark.parametrize("actor", [ADMINISTRATOR, COMMAND_LINE], ids=["administrator", "shell"])
def test_an_administrator_opens_one_by_connecting(account, actor):
    assert hooks.view(connect(account, actor, INSIDE)).doors == Doors(frozenset({"crm.internal"}))


def test_an_administrator_opens_what_an_operator_had_entered(account):
    hook = connect(account, OPERATOR, INSIDE)
    assert hook.doors == ""
    with acting(ADMINISTRATOR):
        hooks.run_setup(hook.id)
    assert hooks.find(hook.id).doors == "crm.internal"


def test_a_host_of_the_internet_gets_no_door(account):
    """Its owner could lead the name inside some day."""
    assert connect(account, ADMINISTRATOR, OUTSIDE).doors == ""


def test_a_door_stays_while_its_address_does(account):
    hook = connect(account, ADMINISTRATOR, INSIDE)
    with acting(OPERATOR):
        hooks.update(hook.id, {"name": "other", "address": f"{INSIDE}/v2"})
        assert hooks.find(hook.id).doors == "crm.internal"
        for elsewhere in ("http://crm.internal:8080/", "http://other.internal/"):
            hooks.update(hook.id, {"address": elsewhere})
            assert hooks.find(hook.id).doors == ""


def test_a_connection_of_before_keeps_what_it_had_until_its_address_changes(account):
    hook = connect(account, OPERATOR, INSIDE)
    in_transaction(lambda session: session.execute(update(Hook).values(doors=None)))
    with acting(OPERATOR):
        hooks.update(hook.id, {"name": "other"})
        assert hooks.view(hooks.find(hook.id)).doors == Doors(all_before=True)
        hooks.update(hook.id, {"address": "http://other.internal/"})
        assert hooks.find(hook.id).doors == ""


def an_event(source: Source, *hosts: str) -> Event:
    files = tuple(Attachment("file", url=f"http://{host}/x") for host in hosts)
    origin = EventSource(source.id, "chatwoot")
    return Event(1, "message.created", NOW, origin, message=Message("1", attachments=files))


def test_a_source_opens_its_own_host_for_files_by_the_same_rule(account):
    base = "http://chat.internal"
    with acting(OPERATOR):
        closed = sources.create(account, "chatwoot", base_url=base)
    with acting(ADMINISTRATOR):
        opened = sources.create(account, "chatwoot", base_url=base)
    event = an_event(opened, "chat.internal", "other.internal")
    assert EventFiles([event]).doors() == Doors(frozenset({"chat.internal"}))
    assert EventFiles([an_event(closed, "chat.internal")]).doors() == Doors()
    with acting(OPERATOR):
        sources.update(opened.id, base_url="http://other.internal")
    assert EventFiles([event]).doors() == Doors()


def test_a_source_of_before_has_a_door_to_wherever_its_files_are(account):
    source = sources.create(account, "chatwoot")
    in_transaction(lambda session: session.execute(update(Source).values(doors=None)))
    event = an_event(source, "127.0.0.1:3300", "files.internal")
    assert EventFiles([event]).doors() == Doors(before=frozenset({"127.0.0.1", "files.internal"}))


def test_what_an_unproven_server_answers_is_for_administrators(account, monkeypatch):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"what stands inside")

    monkeypatch.setattr(Setup, "is_well", False)
    bodies = {}
    server = HTTPServer(("127.0.0.1", 0), Answer)
    with serving(server):
        address = f"http://127.0.0.1:{server.server_port}/"
        for actor in (OPERATOR, ADMINISTRATOR):
            with acting(actor):
                report = proving.test(proving.trial(account, "crm", {"address": address}))
            assert not report.ok
            bodies[actor] = report.calls[0]["response_body"]
    assert bodies == {OPERATOR: "", ADMINISTRATOR: "what stands inside"}
