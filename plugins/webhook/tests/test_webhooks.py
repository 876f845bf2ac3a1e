"""What is sent, what the answers mean, and which settings are refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hub_webhook import plugin
from hub_webhook.rendering import Failed, Unreadable, body_of, is_wanted
from hub_webhook.sample import sample_event
from hub_webhook.settings import WebhookSettings
from hub_webhook.signing import BadSecret, headers, key_of
from hub_webhook.simulator import SECRET, ReceiverSimulator
from marshmallow import ValidationError
from standardwebhooks.webhooks import Webhook

from hub.sdk import EVENT_NAMES, Conversation, Event, NeedsAttention, Rejected, RetryLater, Skip
from hub.sdk.testing.context import MemoryContext
from hub.sdk.testing.simulator import Fault

OTHER = "whsec_YW5vdGhlciBzZWNyZXQgb2YgbW9yZSB0aGFuIDI0IGJ5dGVz"
NOW = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
EVENT = replace(sample_event(NOW), id=42)


@pytest.fixture
def receiver() -> Iterator[ReceiverSimulator]:
    with ReceiverSimulator() as running:
        yield running


Handle = Callable[..., Any]


@pytest.fixture
def handle(receiver: ReceiverSimulator) -> Handle:
    def run(event: Event = EVENT, **settings: Any) -> Any:
        given = {"url": receiver.url, "secret": SECRET, **settings}
        context = MemoryContext(settings=WebhookSettings().load(given))
        return getattr(plugin.processor(context), event.handler_name)(event)

    return run


@pytest.mark.parametrize("secret", [SECRET, OTHER, OTHER.removeprefix("whsec_")])
def test_signatures_are_what_the_specifications_own_library_makes(secret):
    body = json.dumps({"text": "Zoë"}, ensure_ascii=False).encode()
    theirs = Webhook(secret).sign("msg_1", NOW, body.decode())
    assert headers("msg_1", NOW, body, [secret]) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": theirs,
    }


def test_a_message_verifies_with_the_specifications_own_library(receiver, handle):
    handle(second_secret=OTHER)
    (request,) = receiver.requests("POST")
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (SECRET, OTHER):
        # The library asks for a fresh timestamp; the test's clock stands still.
        moment = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        mine = Webhook(secret).sign(request.headers["webhook-id"], moment, request.text)
        assert mine in request.headers["webhook-signature"].split()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", "é"])
def test_what_is_no_secret(secret):
    with pytest.raises(BadSecret):
        key_of(secret)


def test_the_specifications_own_form(handle, receiver):
    done = handle()
    (message,) = receiver.state()["messages"]
    assert message["type"] == "message.created"
    assert message["timestamp"] == "2026-07-14T10:00:00+00:00"
    assert message["data"]["message"]["text"] == "Hello!"
    assert message["data"]["contact"]["email"] == "sam@example.com"
    assert "127.0.0.1 as msg_" in done.sentence


def test_the_same_event_has_the_same_id_whenever_it_is_sent(handle, receiver):
    handle()
    handle()
    assert receiver.state()["repeated"] == 1
    assert len(receiver.state()["messages"]) == 1


def test_a_template_makes_the_body(handle, receiver):
    handle(template='{"text": {{ (contact.name ~ ": " ~ message.text) | json }}}')
    assert receiver.state()["messages"] == [{"text": "Sam Sample: Hello!"}]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"events": "message.created"}, 1),
        ({"events": "contact.created, conversation.resolved"}, 0),
        ({"condition": "message.direction == 'incoming'"}, 1),
        ({"condition": "conversation and 'vip' in conversation.labels"}, 0),
    ],
)
def test_only_what_is_wanted(handle, receiver, settings, sent):
    if sent:
        handle(**settings)
    else:
        with pytest.raises(Skip):
            handle(**settings)
    assert len(receiver.state()["messages"]) == sent


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_every_event_has_a_handler(handle, receiver, name):
    handle(replace(EVENT, name=name, conversation=Conversation("7")))
    assert receiver.state()["messages"][0]["type"] == name


@pytest.mark.parametrize(
    ("status", "error", "field"),
    [
        (401, NeedsAttention, "secret"),
        (403, NeedsAttention, "secret"),
        (404, NeedsAttention, "url"),
        (410, NeedsAttention, "url"),
        (302, NeedsAttention, "url"),
        (400, Rejected, None),
        (422, Rejected, None),
        (408, RetryLater, None),
        (425, RetryLater, None),
        (429, RetryLater, None),
        (500, RetryLater, None),
    ],
)
def test_what_answers_mean(handle, receiver, status, error, field):
    receiver.add_fault(Fault("status", status=status))
    with pytest.raises(error) as caught:
        handle()
    assert getattr(caught.value, "field", None) == field


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ contact.update({'name': 'x'}) }}",
        "{{ range(10000000) | list }}",
        "{{ nobody.name }}",
        "{{ 1 / 0 }}",
    ],
)
def test_templates_stay_in_their_sandbox(template):
    with pytest.raises(Failed):
        body_of(template, EVENT)


@pytest.mark.parametrize("condition", ["contact =", "{% if", "''.__class__.__mro__ or ("])
def test_a_condition_that_cannot_be_read(condition):
    with pytest.raises(Unreadable):
        is_wanted(condition, EVENT)


def test_an_event_on_which_the_template_fails_is_a_dead_letter_with_the_field(handle):
    with pytest.raises(Rejected) as caught:
        handle(replace(EVENT, message=None), template="{{ message.text }}")
    assert caught.value.field == "template"


def test_a_message_has_a_largest_size(handle):
    with pytest.raises(Rejected, match="1048576"):
        handle(template="{{ 'x' * 2000000 }}", content_type="text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://example.com/hook"),
        ("url", "ftp://example.com"),
        ("secret", "not base64"),
        ("second_secret", "whsec_c2hvcnQ="),
        ("events", "message.created, message.burnt"),
    ],
)
def test_settings_that_are_refused(field, value):
    given = {"url": "https://example.com", "secret": SECRET, field: value}
    with pytest.raises(ValidationError) as caught:
        WebhookSettings().load(given)
    assert set(caught.value.normalized_messages()) == {field}


@pytest.mark.parametrize("url", ["http://localhost:5678/", "http://n8n:5678/", "http://10.0.0.7/"])
def test_plain_http_inside_ones_own_network(url):
    assert WebhookSettings().load({"url": url, "secret": SECRET})["url"] == url
