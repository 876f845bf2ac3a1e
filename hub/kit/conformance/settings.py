"""The settings schema: what a person enters, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from marshmallow import ValidationError

from hub.kit.conformance.subject import Subject
from hub.sdk.settings import form_fields, json_schema, visible_settings

#: An address that is never called; the settings are only looked at.
URL = "http://127.0.0.1:9"


class Settings(Subject):
    """Every setting can be entered, stored, read again and explained."""

    def _load(self, given: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = self.plugin.settings().load(dict(given))
        return loaded

    def test_settings_come_back_from_the_database_as_they_were(self) -> None:
        once = self._load(self.settings(URL))
        assert self._load(json.loads(json.dumps(once))) == once

    def test_settings_may_be_entered_as_texts(self) -> None:
        """As the command line gives them."""
        given = self.settings(URL)
        texts = {name: str(value) for name, value in given.items() if value is not None}
        assert self._load(texts) == self._load(given)

    def test_what_is_not_given_has_a_default_that_is_allowed(self) -> None:
        required = {field.name for field in form_fields(self.plugin.settings) if field.required}
        given = {name: value for name, value in self.settings(URL).items() if name in required}
        loaded = self._load(given)
        assert self._load(loaded) == loaded

    def test_what_is_missing_is_named(self) -> None:
        for field in form_fields(self.plugin.settings):
            if not field.required:
                continue
            given = {n: v for n, v in self.settings(URL).items() if n != field.name}
            with pytest.raises(ValidationError) as refused:
                self._load(given)
            assert field.name in refused.value.messages_dict

    def test_an_unknown_setting_is_refused(self) -> None:
        with pytest.raises(ValidationError) as refused:
            self._load({**self.settings(URL), "no_such_setting": "1"})
        assert list(refused.value.messages_dict) == ["no_such_setting"]

    def test_every_setting_has_a_label_and_the_secret_ones_a_help(self) -> None:
        bare = [
            field.name
            for field in form_fields(self.plugin.settings)
            if not field.label or (field.secret and not field.help)
        ]
        assert bare == [], "Say what it is, and where a person finds it."

    def test_secrets_are_never_shown_again(self) -> None:
        fields = form_fields(self.plugin.settings)
        hidden = {field.name for field in fields if field.secret or not field.visible}
        loaded = self._load(self.settings(URL))
        assert hidden.isdisjoint(visible_settings(self.plugin.settings, loaded))
        open_names = [
            field.name
            for field in fields
            if not field.secret
            and any(word in field.name for word in ("password", "token", "secret"))
            and field.widget == "text"
        ]
        assert open_names == [], "Declare it with hub.sdk.settings.secret."

    def test_the_json_schema_describes_every_setting(self) -> None:
        schema = json_schema(self.plugin.settings)
        json.dumps(schema)
        assert set(schema["properties"]) == {f.name for f in form_fields(self.plugin.settings)}
