"""The settings of a LeadSquared hook. Their labels and help are translated in ``locale/``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from marshmallow import ValidationError, pre_load, validates

from hub.sdk import SettingsSchema, settings
from hub_leadsquared import sentences
from hub_leadsquared.config import NOTHING, WHEN_KNOWN
from hub_leadsquared.locale import LANGUAGES

CONNECTION: Final = "Connection"
LEADS: Final = "Leads"
ACTIVITIES: Final = "Activities"

#: Where every account signs in, whatever region it lives in.
GLOBAL_URL: Final = "https://api.leadsquared.com"
#: Safe on the smallest plans, which allow 2 to 10 calls in 5 seconds with bursts.
CALLS_PER_SECOND: Final = 2.0
_DOMAIN: Final = "leadsquared.com"
_CUSTOM_FIELD: Final = re.compile(r"mx_\w+", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class LeadSquaredSettings(SettingsSchema):
    """What a person enters to connect an account to LeadSquared."""

    access_key = settings.secret(
        "Access key",
        required=True,
        help="The access key of an administrator, from Settings > API and Webhooks in LeadSquared.",
        group=CONNECTION,
    )
    secret_key = settings.secret(
        "Secret key",
        required=True,
        help="LeadSquared shows it beside the access key.",
        group=CONNECTION,
    )
    api_url = settings.url(
        "API address",
        default=GLOBAL_URL,
        help="Leave it as it is: the setup finds the server of your region.",
        placeholder=GLOBAL_URL,
        group=CONNECTION,
    )
    calls_per_second = settings.number(
        "Calls per second",
        default=CALLS_PER_SECOND,
        minimum=0.1,
        maximum=25,
        integer=False,
        help="The most calls that all workers of the hub make together. LeadSquared allows 2 to "
        "25 calls in 5 seconds, depending on your plan, and other integrations of yours "
        "count too.",
        group=CONNECTION,
    )
    lead_source = settings.text(
        "Lead source",
        default="Chatwoot",
        max_length=100,
        help="Source of the leads that the hub makes. Leads that exist keep theirs.",
        group=LEADS,
    )
    phone_field = settings.select(
        "Phone number in",
        (("Mobile", "Mobile Number"), ("Phone", "Phone Number")),
        default="Mobile",
        help="The field of the lead that holds the customer's phone number.",
        group=LEADS,
    )
    unknown_people = settings.select(
        "Unknown people",
        ((WHEN_KNOWN, "Activities when they are known"), (NOTHING, "No activities")),
        default=WHEN_KNOWN,
        help="What happens to the conversations of a visitor who has given neither email nor phone "
        "number yet: a lead needs one of them.",
        group=LEADS,
    )
    keep_days = settings.number(
        "Days to wait for them",
        default=30,
        minimum=1,
        maximum=365,
        help="Events of unknown people are kept back for so many days. Then they are skipped.",
        group=LEADS,
    )
    identity_field = settings.text(
        "Field for network ids",
        max_length=100,
        help="Schema name of a unique text field of leads, such as mx_Chatwoot_Person. With it, "
        "who is known only by the id of Telegram, Instagram, another network or your site gets a "
        "lead, too. Empty: their activities wait until an email or number is known.",
        placeholder="mx_Chatwoot_Person",
        group=LEADS,
    )
    emails_follow = settings.toggle(
        "Emails follow the contact",
        help="Write a changed email of a contact into the lead that the hub made. The email is "
        "not proven: a visitor can enter any address.",
        group=LEADS,
    )
    follow_found = settings.toggle(
        "Keep other leads in step",
        help="Leads that the hub found follow the contact too: what a visitor enters then "
        "changes them.",
        group=LEADS,
    )
    run_automations = settings.toggle(
        "Run automations on updates",
        help="Let LeadSquared's automations see the changes that the hub makes to leads.",
        group=LEADS,
    )
    blocked_contacts = settings.toggle(
        "Blocked contacts",
        before=True,
        help="Make leads and activities for contacts that are blocked in Chatwoot, too.",
        group=LEADS,
    )
    automatic_replies = settings.toggle(
        "Automatic replies",
        before=True,
        help="Make activities for conversations that have only automatic messages, too, such as "
        "an out-of-office mail.",
        group=ACTIVITIES,
    )
    enable_conversation_activity = settings.toggle(
        "Activity for new conversations",
        help="Add an activity to the lead when a conversation begins.",
        group=ACTIVITIES,
    )
    conversation_activity_name = settings.text(
        "Its activity type",
        default="Chatwoot Conversation Started",
        max_length=100,
        help="Made in LeadSquared if there is none of this exact name.",
        group=ACTIVITIES,
    )
    conversation_activity_score = settings.number(
        "Its score",
        default=0,
        minimum=-100,
        maximum=100,
        help="Points that the activity gives to the lead. Used when the hub makes the type.",
        group=ACTIVITIES,
    )
    enable_transcript_activity = settings.toggle(
        "Transcript of resolved conversations",
        help="Add an activity with the messages to the lead when a conversation is resolved.",
        group=ACTIVITIES,
    )
    transcript_activity_name = settings.text(
        "Its activity type",
        default="Chatwoot Conversation Transcript",
        max_length=100,
        help="Made in LeadSquared if there is none of this exact name.",
        group=ACTIVITIES,
    )
    transcript_activity_score = settings.number(
        "Its score",
        default=0,
        minimum=-100,
        maximum=100,
        help="Points that the activity gives to the lead. Used when the hub makes the type.",
        group=ACTIVITIES,
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
        group=ACTIVITIES,
    )
    survey_answers = settings.toggle(
        "Answers to surveys",
        default=True,
        before=False,
        help="Show them in transcripts. An answer that comes after the end makes one more "
        "transcript.",
        group=ACTIVITIES,
    )
    transcript_grace = settings.number(
        "Wait for the last messages",
        default=3,
        minimum=0,
        maximum=60,
        integer=False,
        help="Seconds between the end of a conversation and its transcript, since the last "
        "messages may arrive after the news of the end.",
        group=ACTIVITIES,
    )
    language = settings.select(
        "Language of the activities", tuple(LANGUAGES.items()), default="en", group=ACTIVITIES
    )

    @validates("api_url")
    def _check_host(self, value: str, **_: Any) -> None:
        if value and not is_leadsquared(value):
            raise ValidationError(sentences.HOST_FOREIGN)

    @validates("identity_field")
    def _check_identity_field(self, value: str, **_: Any) -> None:
        if value and not _CUSTOM_FIELD.fullmatch(value):
            raise ValidationError(sentences.NO_CUSTOM_FIELD)

    @pre_load
    def _forgive(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Keys pasted with spaces, and empty texts where the default is meant."""
        given = {
            name: value.strip() if isinstance(value, str) else value for name, value in data.items()
        }
        return {name: value for name, value in given.items() if value != "" or name in _KEYS}


_KEYS: Final = ("access_key", "secret_key")


def is_leadsquared(url: str) -> bool:
    """Whether the keys may be sent there: LeadSquared's own hosts, over TLS.

    An address on this machine is allowed too: that is the simulator.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").casefold()
    if host in _LOOPBACK:
        return True
    return parts.scheme == "https" and (host == _DOMAIN or host.endswith(f".{_DOMAIN}"))
