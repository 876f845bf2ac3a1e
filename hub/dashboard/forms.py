"""Forms that are generated from a plugin's settings schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.dashboard.languages import sentence
from hub.sdk.plugin import Plugin
from hub.sdk.settings import FormField, form_fields

#: What the control of each widget is in HTML, where it is called otherwise.
_TYPES = {"secret": "password"}
PREFIX = "s-"
#: Before the name of a secret whose known value is to go.
CLEARED = "clear-"


@dataclass(frozen=True, slots=True)
class Control:
    """One field, ready to be shown."""

    name: str
    type: str
    label: str
    help: str
    placeholder: str
    required: bool
    value: Any
    options: Sequence[tuple[str, str]]
    problem: str
    #: The name of the box that takes a known secret away, where the plugin can do without it.
    clear: str
    focus: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading; the first group may have none.

    The others can be passed over, and are folded away but for those that ask for something.
    """

    title: str
    controls: Sequence[Control]

    @property
    def open(self) -> bool:
        """Whether something in it is wrong, or must be entered."""
        return any(one.problem or (one.required and one.value == "") for one in self.controls)


def groups(
    plugin: Plugin,
    values: Mapping[str, Any],
    problems: Mapping[str, Sequence[str]],
    known: Collection[str],
) -> list[Group]:
    """The form of a plugin's settings, with the values and what is wrong with them.

    A secret never goes to the browser: an empty field keeps the one that is ``known`` (stored, or
    typed a moment ago), unless its box says that it is to go. The first field with
    something wrong gets the focus.
    """
    names = [field.name for _, fields in grouped(form_fields(plugin.settings)) for field in fields]
    first = next((name for name in names if problems.get(name)), None)
    return [
        Group(
            sentence(title, plugin.id),
            [
                _control(plugin, field, values, problems, field.name in known, first)
                for field in fields
            ],
        )
        for title, fields in grouped(form_fields(plugin.settings))
    ]


def grouped(fields: Sequence[FormField]) -> list[tuple[str, list[FormField]]]:
    """Fields by their group, in the order in which the groups appear."""
    found: dict[str, list[FormField]] = {}
    for field in fields:
        found.setdefault(field.group, []).append(field)
    return list(found.items())


def entered(plugin: Plugin, form: Mapping[str, str]) -> dict[str, Any]:
    """What a person entered, as the schema takes it. Secrets without a word on them are left
    out."""
    values: dict[str, Any] = {}
    for field in form_fields(plugin.settings):
        text = form.get(PREFIX + field.name)
        if field.widget == "toggle":
            values[field.name] = text == "true"
        elif field.secret and not text and (CLEARED + field.name) in form:
            values[field.name] = ""
        elif text is None or (field.secret and not text):
            continue
        elif field.widget == "number" and not text.strip():
            values[field.name] = field.default
        else:
            # Passwords may begin or end with a space; addresses and names do not.
            values[field.name] = text if field.secret else text.strip().replace("\r\n", "\n")
    return values


def _control(
    plugin: Plugin,
    field: FormField,
    values: Mapping[str, Any],
    problems: Mapping[str, Sequence[str]],
    known: bool,
    first: str | None,
) -> Control:
    value = "" if field.secret else values.get(field.name, field.default)
    return Control(
        name=PREFIX + field.name,
        type=_TYPES.get(field.widget, field.widget),
        label=sentence(field.label, plugin.id),
        help=sentence(field.help, plugin.id),
        placeholder="••••••••" if known else field.placeholder,
        required=field.required and not known,
        value="" if value is None else value,
        options=[(key, sentence(label, plugin.id)) for key, label in field.options],
        problem=" ".join(sentence(why, plugin.id) for why in problems.get(field.name, ())),
        clear=CLEARED + field.name if known and field.secret and not field.required else "",
        focus=field.name == first,
    )
