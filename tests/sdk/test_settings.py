"""One declaration: validation, form and JSON Schema."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from hub.sdk import SettingsSchema
from hub.sdk.settings import (
    completed,
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


class Later(Settings):
    """The settings of a later version."""

    secure = toggle("Secure", default=True, before=False)
    pace = number("Pace", default=5, before=None)
    key = secret("Key")
    region = text("Region", required=True)


def test_settings_stored_before_a_new_one_existed_keep_what_was():
    stored = Settings().load(GIVEN)
    read = completed(Later, stored)
    assert read == {**stored, "secure": False, "pace": None, "key": ""}
    new = Later().load({**GIVEN, "region": "eu"})
    assert (new["secure"], new["pace"]) == (True, 5)


def test_stored_settings_that_are_no_longer_known_are_left_out():
    assert "region" not in completed(Settings, {**GIVEN, "region": "eu"})


def test_what_is_shown_of_stored_settings_is_what_counts():
    assert visible_settings(Later, GIVEN)["secure"] is False
