"""The hook's settings and what its setup learned, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from hub.sdk import Context, Quotations
from hub_glpi.mappers.conversation import E_MAIL, NEW, PENDING, PROCESSING, SOLVED

API_PATH: Final = "/apirest.php"

#: What the conversation of a person becomes of whom nothing is known.
AT_ONCE: Final = "at_once"
WHEN_KNOWN: Final = "when_known"
NOTHING: Final = "nothing"

#: Chatwoot's status -> GLPI's, unless the settings say otherwise.
STATUSES: Final[Mapping[str, int]] = {
    "open": PROCESSING,
    "pending": PENDING,
    "snoozed": PENDING,
    "resolved": SOLVED,
    "bot": NEW,
}
#: Chatwoot's priority -> GLPI's (1 very low to 6 major), unless the settings say otherwise.
PRIORITIES: Final[Mapping[str, int]] = {"urgent": 5, "high": 4, "medium": 3, "low": 2, "none": 3}


@dataclass(frozen=True, slots=True)
class Config:
    """Settings in the shape in which the plugin works with them. Sizes are in bytes."""

    api_url: str
    entity_id: int | None
    profile_id: int | None
    use_contact: bool
    sync_tickets: bool
    sync_followups: bool
    ticket_type: int
    category_id: int | None
    request_source_id: int | None
    #: That of mails; ``None`` if GLPI has none.
    mail_source_id: int | None
    default_user_id: int | None
    #: What a conversation of an unknown person becomes: ``AT_ONCE``, ``WHEN_KNOWN`` or ``NOTHING``.
    unknown_people: str
    #: Days for which it is kept back.
    keep_days: float
    blocked_contacts: bool
    automatic_replies: bool
    #: Whether new emails are added, and whether records that others made follow like the hub's own.
    emails_follow: bool
    follow_found: bool
    statuses: Mapping[str, int]
    priorities: Mapping[str, int]
    solution_text: str
    first_message_grace: float
    private_notes: bool
    template_messages: bool
    survey_answers: bool
    quotations: Quotations
    upload_attachments: bool
    keep_deleted: bool
    upload_limit: int
    upload_types: frozenset[str]
    language: str
    default_region: str | None
    account_name: str
    #: The user whose token is used, and GLPI's main version; 0 before the first setup.
    api_user_id: int
    version: int

    @classmethod
    def of(cls, context: Context) -> Self:
        """Read the settings of a delivery's context."""
        settings, learned = context.settings, context.learned
        return cls(
            api_url=str(settings["api_url"]).rstrip("/"),
            entity_id=_first(settings["entity_id"], learned.get("entity_id")),
            profile_id=_first(settings["user_profile_id"], learned.get("user_profile_id")),
            use_contact=settings["use_contact"],
            sync_tickets=settings["enable_ticket_sync"],
            sync_followups=settings["enable_followup_sync"],
            ticket_type=int(settings["ticket_type"]),
            category_id=settings["category_id"],
            request_source_id=settings["request_source_id"],
            mail_source_id=learned.get("mail_source_id", E_MAIL),
            default_user_id=settings["default_user_id"],
            unknown_people=settings["unknown_people"],
            keep_days=float(settings["keep_days"]),
            blocked_contacts=settings["blocked_contacts"],
            automatic_replies=settings["automatic_replies"],
            emails_follow=settings["emails_follow"],
            follow_found=settings["follow_found"],
            statuses={name: int(settings[f"status_{name}"]) for name in STATUSES},
            priorities={name: int(settings[f"priority_{name}"]) for name in PRIORITIES},
            solution_text=settings["solution_text"].strip(),
            first_message_grace=float(settings["first_message_grace"]),
            private_notes=settings["sync_private_notes"],
            template_messages=settings["sync_template_messages"],
            upload_attachments=settings["upload_attachments"] and learned.get("may_upload", True),
            survey_answers=settings["survey_answers"],
            quotations=settings["mail_quotations"],
            keep_deleted=settings["keep_deleted"],
            upload_limit=int(settings["upload_limit_mb"]) * 1024 * 1024,
            upload_types=_types(settings["upload_types"]),
            language=settings["language"],
            default_region=context.default_region,
            account_name=context.account_name,
            api_user_id=int(learned.get("user_id") or 0),
            version=_main_version(learned.get("version")),
        )

    @property
    def site_url(self) -> str:
        """The address that people open in a browser."""
        return self.api_url.removesuffix(API_PATH)

    def page(self, name: str, number: int | str) -> str:
        """The address of a record's page: ``page("ticket", 99)``."""
        return f"{self.site_url}/front/{name}.form.php?id={number}"


def _first(*values: Any) -> int | None:
    return next((int(value) for value in values if value is not None), None)


def _types(text: str) -> frozenset[str]:
    """File name endings without dots, in lower case."""
    words = text.replace(",", " ").split()
    return frozenset(word.lstrip(".*").casefold() for word in words)


def _main_version(text: Any) -> int:
    main, *_ = str(text or "0").split(".")
    return int(main) if main.isdigit() else 0
