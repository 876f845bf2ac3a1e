"""The setup: what it learns, what it makes, and how each failure is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hub_leadsquared import sentences

from hub.sdk import NeedsAttention, RetryLater, SetupFailed
from hub.sdk.testing.context import hub_session
from hub.sdk.testing.simulator import Fault


def failure(world: Any, kind: Any = SetupFailed) -> Any:
    with pytest.raises(kind) as caught:
        world.set_up()
    return caught.value


class TestSuccess:
    def test_it_learns_server_zone_and_codes(self, fresh: Any) -> None:
        result = fresh.set_up()
        here = f"127.0.0.1:{fresh.simulator.port}"
        assert result.learned == {
            "endpoint_url": f"http://{here}/v2",
            "app_url": f"http://{here}",
            "timezone": "Asia/Kolkata",
            "organisation": "Simulated Org",
            "user": "Ada Admin",
            "default_country_code": "91",
            "conversation_activity_code": 201,
            "transcript_activity_code": 202,
        }
        assert result.sentence == (
            "LeadSquared is ready: Simulated Org, at 127.0.0.1, as Ada Admin."
        )
        assert fresh.last.steps == ["keys", "server", "activities"]
        assert len(fresh.last.calls) == 4

    def test_a_second_run_makes_nothing(self, fresh: Any) -> None:
        first = fresh.set_up()
        assert fresh.set_up() == first
        assert [call.method for call in fresh.last.calls] == ["GET", "GET"]

    def test_types_are_found_by_their_exact_names(self, fresh: Any) -> None:
        activities = fresh.simulator._activities
        activities.types.update({"chatwoot conversation started": 210, "Ours": 211})
        fresh.settings["transcript_activity_name"] = "Ours"
        learned = fresh.set_up().learned
        assert learned["transcript_activity_code"] == 211
        assert learned["conversation_activity_code"] == 212

    def test_what_is_switched_off_is_neither_looked_for_nor_made(self, fresh: Any) -> None:
        fresh.settings["enable_conversation_activity"] = False
        fresh.settings["enable_transcript_activity"] = False
        learned = fresh.set_up().learned
        assert learned["conversation_activity_code"] is None
        assert len(fresh.last.calls) == 1
        assert len(fresh.simulator.activity_types()) == 3

    def test_an_empty_list_of_types_is_no_failure(self, fresh: Any) -> None:
        fresh.simulator._activities.types.clear()
        fresh.set_up()
        assert len(fresh.simulator.activity_types()) == 2

    def test_the_score_is_that_of_the_settings(self, fresh: Any) -> None:
        fresh.settings["conversation_activity_score"] = "5"
        fresh.set_up()
        assert fresh.simulator._activities.scores["Chatwoot Conversation Started"] == 5

    def test_it_waits_where_the_plan_allows_few_calls(self, fresh: Any) -> None:
        fresh.simulator.add_fault(Fault("throttle", nth=2, times=2, retry_after=""))
        begin = fresh.clock.now()
        fresh.set_up()
        assert (fresh.clock.now() - begin).total_seconds() == 10

    def test_a_type_that_was_made_meanwhile_is_taken(self, fresh: Any) -> None:
        fresh.set_up()
        fresh.simulator.add_fault(Fault("garbage", path="ActivityTypes", body="[]"))
        assert fresh.set_up().learned["conversation_activity_code"] == 201

    def test_the_address_may_be_pasted_with_its_version(self, fresh: Any) -> None:
        fresh.settings["api_url"] += "/v2/"
        assert fresh.set_up().learned["endpoint_url"] == f"{fresh.simulator.url}/v2"


class TestFailure:
    def test_wrong_keys(self, fresh: Any) -> None:
        fresh.settings["secret_key"] = "another-secret-key"
        error = failure(fresh, NeedsAttention)
        assert (error.sentence, error.field) == (sentences.KEYS_WRONG, "access_key")

    def test_nobody_there(self, fresh: Any) -> None:
        fresh.simulator.stop()
        error = failure(fresh)
        assert error.sentence.startswith("127.0.0.1 cannot be reached")
        assert error.field == "api_url"

    def test_a_certificate_that_is_not_trusted(
        self, fresh: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise requests.exceptions.SSLError("self-signed certificate")

        monkeypatch.setattr(type(hub_session()), "request", refuse)
        error = failure(fresh)
        assert error.sentence.startswith("The TLS certificate of 127.0.0.1 cannot be verified")
        assert error.field == "api_url"

    def test_an_address_that_the_hub_may_not_call(self, fresh: Any) -> None:
        def refuse(_: str) -> None:
            raise NeedsAttention("The address is closed.")

        context = fresh.context()
        context.http._rules.before = refuse
        with pytest.raises(SetupFailed, match=r"may not call 127\.0\.0\.1: The address is closed"):
            context.plugin.setup(context).run()

    def test_trouble_of_the_server(self, fresh: Any) -> None:
        fresh.simulator.add_fault(Fault("status", status=502))
        assert "HTTP 502" in failure(fresh, RetryLater).sentence

    def test_a_page_instead_of_an_answer(self, fresh: Any) -> None:
        fresh.simulator.add_fault(Fault("html"))
        failure(fresh, RetryLater)

    def test_no_end_of_throttling(self, fresh: Any) -> None:
        fresh.simulator.add_fault(Fault("throttle", times=None))
        error = failure(fresh, RetryLater)
        assert error.throttled
        assert len(fresh.last.calls) == 3

    def test_no_server_named(self, fresh: Any) -> None:
        fresh.simulator.add_fault(Fault("garbage", body='{"Id": "1", "LSQCommonServiceURLs": 7}'))
        assert failure(fresh).sentence == sentences.NO_REGION

    @pytest.mark.parametrize(
        "host", ["evil.example", "leadsquared.com.evil.example", "x@evil.example"]
    )
    def test_a_server_that_is_not_leadsquareds(self, fresh: Any, host: str) -> None:
        fresh.simulator.api_host = host
        error = failure(fresh)
        assert error.sentence.startswith(f"LeadSquared named {host} as the server")
        assert len(fresh.last.calls) == 1

    def test_a_local_server_for_a_leadsquared_account(self, fresh: Any) -> None:
        """The real LeadSquared may not send the keys to a service beside the hub."""
        from hub_leadsquared.api.account import AccountFacts
        from hub_leadsquared.setup import _endpoint

        facts = AccountFacts("127.0.0.1:80", "", "", "", "", "")
        with pytest.raises(SetupFailed):
            _endpoint("https://api.leadsquared.com", facts)
        facts = AccountFacts("api-in21.leadsquared.com", "", "", "", "", "")
        assert _endpoint("https://api.leadsquared.com", facts) == (
            "https://api-in21.leadsquared.com/v2"
        )

    def test_an_address_that_the_settings_would_refuse(self, fresh: Any) -> None:
        context = fresh.context()
        context.settings["api_url"] = "https://evil.example"
        with pytest.raises(SetupFailed, match="sent to LeadSquared only"):
            context.plugin.setup(context).run()
        assert context.calls == []

    def test_both_activities_of_one_type(self, fresh: Any) -> None:
        fresh.settings["transcript_activity_name"] = "Same"
        fresh.settings["conversation_activity_name"] = "Same"
        error = failure(fresh)
        assert error.field == "transcript_activity_name"
        assert '"Same"' in error.sentence

    def test_types_that_may_not_be_read(self, fresh: Any) -> None:
        body = '{"Status":"Error","ExceptionType":"MXSomethingException","ExceptionMessage":"no"}'
        fresh.simulator.add_fault(Fault("garbage", path="ActivityTypes", body=body))
        error = failure(fresh)
        assert error.sentence.startswith("The activity types cannot be read")

    @pytest.mark.parametrize("kind", ["MXSomethingException", "MXDuplicateEntryException"])
    def test_a_type_that_may_not_be_made(self, fresh: Any, kind: str) -> None:
        body = json.dumps({"ExceptionType": kind, "ExceptionMessage": "no rights"})
        fresh.simulator.add_fault(Fault("garbage", path="CreateType", body=body))
        error = failure(fresh)
        assert error.field == "enable_conversation_activity"
        assert '"Chatwoot Conversation Started" could not be made' in error.sentence
        assert "no rights" in error.sentence

    def test_a_code_that_is_none(self, fresh: Any) -> None:
        body = '{"Status":"Success","Message":{"Id":"abc"}}'
        fresh.simulator.add_fault(Fault("garbage", path="CreateType", body=body))
        failure(fresh, RetryLater)

    def test_every_failure_has_a_sentence_of_its_own(self) -> None:
        told = [
            sentences.ALL[name]
            for name in (
                "KEYS_WRONG",
                "HOST_FOREIGN",
                "URL_UNREACHABLE",
                "URL_TLS",
                "URL_BLOCKED",
                "NO_REGION",
                "REGION_FOREIGN",
                "TYPES_UNREADABLE",
                "TYPE_NOT_MADE",
                "SAME_NAME",
            )
        ]
        assert len(set(told)) == len(told)


def test_the_keys_travel_in_headers_and_never_in_the_trace(fresh: Any) -> None:
    fresh.set_up()
    request = fresh.simulator.requests()[0]
    assert request.query == ""
    assert request.headers["x-lsq-accesskey"] == fresh.settings["access_key"]
    for call in fresh.last.calls:
        assert fresh.settings["access_key"] not in repr(call)
        assert fresh.settings["secret_key"] not in repr(call)


def test_a_delivery_before_the_setup_needs_attention(fresh: Any) -> None:
    error = fresh.fails(fresh.events.contact_created(), NeedsAttention)
    assert error.sentence == sentences.NO_SETUP
