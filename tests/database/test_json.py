"""How values become the JSON that is stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hub.database import JsonText, to_json
from hub.sdk.events import Contact, Event, Source, from_data, to_data


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "Zoë 😀", {}]}, 10**39, "", "half \ud800 a pair"]
)
def test_what_is_written_can_be_read(value):
    assert json.loads(JsonText.of(value)) == value
    assert json.loads(to_json(value)) == value


def test_a_text_that_is_json_already_stays_as_it_is():
    assert to_json(JsonText('{"a":  1}')) == '{"a":  1}'


def test_an_event_comes_back_with_its_moments_in_utc():
    moment = datetime(2026, 7, 14, 15, 30, tzinfo=UTC)
    contact = Contact("7", custom_attributes={"nested": {"list": [1, {"deep": None}]}})
    event = Event(5, "contact.created", moment, Source(1, "chatwoot"), contact=contact)
    data = to_data(event)
    assert data["occurred_at"] == "2026-07-14T15:30:00+00:00"
    assert from_data(json.loads(JsonText.of(data))) == event


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError, match="datetime is not JSON"):
        to_json({"at": datetime.now(UTC)})
