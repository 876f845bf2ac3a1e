"""The settings of a GLPI hook. Their labels and help are translated in ``locale/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, pre_load

from hub.sdk import SettingsSchema, settings
from hub_glpi.config import AT_ONCE, NOTHING, WHEN_KNOWN
from hub_glpi.locale import LANGUAGES

CONNECTION: Final = "Connection"
PEOPLE: Final = "People"
TICKETS: Final = "Tickets"
MESSAGES: Final = "Messages"
MAPPING: Final = "Status and priority"

_STATUSES: Final = (
    ("1", "1 – New"),
    ("2", "2 – Processing (assigned)"),
    ("3", "3 – Processing (planned)"),
    ("4", "4 – Pending"),
    ("5", "5 – Solved"),
    ("6", "6 – Closed"),
)
_PRIORITIES: Final = (
    ("1", "1 – Very low"),
    ("2", "2 – Low"),
    ("3", "3 – Medium"),
    ("4", "4 – High"),
    ("5", "5 – Very high"),
    ("6", "6 – Major"),
)
_ANONYMOUS: Final = "anonymous_tickets"
_TYPE_WORDS: Final = {"incident": "1", "request": "2"}


def _status(label: str, default: str) -> Any:
    return settings.select(label, _STATUSES, default=default, group=MAPPING)


def _priority(label: str, default: str) -> Any:
    return settings.select(label, _PRIORITIES, default=default, group=MAPPING)


class GlpiSettings(SettingsSchema):
    """What a person enters to connect an account to a GLPI."""

    api_url = settings.url(
        "API address",
        required=True,
        help="The address that GLPI shows under Setup > General > API. The address of any page "
        "of your GLPI works too.",
        placeholder="https://glpi.example.com/apirest.php",
        group=CONNECTION,
    )
    app_token = settings.secret(
        "App token",
        help="The token of the API client in GLPI (Setup > General > API). Empty if it has none.",
        group=CONNECTION,
    )
    user_token = settings.secret(
        "User token",
        required=True,
        help="The API token of the hub's user in GLPI (user > Remote access keys).",
        group=CONNECTION,
    )
    entity_id = settings.number(
        "Entity",
        minimum=0,
        help="The number of the entity for new records. Empty: the user's default entity.",
        placeholder="0",
        group=CONNECTION,
    )
    use_contact = settings.toggle(
        "Contacts instead of users",
        help="Keep customers as GLPI contacts. Tickets then name them by email.",
        group=PEOPLE,
    )
    default_user_id = settings.number(
        "Default user",
        minimum=1,
        help="The number of the GLPI user who is taken if no other is known: as requester of "
        "anonymous tickets, and as author of what agents and bots write.",
        group=PEOPLE,
    )
    user_profile_id = settings.number(
        "Profile of new users",
        minimum=1,
        help="The number of a GLPI profile. Empty: the one that GLPI gives to new users.",
        group=PEOPLE,
    )
    emails_follow = settings.toggle(
        "Emails follow the contact",
        help="Add a new email of a contact to the record that the hub made, as the default one. "
        "The email is not proven: a visitor can enter any address. Never for technicians "
        "and administrators.",
        group=PEOPLE,
    )
    follow_found = settings.toggle(
        "Keep other records in step",
        help="Records that the hub found follow the contact too: what a visitor enters then "
        "changes people in GLPI. Never for technicians and administrators.",
        group=PEOPLE,
    )
    enable_ticket_sync = settings.toggle(
        "Tickets",
        default=True,
        help="Make a ticket of every conversation and keep its status and priority up to date.",
        group=TICKETS,
    )
    ticket_type = settings.select(
        "Ticket type", (("1", "Incident"), ("2", "Request")), default="1", group=TICKETS
    )
    category_id = settings.number(
        "Category",
        minimum=1,
        help="The number of the category for new tickets.",
        group=TICKETS,
    )
    request_source_id = settings.number(
        "Request source",
        minimum=1,
        help="The number of the request source for new tickets. Tickets of mails have GLPI's "
        "request source for mails. Empty: GLPI's default.",
        group=TICKETS,
    )
    unknown_people = settings.select(
        "Unknown people",
        (
            (AT_ONCE, "A ticket at once"),
            (WHEN_KNOWN, "A ticket when they are known"),
            (NOTHING, "No ticket"),
        ),
        default=AT_ONCE,
        before=WHEN_KNOWN,
        help="What becomes of a conversation while its visitor has given neither email nor "
        "phone number. A ticket gets its requester as soon as it is known who that is.",
        group=TICKETS,
    )
    keep_days = settings.number(
        "Days to wait for them",
        default=30,
        minimum=1,
        maximum=365,
        help="Events of unknown people are kept back for so many days. Then they are skipped.",
        group=TICKETS,
    )
    blocked_contacts = settings.toggle(
        "Tickets for blocked contacts",
        before=True,
        help="Make tickets for new conversations of contacts that are blocked in Chatwoot, too.",
        group=TICKETS,
    )
    automatic_replies = settings.toggle(
        "Tickets for automatic replies",
        before=True,
        help="Make tickets for conversations that began with an automatic reply, too, such as "
        "an out-of-office mail. If a conversation has a ticket, its automatic replies "
        "become followups in any case.",
        group=TICKETS,
    )
    solution_text = settings.text(
        "Solution",
        multiline=True,
        help="If given, a resolved conversation solves its ticket with this solution text.",
        placeholder="Resolved in chat.",
        group=TICKETS,
    )
    first_message_grace = settings.number(
        "Wait for the first message",
        default=2,
        minimum=0,
        maximum=60,
        integer=False,
        help="Seconds that a new conversation waits for the customer's first message, which "
        "becomes the text of the ticket.",
        group=TICKETS,
    )
    enable_followup_sync = settings.toggle(
        "Messages as followups",
        default=True,
        help="Add every further message to its ticket.",
        group=MESSAGES,
    )
    sync_private_notes = settings.toggle(
        "Private notes", default=True, help="As private followups.", group=MESSAGES
    )
    sync_template_messages = settings.toggle(
        "Automatic messages",
        help="Greetings, out-of-office texts and surveys.",
        group=MESSAGES,
    )
    survey_answers = settings.toggle(
        "Answers to surveys",
        default=True,
        before=False,
        help="As private followups.",
        group=MESSAGES,
    )
    mail_quotations = settings.select(
        "Quotations in mails",
        (
            ("cut", "Left out"),
            ("source", "As Chatwoot trims them"),
            ("whole", "Kept"),
        ),
        default="cut",
        before="source",
        help="The parts of earlier mails that a mail repeats. Forwarded parts are always kept.",
        group=MESSAGES,
    )
    keep_deleted = settings.toggle(
        "Keep deleted messages",
        help="Leave text and files in GLPI when a message is deleted in Chatwoot, if the law "
        "requires it.",
        group=MESSAGES,
    )
    upload_attachments = settings.toggle(
        "Upload attachments",
        default=True,
        before=False,
        help="Store files as GLPI documents of their message, if the user may create documents. "
        "Otherwise tickets show links to them.",
        group=MESSAGES,
    )
    upload_limit_mb = settings.number(
        "Largest upload (MB)", default=10, minimum=1, maximum=100, group=MESSAGES
    )
    upload_types = settings.text(
        "File types to upload",
        help="File name endings, separated by commas. Empty: all that GLPI accepts.",
        placeholder="pdf, png, jpg",
        group=MESSAGES,
    )
    language = settings.select(
        "Language of the tickets", tuple(LANGUAGES.items()), default="en", group=MESSAGES
    )
    status_open = _status("Open", "2")
    status_pending = _status("Pending", "4")
    status_snoozed = _status("Snoozed", "4")
    status_resolved = _status("Resolved", "5")
    status_bot = _status("With a bot", "1")
    priority_urgent = _priority("Urgent", "5")
    priority_high = _priority("High", "4")
    priority_medium = _priority("Medium", "3")
    priority_low = _priority("Low", "2")
    priority_none = _priority("No priority", "3")

    @classmethod
    def renamed(cls, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """Version 1 had ``anonymous_tickets``, on or off."""
        if _ANONYMOUS not in stored:
            return stored
        rest = {name: value for name, value in stored.items() if name != _ANONYMOUS}
        try:
            at_once = fields.Boolean().deserialize(stored[_ANONYMOUS])
        except ValidationError as error:
            raise ValidationError({_ANONYMOUS: error.messages}) from error
        return {"unknown_people": AT_ONCE if at_once else WHEN_KNOWN, **rest}

    @pre_load
    def _forgive(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Numbers and words where a select wants its value, and empty texts for no number."""
        data = self.renamed(data)
        given = {name: value for name, value in data.items() if not _is_empty_number(name, value)}
        for name, value in given.items():
            if name == "ticket_type" or name.startswith(("status_", "priority_")):
                text = str(value).strip().lower()
                given[name] = _TYPE_WORDS.get(text, text)
            elif name in ("app_token", "user_token", "api_url") and isinstance(value, str):
                given[name] = value.strip()
        return given


def _is_empty_number(name: str, value: Any) -> bool:
    return (
        name.endswith(("_id", "_mb", "_grace", "_days"))
        and isinstance(value, str)
        and not value.strip()
    )
