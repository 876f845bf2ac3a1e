"""Settings of a hook: one marshmallow schema from which everything else is derived.

A plugin author declares a ``SettingsSchema`` with the field functions below. Validation, the JSON
Schema, the dashboard's form and the API's documentation all come from that one declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, fields, missing, validate
from urllib3.util import parse_url

Widget = Literal["text", "textarea", "url", "secret", "number", "toggle", "select"]


#: Stands for "as ``default``".
_AS_DEFAULT: Any = object()


class SettingsSchema(Schema):
    """Base of all settings schemas. Unknown keys are refused, and the error names them.

    A later version of a plugin may add a setting. New connections get its ``default``. Connections
    that were stored without it get ``before``, if that is given, and else ``default``. So a new
    setting need not change what existing connections do.
    """

    class Meta:
        unknown = RAISE

    @classmethod
    def renamed(cls, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """Stored settings with the names and values that this version uses. A plugin that has
        replaced a setting converts the old one here. Since SDK 1.1."""
        return stored


def _metadata(
    widget: Widget,
    label: str,
    help: str,
    placeholder: str,
    group: str,
    visible: bool,
    options: Sequence[tuple[str, str]] = (),
    before: Any = _AS_DEFAULT,
) -> dict[str, Any]:
    known_before = {} if before is _AS_DEFAULT else {"before": before}
    return {
        **known_before,
        "widget": widget,
        "label": label,
        "help": help,
        "placeholder": placeholder,
        "group": group,
        "visible": visible,
        "options": list(options),
    }


def text(
    label: str,
    *,
    required: bool = False,
    default: str = "",
    before: str = _AS_DEFAULT,
    help: str = "",
    placeholder: str = "",
    group: str = "",
    visible: bool = True,
    multiline: bool = False,
    max_length: int = 10_000,
    validators: Sequence[Any] = (),
) -> fields.String:
    """A text. ``visible`` settings are shown again after they were saved."""
    return fields.String(
        **_presence(required, default),
        validate=[validate.Length(min=1 if required else 0, max=max_length), *validators],
        metadata=_metadata(
            "textarea" if multiline else "text",
            label,
            help,
            placeholder,
            group,
            visible,
            before=before,
        ),
    )


def url(
    label: str,
    *,
    required: bool = False,
    default: str = "",
    before: str = _AS_DEFAULT,
    help: str = "",
    placeholder: str = "https://",
    group: str = "",
    visible: bool = True,
) -> fields.String:
    """An http or https address. Whether it may be called is decided with every call."""
    return fields.String(
        **_presence(required, default),
        validate=[_HttpAddress(required)],
        metadata=_metadata("url", label, help, placeholder, group, visible, before=before),
    )


def secret(
    label: str, *, required: bool = False, help: str = "", placeholder: str = "", group: str = ""
) -> fields.String:
    """A text that is encrypted at rest and never shown, logged or given back."""
    return fields.String(
        **_presence(required, ""),
        validate=[validate.Length(min=1 if required else 0, max=4_096)],
        metadata=_metadata("secret", label, help, placeholder, group, visible=False),
    )


def number(
    label: str,
    *,
    required: bool = False,
    default: float | None = None,
    before: float | None = _AS_DEFAULT,
    minimum: float | None = None,
    maximum: float | None = None,
    integer: bool = True,
    help: str = "",
    placeholder: str = "",
    group: str = "",
    visible: bool = True,
) -> fields.Integer | fields.Float:
    """A number within bounds; ``default=None`` makes it optional."""
    kind = fields.Integer if integer else fields.Float
    return kind(
        **_presence(required, default),
        allow_none=not required and default is None,
        validate=[validate.Range(min=minimum, max=maximum)],
        metadata=_metadata("number", label, help, placeholder, group, visible, before=before),
    )


def toggle(
    label: str,
    *,
    default: bool = False,
    before: bool = _AS_DEFAULT,
    help: str = "",
    group: str = "",
    visible: bool = True,
) -> fields.Boolean:
    """A switch."""
    return fields.Boolean(
        load_default=default,
        metadata=_metadata("toggle", label, help, "", group, visible, before=before),
    )


def select(
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    default: str,
    before: str = _AS_DEFAULT,
    help: str = "",
    group: str = "",
    visible: bool = True,
) -> fields.String:
    """One of several values; ``options`` are pairs of value and label."""
    return fields.String(
        load_default=default,
        validate=[validate.OneOf([value for value, _ in options])],
        metadata=_metadata("select", label, help, "", group, visible, options, before=before),
    )


def _presence(required: bool, default: Any) -> dict[str, Any]:
    return {"required": True} if required else {"load_default": default}


class _HttpAddress(validate.URL):
    """Accepts an empty value where the setting is optional, and hosts without a dot."""

    def __init__(self, required: bool) -> None:
        super().__init__(
            schemes={"http", "https"},
            require_tld=False,
            error="Enter an address that begins with https:// or http://.",
        )
        self.required = required

    def __call__(self, value: str) -> str:
        if not value and not self.required:
            return value
        return super().__call__(value)


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form that a person fills in."""

    name: str
    widget: Widget
    label: str
    help: str
    placeholder: str
    group: str
    required: bool
    visible: bool
    default: Any
    options: Sequence[tuple[str, str]]

    @property
    def secret(self) -> bool:
        """Whether the value must never be shown."""
        return self.widget == "secret"


def form_fields(schema: type[SettingsSchema]) -> list[FormField]:
    """The form of a schema, in the order of declaration."""
    return [
        FormField(
            name=name,
            widget=declared.metadata["widget"],
            label=declared.metadata["label"],
            help=declared.metadata["help"],
            placeholder=declared.metadata["placeholder"],
            group=declared.metadata["group"],
            required=declared.required,
            visible=declared.metadata["visible"],
            default=None if declared.required else declared.load_default,
            options=[tuple(option) for option in declared.metadata["options"]],
        )
        for name, declared in schema().fields.items()
    ]


def secret_names(schema: type[SettingsSchema]) -> frozenset[str]:
    """The names of the settings that must be kept secret."""
    return _secret_names(schema)


@cache
def _secret_names(schema: type[SettingsSchema]) -> frozenset[str]:
    return frozenset(item.name for item in form_fields(schema) if item.secret)


def url_names(schema: type[SettingsSchema]) -> frozenset[str]:
    """The names of the settings that say where calls go."""
    return frozenset(item.name for item in form_fields(schema) if item.widget == "url")


def origin_of(address: Any) -> str:
    """The scheme, host and port of an address: "https://crm.example:443". Empty for none.

    An address that parsers understand differently ("https://crm.example\\@other.example") is
    returned as it is.
    """
    text = str(address or "").strip()
    try:
        parts, again = urlsplit(text), parse_url(text)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:  # the error of urllib3 is a ValueError too
        return text
    if (parts.hostname or "") != (again.host or "").strip("[]").lower() or parts.username:
        return text
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}" if parts.netloc else text


def host_of(address: Any) -> str:
    """The host name of an address in lower case, without a last dot. Empty for none."""
    origin = origin_of(address)
    try:
        return (urlsplit(origin.replace("://::", "://[::")).hostname or "").rstrip(".")
    except ValueError:
        return ""


def visible_settings(schema: type[SettingsSchema], values: Mapping[str, Any]) -> dict[str, Any]:
    """The part of stored settings that may be shown."""
    read = completed(schema, values)
    return {
        item.name: read[item.name]
        for item in form_fields(schema)
        if item.visible and not item.secret and item.name in read
    }


def completed(schema: type[SettingsSchema], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored settings as this version of the plugin reads them.

    Settings that were added later are filled in, and optional secrets with an empty text. Settings
    that the plugin no longer knows are left out. A required setting stays missing, because only a
    person can give it.
    """
    fill = _filling(schema)
    stored = schema.renamed(stored)
    return {**fill.values, **{name: stored[name] for name in stored if name in fill.known}}


@dataclass(frozen=True, slots=True)
class _Filling:
    known: frozenset[str]
    values: Mapping[str, Any]


@cache
def _filling(schema: type[SettingsSchema]) -> _Filling:
    declared = schema().fields
    values = {
        name: item.metadata.get("before", item.load_default) for name, item in declared.items()
    }
    return _Filling(
        frozenset(declared),
        {name: value for name, value in values.items() if value is not missing},
    )


def json_schema(schema: type[SettingsSchema]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a settings schema."""
    declared = schema().fields
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, item in declared.items() if item.required],
        "properties": {name: _json_property(item) for name, item in declared.items()},
    }


def _json_property(declared: fields.Field[Any]) -> dict[str, Any]:
    kinds: list[tuple[type[fields.Field[Any]], str]] = [
        (fields.Boolean, "boolean"),
        (fields.Integer, "integer"),
        (fields.Float, "number"),
    ]
    kind: str | list[str] = next(
        (name for cls, name in kinds if isinstance(declared, cls)), "string"
    )
    if declared.allow_none:
        kind = [str(kind), "null"]
    described: dict[str, Any] = {"type": kind, "title": declared.metadata["label"]}
    if declared.metadata["help"]:
        described["description"] = declared.metadata["help"]
    if not declared.required:
        described["default"] = declared.load_default
    if declared.metadata["options"]:
        described["enum"] = [value for value, _ in declared.metadata["options"]]
    if declared.metadata["widget"] == "secret":
        described["writeOnly"] = True
    if declared.metadata["widget"] == "url":
        described["format"] = "uri"
    for rule in declared.validators:
        if isinstance(rule, validate.Range):
            if rule.min is not None:
                described["minimum"] = rule.min
            if rule.max is not None:
                described["maximum"] = rule.max
        elif isinstance(rule, validate.Length):
            if rule.min:
                described["minLength"] = rule.min
            if rule.max is not None:
                described["maxLength"] = rule.max
    return described
