"""Languages: which one a person reads, and the texts in it.

The catalogues are the ``.po`` files in ``locale/``, read when they are first needed.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request, session

from hub.access import identity
from hub.sdk.translation import LANGUAGES as TRANSLATED
from hub.sdk.translation import Translator
from hub.services import registry


def _own_name(code: str) -> str:
    name = str(Locale.parse(code).display_name)
    return name[:1].upper() + name[1:]


DEFAULT = "en"
#: Each with its own name for itself.
LANGUAGES = {code: _own_name(code) for code in (DEFAULT, *TRANSLATED)}
LOCALE = Path(__file__).parent / "locale"


def init_app(app: Flask) -> None:
    """Teach the templates to translate."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    environment: Any = app.jinja_env
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)
    app.jinja_env.filters["sentence"] = sentence


def current() -> str:
    """The language of the present request: the person's choice, or the browser's."""
    someone = identity.known() if has_request_context() else None
    if someone is not None and someone.user.language in LANGUAGES:
        return someone.user.language
    if not has_request_context():
        return DEFAULT
    if (chosen := session.get("language")) in LANGUAGES:
        return str(chosen)
    # A browser's "es-MX" is content with "es", before a language that it likes less.
    by_tag = {name.partition("_")[0]: name for name in LANGUAGES}
    tags = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((by_tag[tag] for tag in tags if tag in by_tag), DEFAULT)


def gettext(text: str, **values: Any) -> str:
    """The text in the present language, with its values filled in."""
    translated = _catalogue(current()).ugettext(text)
    return translated % values if values else translated


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """The text for this number of things."""
    translated = _catalogue(current()).ungettext(one, many, number)
    return translated % {"num": number, **values}


def sentence(text: str, plugin_id: str | None = None) -> str:
    """A sentence that the core or a plugin said in English, in the present language."""
    return _translator(current(), plugin_id)(text) if text else ""


@cache
def _catalogue(language: str) -> NullTranslations:
    path = LOCALE / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def known(language: str) -> dict[str, str]:
    """The sentences that the core says in English, and what they are in the language."""
    return {
        str(message): str(translation)
        for message, translation in getattr(_catalogue(language), "_catalog", {}).items()
        if isinstance(message, str) and message and "%(" not in message
    }


@cache
def _translator(language: str, plugin_id: str | None) -> Translator:
    plugin = registry().plugins.get(plugin_id or "")
    of_plugin = plugin.translations.get(language, {}) if plugin else {}
    return Translator({**known(language), **of_plugin})
