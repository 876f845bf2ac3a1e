"""The error table: what each answer of LeadSquared means for a delivery."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from hub_leadsquared import sentences
from hub_leadsquared.api import LeadSquared
from hub_leadsquared.api.answers import id_of, message_of, read_trouble
from hub_leadsquared.api.errors import PAUSE, TABLE, Duplicate, LeadGone, error_of, is_error

from hub.sdk import HubError, NeedsAttention, Rejected, RetryLater
from hub.sdk.testing.simulator import Fault


def exception(kind: str, text: str = "Lead is odd.") -> str:
    return json.dumps({"Status": "Error", "ExceptionType": kind, "ExceptionMessage": text})


def raised(world: Any, fault: Fault) -> HubError:
    world.simulator.add_fault(fault)
    context = world.context()
    with pytest.raises(HubError) as caught:
        LeadSquared(context, world.learned["endpoint_url"]).leads.with_email("a@b.example")
    return caught.value


CASES = [
    ("MXDuplicateEntryException", Duplicate),
    ("MXInvalidEntityReferenceException", LeadGone),
    ("MXMandatoryAttributeMissingException", Rejected),
    ("MXInvalidInputException", Rejected),
    ("MXSomethingNewException", Rejected),
    ("MXAPIRateLimitExceededException", RetryLater),
    ("MXInvalidCredentialsException", NeedsAttention),
    ("MXAuthenticationFailedException", NeedsAttention),
    ("MXUnauthorizedAccessException", NeedsAttention),
    ("NullReferenceException", RetryLater),
    ("SqlException", RetryLater),
    ("", RetryLater),
]


@pytest.mark.parametrize(("kind", "error"), CASES, ids=lambda value: str(value)[:40])
def test_exceptions_in_answers_with_status_200(world: Any, kind: str, error: type) -> None:
    caught = raised(world, Fault("garbage", body=exception(kind)))
    assert type(caught) is error
    assert "{" not in caught.sentence


def test_the_cases_cover_the_table() -> None:
    assert TABLE.keys() <= {kind for kind, _ in CASES}


@pytest.mark.parametrize(("kind", "error"), CASES, ids=lambda value: str(value)[:40])
def test_exceptions_in_answers_with_status_500(kind: str, error: type) -> None:
    """Where the HTTP layer hands the answer over with its error."""
    response = requests.Response()
    response.status_code = 500
    response._content = exception(kind).encode()
    trouble = RetryLater("trouble")
    trouble.response = response  # type: ignore[attr-defined]
    assert type(read_trouble(trouble)) is error


def test_a_500_without_an_exception_is_an_outage() -> None:
    response = requests.Response()
    response._content = b"<html>"
    trouble = RetryLater("trouble")
    assert read_trouble(trouble) is trouble
    trouble.response = response  # type: ignore[attr-defined]
    assert read_trouble(trouble) is trouble


def test_leadsquareds_own_words_are_passed_on(world: Any) -> None:
    text = "Custom  field\nmx_Budget is mandatory."
    caught = raised(world, Fault("garbage", body=exception("MXInvalidInputException", text)))
    assert caught.sentence.endswith("It says: Custom field mx_Budget is mandatory.")


@pytest.mark.parametrize(
    ("status", "body", "error", "field"),
    [
        (400, "", Rejected, None),
        (400, '{"Status": "Error", "Message": "Bad body"}', Rejected, None),
        (400, exception("MXInvalidInputException"), Rejected, None),
        (401, "", NeedsAttention, "access_key"),
        (401, exception("MXInvalidCredentialsException"), NeedsAttention, "access_key"),
        (403, "", NeedsAttention, "access_key"),
        (404, "<h1>404</h1>", NeedsAttention, "api_url"),
        (302, "", NeedsAttention, "api_url"),
        (422, "", Rejected, None),
        (500, "", RetryLater, None),
        (503, "<html>", RetryLater, None),
    ],
)
def test_statuses(world: Any, status: int, body: str, error: type, field: str | None) -> None:
    caught = raised(world, Fault("status", status=status, body=body))
    assert type(caught) is error
    assert getattr(caught, "field", None) == field


def test_the_reason_of_a_bad_request_is_told(world: Any) -> None:
    body = '{"Status": "Error", "Message": "Bad body."}'
    assert "Bad body." in raised(world, Fault("status", status=400, body=body)).sentence


@pytest.mark.parametrize("asked", ["", "2", "30"])
def test_too_many_calls_pause_the_hook(world: Any, asked: str) -> None:
    caught = raised(world, Fault("throttle", retry_after=asked))
    assert isinstance(caught, RetryLater)
    assert caught.throttled
    assert not caught.reached
    assert caught.delay == max(PAUSE, float(asked or 0))


def test_too_many_calls_said_in_a_200(world: Any) -> None:
    body = exception("MXAPIRateLimitExceededException", "limit of 2 in 5 second(s)")
    caught = raised(world, Fault("garbage", body=body))
    assert isinstance(caught, RetryLater)
    assert caught.throttled
    assert caught.delay == PAUSE


@pytest.mark.parametrize("fault", ["html", "empty", "garbage", "drop_before"])
def test_what_is_no_answer_is_tried_again(world: Any, fault: Any) -> None:
    assert type(raised(world, Fault(fault))) is RetryLater


@pytest.mark.parametrize("body", ["{}", '{"Status":"Success"}', "7"])
def test_an_answer_of_another_shape_is_tried_again(world: Any, body: str) -> None:
    assert type(raised(world, Fault("garbage", body=body))) is RetryLater


@pytest.mark.parametrize("body", [{}, {"Message": {}}, {"Message": {"Id": None}}, [], "x"])
def test_a_write_without_an_id_is_not_known_to_have_happened(body: Any) -> None:
    with pytest.raises(RetryLater):
        id_of(body)


def test_ids_of_writes() -> None:
    assert id_of({"Message": {"Id": 201}}) == "201"
    assert id_of({"Message": {"RelatedId": "guid", "IsCreated": True}}) == "guid"
    assert message_of({"Message": {"AffectedRows": 1}}) == {"AffectedRows": 1}


def test_what_counts_as_an_error() -> None:
    assert is_error({"Status": "error"})
    assert is_error({"ExceptionType": "X"})
    assert not is_error({"Status": "Success", "Message": {}})
    assert not is_error([{"Status": "Error"}])
    assert not is_error({"Status": {"LeadCreated": 1}})


def test_a_lead_without_an_id_is_none(world: Any) -> None:
    world.simulator.add_fault(Fault("garbage", body='[{"EmailAddress": "a@b.example"}, 7]'))
    leads = LeadSquared(world.context(), world.learned["endpoint_url"]).leads
    assert leads.with_email("a@b.example") == []


def test_sentences_of_errors_without_reason_have_none() -> None:
    assert error_of({"Status": "Error"}).sentence == sentences.TROUBLE.format(reason="-")
