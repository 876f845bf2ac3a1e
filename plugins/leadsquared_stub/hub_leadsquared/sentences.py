"""Every sentence that people read because of this plugin.

They stand together so that they can be translated (``locale/``) and proofread. Names in braces
are filled in. A test holds every catalogue to this list.
"""

from __future__ import annotations

from typing import Final

# Reaching LeadSquared.
KEYS_WRONG: Final = (
    "LeadSquared does not accept the keys: copy access key and secret key again (Settings > API "
    "and Webhooks), and check that their user is active."
)
NOT_ALLOWED: Final = (
    "The LeadSquared user may not do this: use the keys of an administrator. It says: {reason}."
)
THROTTLED: Final = "LeadSquared asks for fewer calls; the hub pauses for {seconds} seconds."
WRONG_SERVER: Final = (
    "LeadSquared's server {host} does not know this call (HTTP {status}): run the setup again, "
    "which finds the server of your region."
)
NOT_LEADSQUARED: Final = (
    "LeadSquared answered with something that its API does not speak (HTTP {status})."
)
NO_SETUP: Final = "The server of your region is not known yet: run the setup."

# Answers of LeadSquared.
DUPLICATE: Final = (
    "Another lead has this email or phone number already. LeadSquared says: {reason}."
)
DUPLICATE_UNSEEN: Final = (
    "Another lead has this email or phone number already, and the search does not show it: use the "
    "keys of an administrator, or merge it in LeadSquared."
)
LEAD_GONE: Final = "LeadSquared no longer has this lead. It says: {reason}."
ATTRIBUTE_MISSING: Final = (
    "LeadSquared asks for a field that Chatwoot does not have: make it optional for leads or "
    "activities. It says: {reason}."
)
INVALID_INPUT: Final = "LeadSquared refused a field or its value. It says: {reason}."
REFUSED: Final = "LeadSquared refused this. It says: {reason}."
TROUBLE: Final = "LeadSquared has trouble of its own. It says: {reason}."

# What was done for a contact.
LEAD_CREATED: Final = "Lead {name} created."
LEAD_FOUND: Final = "Lead {name} found by {means}."
LEAD_FILLED: Final = "Lead {name} found by {means} and completed."
LEAD_UPDATED: Final = "Lead {name} updated: {fields}."
LEAD_LEFT: Final = "Lead {name} left as it is."
LEAD_REPLACED: Final = "Lead {id} no longer exists in LeadSquared; it is found or made again."
SEVERAL_LEADS: Final = "{count} leads in LeadSquared fit; the first, {id}, was taken."
EMAIL_KEPT: Final = "The lead with this phone number has another email, and keeps it."
TAKEN_BY_OTHER: Final = "Another lead has this email or phone number; it was left there: {fields}."
PHONE_TAKEN: Final = "LeadSquared has a lead with this phone number; it was taken."
NOT_COMPLETED: Final = "The lead could not be completed: {reason}"
NO_LEAD_YET: Final = "No lead yet: the contact has neither an email nor a phone number."
KEPT_BACK: Final = "It is not known yet who the customer is: neither email nor phone number."
UNKNOWN_LEFT_OUT: Final = "Conversations of unknown people are left out by the settings."
NO_CONTACT: Final = "The event names no contact."
NOTHING_CHANGED: Final = "Nothing that LeadSquared keeps has changed."
OLDER: Final = "A newer state is in LeadSquared already."

# What was done for a conversation.
STARTED_POSTED: Final = "Activity {id} posted: the conversation began."
STARTED_BEFORE: Final = "Activity {id} was posted already."
CAUGHT_UP: Final = "The activities that waited for this contact were posted."
BLOCKED_LEFT_OUT: Final = "The contact is blocked in Chatwoot; the settings leave that out."
AUTOMATIC_LEFT_OUT: Final = "Nobody but a machine has written here; the settings leave that out."
STARTED_OFF: Final = "Activities for new conversations are switched off in the settings."
TRANSCRIPT_POSTED: Final = "Activity {id} posted: transcript with {count} messages."
TRANSCRIPT_OFF: Final = "Transcripts are switched off in the settings."
NOTHING_NEW: Final = "Nothing was said since the last transcript."
NOT_RESOLVED: Final = "The conversation is open again; its transcript follows when it ends."
WAITING_FOR_MESSAGES: Final = "Waiting a moment for the last messages."
ACTIVITY_FOUND: Final = "Activity {id} of an earlier try was found."
NO_ACTIVITY_TYPE: Final = (
    "The activity type is not known yet: run the setup, which finds or makes it."
)
ACTIVITY_TYPE_GONE: Final = (
    "LeadSquared no longer knows the activity type: run the setup, which finds or makes it."
)
NO_CONVERSATION: Final = "The event names no conversation."

# What was done for a message.
MESSAGE_KEPT: Final = "Kept for the transcript."
MESSAGE_SENT_BEFORE: Final = "The message is in a transcript already."
MESSAGE_CHANGED: Final = "Changed for the transcript."
MESSAGE_REMOVED: Final = "Deleted, so it will not be in the transcript."
MESSAGE_UNKNOWN: Final = "The message is in no transcript to come."
PRIVATE_LEFT_OUT: Final = "Private notes are not part of transcripts."
TEMPLATE_LEFT_OUT: Final = "Automatic messages are not part of transcripts."
NO_MESSAGE: Final = "The event names no message."

# Setup.
SETUP_DONE: Final = "LeadSquared is ready: {organisation}, at {host}, as {user}."
HOST_FOREIGN: Final = (
    "The keys are sent to LeadSquared only: the address must be https:// and end in "
    "leadsquared.com."
)
URL_UNREACHABLE: Final = (
    "{host} cannot be reached: check the address, and that the hub may call the internet."
)
URL_TLS: Final = (
    "The TLS certificate of {host} cannot be verified: check for a proxy between the hub and "
    "LeadSquared."
)
URL_BLOCKED: Final = "The hub may not call {host}: {reason}"
NO_REGION: Final = (
    "LeadSquared accepted the keys but did not name the server of your region: try again, or ask "
    "LeadSquared's support which API host your account has."
)
REGION_FOREIGN: Final = (
    "LeadSquared named {host} as the server of your region, which is not one of its own: nothing "
    "was sent there. Ask LeadSquared's support."
)
NO_CUSTOM_FIELD: Final = (
    "Enter the schema name of a custom field of leads; it begins with mx_ (Settings > Leads > Lead "
    "Fields)."
)
FIELD_UNREADABLE: Final = (
    "Leads have no field {name} by which they can be looked for: make it in LeadSquared (Settings "
    "> Leads > Lead Fields), as a unique text field. It says: {reason}"
)
TYPES_UNREADABLE: Final = (
    "The activity types cannot be read: use the keys of an administrator. LeadSquared says: "
    "{reason}"
)
TYPE_NOT_MADE: Final = (
    'The activity type "{name}" could not be made: make it by hand in LeadSquared (Settings > '
    "Leads > Custom Activities and Scores) or use the keys of an administrator. It says: {reason}"
)
SAME_NAME: Final = 'Both activities have the type "{name}": give them different ones.'

# What is not proven of a person: in the delivery's story, and first of all in an activity's note.
EMAIL_TYPED: Final = "Address typed on the website, not proven: {value}."
EMAIL_OF_SENDER: Final = "Address of a mail’s sender, not proven: {value}."
EMAIL_GIVEN: Final = "Address given by the customer, not proven: {value}."
PHONE_TYPED: Final = "Number typed on the website, not proven: {value}."
PHONE_GIVEN: Final = "Number given by the customer, not proven: {value}."
OTHER_EMAIL: Final = "The contact gave another address, not proven: {value}."
OTHER_PHONE: Final = "The contact gave another number, not proven: {value}."
OTHER_PHONE_PROVEN: Final = "The contact writes from another number: {value}."
OTHER_NAME: Final = "The contact gave another name, not proven: {value}."

# Notes of activities in LeadSquared.
NOTE_STARTED: Final = "New conversation in {brand}"
NOTE_TRANSCRIPT: Final = "Transcript of a conversation in {brand}"
NOTE_CHANNEL: Final = "Channel: {channel}"
NOTE_NUMBER: Final = "Conversation: {number}"
NOTE_CREATED: Final = "Created: {time}"
NOTE_LINK: Final = "Link: {url}"
NOTE_ZONE: Final = "Times: {zone}"
NOTE_EARLIER: Final = "Earlier messages left out: {count}"
NOTE_EMPTY: Final = "No messages in the conversation"
NOTE_ATTACHMENT: Final = "[Attachment: {kind}]"
NOTE_PLACE: Final = "Location: {what}"
NOTE_CARD: Final = "Contact card: {what}"
NOTE_MISSING: Final = "Files of this mail that are only in the mailbox: {count}"
NOTE_RATING: Final = "Rating: {stars} ({rating} of {best})"
NOTE_NO_TEXT: Final = "[No content]"
NOTE_CUSTOMER: Final = "Customer"
NOTE_AGENT: Final = "Agent"
NOTE_BOT: Final = "Bot"
NOTE_FROM_PHONE: Final = "From the phone"
NOTE_SYSTEM: Final = "System"

#: Sentences by name.
ALL: Final[dict[str, str]] = {
    name: value for name, value in list(globals().items()) if name.isupper() and name != "ALL"
}
