"""Manifest, settings and texts."""

from __future__ import annotations

import ast
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import hub_leadsquared
import pytest
from hub_leadsquared import plugin, sentences
from hub_leadsquared.locale import LANGUAGES, catalogue, catalogues
from hub_leadsquared.settings import LeadSquaredSettings, is_leadsquared
from hub_leadsquared.simulator.cli import leadsquared_simulator
from marshmallow import ValidationError

from hub.sdk.plugin import validate
from hub.sdk.settings import form_fields, secret_names, visible_settings

KEYS = {"access_key": "access", "secret_key": "secret"}
PACKAGE = Path(hub_leadsquared.__file__).parent
STEPS = (
    "Check the keys",
    "Find the server of your region",
    "Find or make the activity types",
    "Look for the field for network ids",
)


def shown_texts() -> set[str]:
    texts = {*sentences.ALL.values(), plugin.description, *STEPS}
    for field in form_fields(LeadSquaredSettings):
        texts |= {field.label, field.help, field.group, *(label for _, label in field.options)}
    return texts - {""}


def test_the_manifest_is_valid_and_ready() -> None:
    assert validate(plugin, "leadsquared") is plugin
    assert plugin.not_ready is None
    assert plugin.calls_per_second == 2
    assert not plugin.allow_multiple_hooks
    (command,) = metadata.entry_points(group="hub.commands", name="leadsquared-simulator")
    assert command.load() is leadsquared_simulator
    assert b"<svg" in (plugin.logo_bytes() or b"")
    assert (PACKAGE / "py.typed").exists()


def test_the_package_says_no_to_unknown_names() -> None:
    with pytest.raises(AttributeError):
        hub_leadsquared.nothing  # noqa: B018


def test_only_the_sdk_is_imported_from_the_hub() -> None:
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [item.name for item in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not re.match(r"hub(\.(?!sdk\b)|$)", name), f"{file.name} imports {name}"


class TestSettings:
    def load(self, **given: Any) -> dict[str, Any]:
        return dict(LeadSquaredSettings().load({**KEYS, **given}))

    def test_defaults(self) -> None:
        loaded = self.load()
        assert loaded["api_url"] == "https://api.leadsquared.com"
        assert loaded["calls_per_second"] == 2
        assert loaded["lead_source"] == "Chatwoot"
        assert not loaded["enable_conversation_activity"]
        assert not loaded["enable_transcript_activity"]

    def test_the_keys_are_secret(self) -> None:
        assert secret_names(LeadSquaredSettings) == set(KEYS)
        assert not set(KEYS) & visible_settings(LeadSquaredSettings, self.load()).keys()

    @pytest.mark.parametrize("key", KEYS)
    def test_both_keys_are_needed(self, key: str) -> None:
        for given in ({key: ""}, {key: "  "}):
            with pytest.raises(ValidationError) as caught:
                self.load(**given)
            assert list(caught.value.messages_dict) == [key]

    def test_what_people_paste_is_forgiven(self) -> None:
        loaded = self.load(
            access_key=" key\n", conversation_activity_score="", transcript_activity_score="7"
        )
        assert loaded["access_key"] == "key"
        assert loaded["conversation_activity_score"] == 0
        assert loaded["transcript_activity_score"] == 7

    @pytest.mark.parametrize(
        ("url", "good"),
        [
            ("https://api.leadsquared.com", True),
            ("https://api-in21.leadsquared.com/v2/", True),
            ("http://127.0.0.1:8092", True),
            ("http://localhost:8092", True),
            ("http://api.leadsquared.com", False),
            ("https://leadsquared.com.evil.example", False),
            ("https://evilleadsquared.com", False),
            ("https://10.0.0.1", False),
            ("https://api.leadsquared.com@evil.example", False),
        ],
    )
    def test_keys_go_to_leadsquared_only(self, url: str, good: bool) -> None:
        assert is_leadsquared(url) is good
        if good:
            self.load(api_url=url)
        else:
            with pytest.raises(ValidationError):
                self.load(api_url=url)

    @pytest.mark.parametrize(
        "given",
        [
            {"calls_per_second": 0},
            {"calls_per_second": 26},
            {"phone_field": "Fax"},
            {"language": "de"},
            {"transcript_grace": -1},
            {"unknown": 1},
        ],
    )
    def test_nonsense_is_refused(self, given: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as caught:
            self.load(**given)
        assert list(caught.value.messages_dict) == list(given)


class TestTexts:
    @pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
    def test_every_text_is_translated(self, language: str) -> None:
        assert shown_texts() <= catalogue(language).keys()

    @pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
    def test_nothing_is_translated_that_is_not_shown(self, language: str) -> None:
        assert catalogue(language).keys() <= shown_texts() | {"email", "phone", "network id"}

    @pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
    def test_names_in_braces_are_kept(self, language: str) -> None:
        for text, translation in catalogue(language).items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translation))

    def test_the_manifest_has_all_catalogues(self) -> None:
        assert plugin.translations == catalogues()
        assert set(plugin.translations) == {"fr", "pt_BR", "es"}

    def test_the_steps_are_those_of_the_setup(self) -> None:
        source = (PACKAGE / "setup.py").read_text(encoding="utf-8")
        assert re.findall(r'step\("\w+", "(.+?)"\)', source) == list(STEPS)

    def test_the_docs_know_every_setting_and_every_error(self) -> None:
        page = " ".join(
            (PACKAGE.parents[2] / "docs" / "leadsquared.md").read_text(encoding="utf-8").split()
        )
        for field in form_fields(LeadSquaredSettings):
            assert field.label in page, field.name
        needing_help = (
            "KEYS_WRONG",
            "NOT_ALLOWED",
            "THROTTLED",
            "WRONG_SERVER",
            "NO_SETUP",
            "DUPLICATE",
            "ATTRIBUTE_MISSING",
            "INVALID_INPUT",
            "TAKEN_BY_OTHER",
            "NO_LEAD_YET",
            "KEPT_BACK",
            "ACTIVITY_TYPE_GONE",
            "NO_ACTIVITY_TYPE",
            "HOST_FOREIGN",
            "URL_UNREACHABLE",
            "URL_TLS",
            "URL_BLOCKED",
            "NO_REGION",
            "REGION_FOREIGN",
            "TYPES_UNREADABLE",
            "TYPE_NOT_MADE",
            "SAME_NAME",
            "NO_CUSTOM_FIELD",
            "FIELD_UNREADABLE",
            "NOT_LEADSQUARED",
            "TROUBLE",
            "REFUSED",
        )
        for name in needing_help:
            parts = re.split(r'{\w+}|[:;,.("]', sentences.ALL[name])
            assert next(part.strip() for part in parts if part.strip()) in page, name
