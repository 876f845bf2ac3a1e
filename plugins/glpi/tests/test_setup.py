"""The setup service: every way in which settings can be wrong has its own sentence and field."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from hub_glpi import plugin, sentences
from hub_glpi import rights as rights_module
from hub_glpi.setup import api_address
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import HubError, NeedsAttention, Rejected, RetryLater, SetupFailed
from hub.sdk.testing.context import hub_session
from hub.sdk.testing.simulator import Fault

EXPECTED = "https://glpi.example.com/apirest.php"


@pytest.mark.parametrize(
    "pasted",
    [
        "https://glpi.example.com",
        "https://glpi.example.com/",
        " https://glpi.example.com//apirest.php/ ",
        "https://glpi.example.com/apirest.php/initSession?x=1",
        "https://glpi.example.com/front/central.php",
        "https://glpi.example.com/front/ticket.form.php?id=3#x",
        "https://glpi.example.com/index.php?noAUTO=1",
        "https://glpi.example.com/api.php/v1",
        "https://me:secret@glpi.example.com/apirest.php",
    ],
)
def test_address_of_what_people_paste(pasted: str) -> None:
    assert api_address(pasted) == EXPECTED


def test_address_in_a_folder() -> None:
    assert api_address("http://h:81/it/glpi/front/x.php") == "http://h:81/it/glpi/apirest.php"


@pytest.mark.parametrize("pasted", ["glpi.example.com", "ftp://x/", "https://", ""])
def test_no_address(pasted: str) -> None:
    with pytest.raises(SetupFailed) as failed:
        api_address(pasted)
    assert (failed.value.sentence, failed.value.field) == (sentences.URL_INVALID, "api_url")


def failure(hub: Any) -> HubError:
    with pytest.raises(HubError) as failed:
        hub.setup()
    error: HubError = failed.value
    return error


def fields(error: HubError) -> tuple[str, Any]:
    return error.sentence, getattr(error, "field", None)


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """A web server that answers as told, and the paths it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
        asked: list[str] = []  # noqa: RUF012

        def do_GET(self) -> None:
            self.asked.append(self.path)
            status, headers, body = self.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    yield Handler
    server.shutdown()
    server.server_close()
    thread.join()


class TestAddress:
    def test_a_redirect_is_followed_and_kept(
        self, simulator: GlpiSimulator, elsewhere: Any, make_simulated_hub: Any
    ) -> None:
        elsewhere.answer = (301, {"Location": f"{simulator.api_url}/initSession"}, b"")
        hub = make_simulated_hub(with_setup=False, api_url=elsewhere.url)
        assert hub.setup().settings == {"api_url": simulator.api_url}

    def test_a_redirect_to_another_host_is_told_not_followed(
        self, simulator: GlpiSimulator, elsewhere: Any, make_simulated_hub: Any
    ) -> None:
        """The tokens were entered for the host that the person named."""
        away = simulator.api_url.replace("127.0.0.1", "localhost")
        elsewhere.answer = (301, {"Location": f"{away}/initSession"}, b"")
        error = failure(make_simulated_hub(with_setup=False, api_url=elsewhere.url))
        assert fields(error) == (sentences.URL_LEADS_AWAY.format(address=away), "api_url")

    def test_going_round_in_circles(self, elsewhere: Any, make_simulated_hub: Any) -> None:
        elsewhere.answer = (302, {"Location": "/apirest.php/initSession"}, b"")
        error = failure(make_simulated_hub(with_setup=False, api_url=elsewhere.url))
        assert isinstance(error, SetupFailed)
        assert len(elsewhere.asked) <= 6

    @pytest.mark.parametrize(
        "answer",
        [
            (200, {}, b"<html><title>Welcome</title>"),
            (404, {}, b"File not found."),
            (200, {}, b""),
            (200, {}, json.dumps({"hello": 1}).encode()),
        ],
    )
    def test_not_a_glpi(self, elsewhere: Any, make_simulated_hub: Any, answer: Any) -> None:
        elsewhere.answer = answer
        hub = make_simulated_hub(with_setup=False, api_url=elsewhere.url)
        sentence = sentences.URL_NOT_GLPI.format(address=f"{elsewhere.url}/apirest.php")
        assert fields(failure(hub)) == (sentence, "api_url")

    def test_no_credential_is_sent_to_it(self, elsewhere: Any, make_simulated_hub: Any) -> None:
        hub = make_simulated_hub(with_setup=False, api_url=elsewhere.url)
        failure(hub)
        assert elsewhere.asked == ["/apirest.php/initSession"]

    def test_nobody_there(self, make_simulated_hub: Any) -> None:
        hub = make_simulated_hub(with_setup=False, api_url="http://127.0.0.1:9")
        sentence = sentences.URL_UNREACHABLE.format(host="127.0.0.1")
        assert fields(failure(hub)) == (sentence, "api_url")

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (requests.exceptions.SSLError("bad"), sentences.URL_TLS.format(host="127.0.0.1")),
            (
                Rejected("The address is private."),
                sentences.URL_BLOCKED.format(host="127.0.0.1", reason="The address is private."),
            ),
        ],
    )
    def test_tls_and_guard(
        self, make_simulated_hub: Any, monkeypatch: Any, error: Exception, sentence: str
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(type(hub_session()), "request", fail)
        assert fields(failure(make_simulated_hub(with_setup=False))) == (sentence, "api_url")

    @pytest.mark.parametrize("state", ["maintenance", "database_down", "not_configured"])
    def test_out_of_order(
        self, simulator: GlpiSimulator, make_simulated_hub: Any, state: str
    ) -> None:
        simulator.server_state = state
        error = failure(make_simulated_hub(with_setup=False))
        assert fields(error) == (sentences.MAINTENANCE, "api_url")

    def test_trouble_of_its_own(self, simulator: GlpiSimulator, make_simulated_hub: Any) -> None:
        simulator.add_fault(Fault("status", status=503))
        assert isinstance(failure(make_simulated_hub(with_setup=False)), RetryLater)


class TestCredentials:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"app_token": "wrong"}, (sentences.APP_TOKEN_WRONG, "app_token")),
            ({"app_token": ""}, (sentences.APP_TOKEN_MISSING, "app_token")),
            ({"user_token": "wrong"}, (sentences.USER_TOKEN_WRONG, "user_token")),
        ],
    )
    def test_tokens(self, make_simulated_hub: Any, settings: Any, expected: Any) -> None:
        assert fields(failure(make_simulated_hub(with_setup=False, **settings))) == expected

    @pytest.mark.parametrize(
        ("state", "field"),
        [
            ("api_disabled", "api_url"),
            ("address_not_allowed", "app_token"),
            ("token_login_disabled", "user_token"),
        ],
    )
    def test_server_states(
        self, simulator: GlpiSimulator, make_simulated_hub: Any, state: str, field: str
    ) -> None:
        simulator.server_state = state
        error = failure(make_simulated_hub(with_setup=False))
        assert isinstance(error, NeedsAttention)
        assert error.field == field


class TestWhatIsNeeded:
    def test_self_service_is_not_enough(
        self, simulator: GlpiSimulator, make_simulated_hub: Any
    ) -> None:
        token = simulator.user_tokens["post-only"]
        error = failure(make_simulated_hub(with_setup=False, user_token=token))
        sentence = sentences.PROFILE_LACKS.format(profile="Self-Service", right="read users")
        assert fields(error) == (sentence, "user_token")

    @pytest.mark.parametrize(
        ("profile", "right", "missing"),
        [
            ({"interface": "helpdesk"}, rights_module.READ_USERS, True),
            ({"user": 1}, rights_module.READ_USERS, False),
            ({"user": 1}, rights_module.CREATE_USERS, True),
            ({"user": "7"}, rights_module.CREATE_USERS, False),
            ({"ticket": 7}, rights_module.READ_TICKETS, True),
            ({"ticket": 261151}, rights_module.READ_TICKETS, False),
            ({"followup": 15367}, rights_module.ADD_FOLLOWUPS, False),
            ({}, rights_module.CREATE_TICKETS, False),
            ({"contact_enterprise": 0}, rights_module.CREATE_CONTACTS, True),
        ],
    )
    def test_rights(self, profile: Any, right: Any, missing: bool) -> None:
        assert rights_module.lacks(profile, right) is missing

    @pytest.mark.parametrize("use_contact", [True, False])
    def test_a_profile_without_the_right(
        self, make_simulated_hub: Any, monkeypatch: Any, use_contact: bool
    ) -> None:
        monkeypatch.setattr("hub_glpi.rights.lacks", lambda _, right: right.bits == 4)
        settings = {"use_contact": use_contact, "upload_attachments": True}
        error = failure(make_simulated_hub(with_setup=False, **settings))
        words = "create contacts" if use_contact else "create users"
        assert words in error.sentence

    @pytest.mark.parametrize(
        ("settings", "sentence", "field"),
        [
            ({"entity_id": 99}, sentences.ENTITY_MISSING.format(id=99), "entity_id"),
            ({"category_id": 99}, sentences.CATEGORY_MISSING.format(id=99), "category_id"),
            (
                {"default_user_id": 99},
                sentences.DEFAULT_USER_MISSING.format(id=99),
                "default_user_id",
            ),
            (
                {"user_profile_id": 99},
                sentences.PROFILE_MISSING.format(id=99),
                "user_profile_id",
            ),
        ],
    )
    def test_numbers_of_nothing(
        self, make_simulated_hub: Any, settings: Any, sentence: str, field: str
    ) -> None:
        assert fields(failure(make_simulated_hub(with_setup=False, **settings))) == (
            sentence,
            field,
        )

    def test_numbers_of_something(self, simulator: GlpiSimulator, make_simulated_hub: Any) -> None:
        simulator.seed()
        hub = make_simulated_hub(entity_id="1", category_id=1, default_user_id=4, user_profile_id=1)
        assert hub.learned["entity_name"] == "Root entity > Support"
        assert hub.learned["user_profile_id"] == 1

    def test_an_entity_out_of_reach(
        self, simulator: GlpiSimulator, make_simulated_hub: Any
    ) -> None:
        simulator.add_fault(
            Fault(
                "status",
                path="Entity/7",
                status=403,
                body='["ERROR_RIGHT_MISSING", "No."]',
                content_type="application/json",
            )
        )
        error = failure(make_simulated_hub(with_setup=False, entity_id=7))
        assert fields(error) == (sentences.ENTITY_OUT_OF_REACH.format(id=7), "entity_id")

    def test_an_entity_within_reach_that_may_not_be_read(
        self, simulator: GlpiSimulator, make_simulated_hub: Any
    ) -> None:
        body = '["ERROR_RIGHT_MISSING", "No."]'
        simulator.add_fault(
            Fault("status", path="Entity/0", status=403, body=body,
                  content_type="application/json")
        )  # fmt: skip
        assert make_simulated_hub().learned["entity_id"] == 0

    @pytest.mark.parametrize(("ticket_type", "fine"), [("1", False), ("2", True)])
    def test_a_category_for_the_other_type(
        self, simulator: GlpiSimulator, make_simulated_hub: Any, ticket_type: str, fine: bool
    ) -> None:
        category = {"id": 5, "name": "Chat", "is_incident": 0, "is_request": 1}
        simulator.add_fault(
            Fault("status", path="ITILCategory/5", status=200, body=json.dumps(category),
                  content_type="application/json")
        )  # fmt: skip
        hub = make_simulated_hub(with_setup=False, category_id=5, ticket_type=ticket_type)
        if fine:
            hub.setup()
        else:
            assert fields(failure(hub)) == (
                sentences.CATEGORY_WRONG_TYPE.format(name="Chat"),
                "category_id",
            )


class TestWhatIsLearned:
    @pytest.mark.parametrize("offset", [-210, 0, 345])
    def test_the_clock(self, make_simulated_hub: Any, offset: int) -> None:
        with GlpiSimulator(utc_offset_minutes=offset) as elsewhere:
            hub = make_simulated_hub(api_url=elsewhere.api_url)
        assert hub.learned["clock_offset_seconds"] == offset * 60

    def test_a_wrong_clock_is_told(self, chatwoot: Any, make_simulated_hub: Any) -> None:
        hub = make_simulated_hub(with_setup=False)
        chatwoot.clock.sleep(300)
        assert "differs by 5 minutes" in hub.setup().sentence

    def test_too_old(self, simulator: GlpiSimulator, make_simulated_hub: Any) -> None:
        config = json.dumps({"cfg_glpi": {"version": "9.4.6"}})
        simulator.add_fault(
            Fault("status", path="getGlpiConfig", status=200, body=config,
                  content_type="application/json")
        )  # fmt: skip
        error = failure(make_simulated_hub(with_setup=False))
        assert fields(error) == (sentences.VERSION_TOO_OLD.format(version="9.4.6"), "api_url")

    def test_no_session_stays_open(self, simulator: GlpiSimulator, make_simulated_hub: Any) -> None:
        make_simulated_hub()
        failure(make_simulated_hub(with_setup=False, category_id=99))
        assert simulator.open_sessions() == []

    def test_a_session_that_cannot_be_closed_is_no_failure(
        self, simulator: GlpiSimulator, make_simulated_hub: Any
    ) -> None:
        simulator.add_fault(Fault("status", path="killSession", status=500))
        hub = make_simulated_hub()
        assert [entry.level for entry in hub.last.log.entries] == ["warning"]


def test_the_manifest_is_sound() -> None:
    from hub.sdk.plugin import validate

    assert validate(plugin, "glpi") is plugin
    logo = plugin.logo_bytes()
    assert logo is not None
    assert logo.startswith(b"<svg")
