"""Settings, and that every text is there in every language."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hub_glpi import plugin, sentences
from hub_glpi.locale import LANGUAGES, catalogue, phrase
from hub_glpi.settings import GlpiSettings
from marshmallow import ValidationError

from hub.sdk.settings import form_fields, json_schema, secret_names
from hub.sdk.translation import Translator

REQUIRED = {"api_url": "https://glpi.example/apirest.php", "user_token": "x" * 40}
OTHERS = [language for language in LANGUAGES if language != "en"]


def loaded(**given: Any) -> dict[str, Any]:
    values: dict[str, Any] = GlpiSettings().load({**REQUIRED, **given})
    return values


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def texts() -> set[str]:
    found = set(sentences.ALL.values()) | {plugin.description}
    for field in form_fields(GlpiSettings):
        found |= {field.label, field.help, field.group}
        if field.name != "language":
            found |= {label for _, label in field.options}
    return found - {""}


class TestSettings:
    def test_the_names_of_the_plan(self) -> None:
        assert {
            "api_url", "app_token", "user_token", "entity_id", "use_contact",
            "enable_ticket_sync", "enable_followup_sync", "ticket_type", "category_id",
            "default_user_id",
        } <= set(loaded())  # fmt: skip

    def test_defaults(self) -> None:
        values = loaded()
        assert values["enable_ticket_sync"] is True
        assert values["use_contact"] is False
        assert values["first_message_grace"] == 2
        assert values["entity_id"] is None

    def test_secrets_are_never_shown(self) -> None:
        assert secret_names(GlpiSettings) == {"app_token", "user_token"}

    @pytest.mark.parametrize(("given", "kept"), [(1, "1"), ("2", "2"), ("Request", "2")])
    def test_ticket_type_as_people_give_it(self, given: Any, kept: str) -> None:
        assert loaded(ticket_type=given)["ticket_type"] == kept

    def test_empty_numbers_are_none(self) -> None:
        assert loaded(entity_id="", category_id=" ")["entity_id"] is None

    def test_pasted_tokens_are_trimmed(self) -> None:
        assert loaded(user_token=" abc\n")["user_token"] == "abc"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"status_open": "7"},
            {"ticket_type": "9"},
            {"api_url": "glpi.example"},
            {"entity_id": -1},
            {"nonsense": 1},
            {"user_token": ""},
        ],
    )
    def test_what_is_refused_is_named(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refused:
            loaded(**wrong)
        assert set(refused.value.normalized_messages()) == set(wrong)

    def test_every_setting_has_a_label_and_a_group(self) -> None:
        for field in form_fields(GlpiSettings):
            assert field.label
            assert field.group
        assert json_schema(GlpiSettings)["required"] == ["api_url", "user_token"]


@pytest.mark.parametrize("language", OTHERS)
class TestTranslations:
    def test_every_text_is_translated(self, language: str) -> None:
        assert texts() - set(catalogue(language)) == set()

    def test_no_text_is_translated_in_vain(self, language: str) -> None:
        assert set(catalogue(language)) - texts() <= {"email", "phone"}

    def test_the_same_names_are_filled_in(self, language: str) -> None:
        for text, translation in catalogue(language).items():
            assert names_in(text) == names_in(translation), text

    def test_nothing_is_left_in_english(self, language: str) -> None:
        long = [t for t in catalogue(language) if len(re.sub(r"\{\w+\}", "", t)) > 15]
        assert [t for t in long if catalogue(language)[t] == t] == []

    def test_a_phrase_with_values(self, language: str) -> None:
        text = phrase(sentences.TITLE, language, number=7)
        assert "7" in text
        assert "{" not in text


class TestTranslator:
    """Sentences that were filled in are found again by their template."""

    def test_filled_in_values_are_kept(self) -> None:
        french = Translator(catalogue("fr"))
        assert french("Ticket 99 created for user 42.") == "Ticket 99 créé pour user 42."
        assert french("Ticket 99 created for an unknown customer.") == (
            "Ticket 99 créé pour un client inconnu."
        )

    def test_the_longer_template_wins(self) -> None:
        spanish = Translator(catalogue("es"))
        assert spanish("User 7 found by email and completed.") == (
            "Usuario 7 encontrado por correo y completado."
        )

    def test_unknown_sentences_stay(self) -> None:
        assert Translator(catalogue("pt_BR"))("Never said.") == "Never said."

    @pytest.mark.parametrize("name", sorted(sentences.ALL))
    def test_every_sentence_is_found_filled_in(self, name: str) -> None:
        template = sentences.ALL[name]
        filled = template.format(**dict.fromkeys(names_in(template), "Ω7"))
        assert Translator(catalogue("fr"))(filled) == catalogue("fr")[template].format(
            **dict.fromkeys(names_in(template), "Ω7")
        )
