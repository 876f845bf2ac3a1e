"""How moments, durations and numbers are written for the person who looks."""

from __future__ import annotations

import json
import unicodedata
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import phonenumbers
from babel import Locale
from babel.dates import format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal
from flask import Flask
from markupsafe import Markup

from hub import clock as clocks
from hub.access import identity
from hub.dashboard import languages
from hub.history.standing import Standing
from hub.models import Delivery


def init_app(app: Flask) -> None:
    """Give the templates these filters."""
    app.jinja_env.filters.update(
        moment=moment,
        clock=clock,
        ago=ago,
        duration=duration,
        number=number,
        pretty=pretty,
        in_words=in_words,
    )
    app.jinja_env.globals.update(countries=countries, zone_name=zone_name)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def zone() -> tzinfo:
    """The person's time zone."""
    someone = identity.known()
    name = someone.user.timezone if someone else None
    return zoneinfo.ZoneInfo(name) if name else UTC


def moment(value: datetime | None) -> str:
    """Date, time and zone of the person: "23 Nov 2026, 10:04:31 CET"."""
    if value is None:
        return ""
    here = value.astimezone(zone())
    written = format_datetime(here, "medium", tzinfo=zone(), locale=languages.current())
    return f"{written} {zone_name(here)}"


def zone_name(value: datetime | None = None) -> str:
    """What the person's zone is called at a moment, now if none is given: "CET"."""
    name = (value or clocks.now()).astimezone(zone()).tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def clock(value: datetime) -> str:
    """The time of day in the person's zone, which stands beside it once: "10:04"."""
    written: str = format_time(value, "short", tzinfo=zone(), locale=languages.current())
    return written


def ago(value: datetime | None) -> Markup:
    """How long ago, or how soon, with the exact moment behind it."""
    if value is None:
        return Markup()
    said = format_timedelta(
        value - clocks.now(), add_direction=True, locale=languages.current(), format="short"
    )
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), moment(value), said
    )


def duration(seconds: float | None) -> str:
    """A length of time in one unit: "3 min"."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    written: str = format_timedelta(
        timedelta(seconds=seconds), locale=languages.current(), format="short", threshold=1.5
    )
    return written


def in_words(
    delivery: Delivery, standings: Mapping[int, Standing], plugin_id: str | None = None
) -> str:
    """What became of a delivery; of one that is still owed, what it waits for."""
    found = standings.get(delivery.id)
    if found is None:
        return languages.sentence(delivery.reason, plugin_id)
    return said_of(found, plugin_id)


def said_of(found: Standing, plugin_id: str | None = None) -> str:
    """What something waits for."""
    values = {
        name: moment(value) if isinstance(value, datetime) else value
        for name, value in found.values.items()
    }
    said = languages.gettext(found.sentence, **values)
    return " ".join(filter(None, (said, languages.sentence(found.why, plugin_id))))


def number(value: float) -> str:
    """A number with the language's separators."""
    written: str = format_decimal(value, locale=languages.current())
    return written


def countries() -> list[tuple[str, str]]:
    """The countries that a number can be of, by code and name, in the order of their names; first
    none."""
    names: Mapping[str, str] = Locale.parse(languages.current()).territories
    found = [(code, names.get(code, code)) for code in phonenumbers.SUPPORTED_REGIONS]
    # As people look for them: "Égypte" stands among the E.
    found.sort(key=lambda one: unicodedata.normalize("NFD", one[1]).casefold())
    return [("", "–"), *found]


def pretty(value: Any) -> str:
    """JSON for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
