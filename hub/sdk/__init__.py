"""The plugin SDK: the only part of the hub that a plugin imports.

A plugin is a pip-installed package with an entry point in the group ``hub.plugins`` that leads to
a ``Plugin``. ``docs/plugins.md`` shows the whole surface with a worked example.
"""

from hub.sdk.context import (
    BorrowedSession,
    CallContext,
    Clock,
    Context,
    Log,
    SessionDriver,
    SessionPool,
    SetupContext,
)
from hub.sdk.errors import (
    HubError,
    KeepBack,
    LaneLost,
    NeedsAttention,
    Postpone,
    Rejected,
    RetryLater,
    SetupFailed,
    Skip,
)
from hub.sdk.events import (
    CONTACT_CREATED,
    CONTACT_UPDATED,
    CONVERSATION_CREATED,
    CONVERSATION_RESOLVED,
    CONVERSATION_UPDATED,
    EVENT_NAMES,
    MESSAGE_CREATED,
    MESSAGE_UPDATED,
    Attachment,
    Change,
    Contact,
    Conversation,
    Event,
    Message,
    Sender,
    Source,
)
from hub.sdk.http import Call, HttpClient, json_of
from hub.sdk.identities import network_of
from hub.sdk.inboxes import Inboxes
from hub.sdk.links import Intent, Link, Links, Remote
from hub.sdk.mails import Quotations, readable
from hub.sdk.names import PersonName, person_name
from hub.sdk.plugin import SDK_VERSION, Plugin
from hub.sdk.processor import BatchOutcome, Done, Outcome, Processor
from hub.sdk.redaction import Redactor
from hub.sdk.settings import SettingsSchema
from hub.sdk.setup import SetupResult, SetupService
from hub.sdk.state import Entry, Notes, State, StateConflict
from hub.sdk.surveys import SurveyAnswer, survey_answer
from hub.sdk.translation import Translator

__all__ = [
    "CONTACT_CREATED",
    "CONTACT_UPDATED",
    "CONVERSATION_CREATED",
    "CONVERSATION_RESOLVED",
    "CONVERSATION_UPDATED",
    "EVENT_NAMES",
    "MESSAGE_CREATED",
    "MESSAGE_UPDATED",
    "SDK_VERSION",
    "Attachment",
    "BatchOutcome",
    "BorrowedSession",
    "Call",
    "CallContext",
    "Change",
    "Clock",
    "Contact",
    "Context",
    "Conversation",
    "Done",
    "Entry",
    "Event",
    "HttpClient",
    "HubError",
    "Inboxes",
    "Intent",
    "KeepBack",
    "LaneLost",
    "Link",
    "Links",
    "Log",
    "Message",
    "NeedsAttention",
    "Notes",
    "Outcome",
    "PersonName",
    "Plugin",
    "Postpone",
    "Processor",
    "Quotations",
    "Redactor",
    "Rejected",
    "Remote",
    "RetryLater",
    "Sender",
    "SessionDriver",
    "SessionPool",
    "SettingsSchema",
    "SetupContext",
    "SetupFailed",
    "SetupResult",
    "SetupService",
    "Skip",
    "Source",
    "State",
    "StateConflict",
    "SurveyAnswer",
    "Translator",
    "json_of",
    "network_of",
    "person_name",
    "readable",
    "survey_answer",
]
