"""One declaration: validation, form and JSON Schema."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from hub.sdk import SettingsSchema
from hub.sdk.settings import (
    form_fields,
    json_schema,
    number,
    secret,
    secret_names,
    select,
    text,
    toggle,
    url,
    visible_settings,
)


class Settings(SettingsSchema):
    address = url("Address", required=True, help="Where it is.")
    token = secret("Token", required=True)
    limit = number("Limit", default=5, minimum=1, maximum=9)
    entity = number("Entity")
    switch = toggle("Switch", default=True)
    mode = select("Mode", [("a", "Mode A"), ("b", "Mode B")], default="a")
    note = text("Note", visible=False)


GIVEN = {"address": "https://crm.example", "token": "planted"}


def test_defaults_are_filled_in():
    assert Settings().load(GIVEN) == {
        **GIVEN,
        "limit": 5,
        "entity": None,
        "switch": True,
        "mode": "a",
        "note": "",
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"address": "ftp://x"}, "address"),
        ({"address": ""}, "address"),
        ({"token": ""}, "token"),
        ({"limit": 10}, "limit"),
        ({"mode": "c"}, "mode"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_the_wrong_field_is_named(wrong, field):
    with pytest.raises(ValidationError) as error:
        Settings().load({**GIVEN, **wrong})
    assert list(error.value.messages) == [field]


def test_hosts_without_a_dot_are_addresses():
    assert Settings().load({**GIVEN, "address": "http://glpi:8080"})


def test_the_form_follows_the_declaration():
    fields = form_fields(Settings)
    assert [field.name for field in fields] == [
        "address",
        "token",
        "limit",
        "entity",
        "switch",
        "mode",
        "note",
    ]
    assert (fields[0].required, fields[0].help, fields[0].widget) == (True, "Where it is.", "url")
    assert fields[5].options == [("a", "Mode A"), ("b", "Mode B")]


def test_secrets_are_never_visible():
    assert secret_names(Settings) == {"token"}
    assert visible_settings(Settings, Settings().load(GIVEN)) == {
        "address": "https://crm.example",
        "limit": 5,
        "entity": None,
        "switch": True,
        "mode": "a",
    }


def test_the_json_schema():
    schema = json_schema(Settings)
    assert schema["required"] == ["address", "token"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["token"]["writeOnly"] is True
    assert properties["limit"] == {
        "type": "integer",
        "title": "Limit",
        "default": 5,
        "minimum": 1,
        "maximum": 9,
    }
    assert properties["entity"]["type"] == ["integer", "null"]
    assert properties["mode"]["enum"] == ["a", "b"]
