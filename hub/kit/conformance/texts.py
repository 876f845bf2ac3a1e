"""Texts: everything that people read, in every language that the plugin speaks."""

from __future__ import annotations

import re

from hub.kit import stories
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.subject import Subject
from hub.sdk.settings import form_fields
from hub.sdk.translation import LANGUAGES, Translator

_BRACES = re.compile(r"{\w+}")


class Texts(Subject):
    """The translations are complete."""

    def test_every_language_has_a_catalogue(self) -> None:
        missing = sorted(set(self.languages) - set(self.plugin.translations))
        assert missing == [], (
            "The hub speaks these, the plugin does not. (``languages = ()`` says that it speaks "
            "English only.)"
        )

    def test_every_text_of_the_form_is_translated(self) -> None:
        texts = {self.plugin.description}
        for field in form_fields(self.plugin.settings):
            texts |= {field.label, field.help, field.group}
            # Languages are called by their own names.
            texts |= {text for value, text in field.options if value not in ("en", *LANGUAGES)}
        for language, catalogue in self.plugin.translations.items():
            missing = sorted(texts - {""} - set(catalogue))
            assert missing == [], language

    def test_every_sentence_about_an_event_is_translated(self, bench: Bench) -> None:
        sentences = {bench.begin().sentence, *bench.last.titles}
        for story in (stories.customer(self.plugin.events), stories.recorded(self.plugin.events)):
            for event in story:
                sentences.add(bench.settle(event).sentence)
                sentences.update(bench.last.story)
        for language, catalogue in self.plugin.translations.items():
            translate = Translator(catalogue)
            missing = sorted(text for text in sentences if not translate.knows(text))
            assert missing == [], language

    def test_translations_keep_the_names_in_braces(self) -> None:
        wrong = [
            (language, text)
            for language, catalogue in self.plugin.translations.items()
            for text, translation in catalogue.items()
            if sorted(_BRACES.findall(text)) != sorted(_BRACES.findall(translation))
        ]
        assert wrong == []
