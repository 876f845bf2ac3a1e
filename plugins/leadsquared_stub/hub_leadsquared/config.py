"""The hook's settings and what its setup learned, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.sdk import Context, NeedsAttention, Quotations
from hub_leadsquared import sentences
from hub_leadsquared.mappers.contact import region_of

#: What becomes of a person who has neither email nor phone number.
WHEN_KNOWN: Final = "when_known"
NOTHING: Final = "nothing"

_LEAD_PAGE: Final = "/LeadManagement/LeadDetails?LeadID="


@dataclass(frozen=True, slots=True)
class Config:
    """Settings in the shape in which the plugin works with them."""

    #: ``https://api-in21.leadsquared.com/v2``
    endpoint_url: str
    #: ``https://in21.leadsquared.com``; "" if LeadSquared did not say.
    app_url: str
    #: The zone that times are shown in, and its name for people.
    zone: tzinfo
    zone_name: str
    source: str
    phone_field: str
    #: Whether what needs a lead is kept back until there can be one, and for how many days.
    waits_for_people: bool
    keep_days: float
    #: The field of a lead for the lasting id of who has neither email nor number; "": none.
    identity_field: str
    run_automations: bool
    #: Whether new emails are written, and whether leads that others made follow like the hub's own.
    emails_follow: bool
    follow_found: bool
    blocked_contacts: bool
    automatic_replies: bool
    started_enabled: bool
    started_code: int | None
    transcript_enabled: bool
    transcript_code: int | None
    quotations: Quotations
    survey_answers: bool
    #: Seconds.
    transcript_grace: float
    language: str
    #: Two-letter country code for numbers without a country code.
    region: str | None

    @classmethod
    def of(cls, context: Context) -> Self:
        """Read the settings of a delivery's context.

        :raises NeedsAttention: no setup has run, so the region's server is not known.
        """
        settings, learned = context.settings, context.learned
        if not learned.get("endpoint_url"):
            raise NeedsAttention(sentences.NO_SETUP)
        zone, zone_name = _zone(str(learned.get("timezone") or ""))
        return cls(
            endpoint_url=str(learned["endpoint_url"]).rstrip("/"),
            app_url=str(learned.get("app_url") or "").rstrip("/"),
            zone=zone,
            zone_name=zone_name,
            source=settings["lead_source"],
            phone_field=settings["phone_field"],
            waits_for_people=settings["unknown_people"] == WHEN_KNOWN,
            keep_days=float(settings["keep_days"]),
            identity_field=settings["identity_field"],
            run_automations=settings["run_automations"],
            emails_follow=settings["emails_follow"],
            follow_found=settings["follow_found"],
            blocked_contacts=settings["blocked_contacts"],
            automatic_replies=settings["automatic_replies"],
            started_enabled=settings["enable_conversation_activity"],
            started_code=_number(learned.get("conversation_activity_code")),
            transcript_enabled=settings["enable_transcript_activity"],
            transcript_code=_number(learned.get("transcript_activity_code")),
            quotations=settings["mail_quotations"],
            survey_answers=settings["survey_answers"],
            transcript_grace=float(settings["transcript_grace"]),
            language=settings["language"],
            region=context.default_region or region_of(learned.get("default_country_code")),
        )

    def page(self, lead_id: str) -> str | None:
        """The address of a lead's page."""
        return f"{self.app_url}{_LEAD_PAGE}{lead_id}" if self.app_url else None


def _zone(name: str) -> tuple[tzinfo, str]:
    """A zone by its name; UTC if the name is none that is known here."""
    try:
        return (ZoneInfo(name), name) if name else (UTC, "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC, "UTC"


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
