# ruff: noqa: S105 -- sentences about tokens, no tokens
"""Every sentence that people read because of this plugin.

They stand together so that they can be translated (``locale/``) and proofread. Names in braces
are filled in. A test holds every catalogue to this list.
"""

from __future__ import annotations

from typing import Final

# Signing in, and what the credentials may do.
APP_TOKEN_MISSING: Final = (
    "GLPI asks for an app token: enter the one of its API client (Setup > General > API)."
)
APP_TOKEN_WRONG: Final = (
    "GLPI does not accept the app token: copy it again from its API client (Setup > General > API)."
)
USER_TOKEN_WRONG: Final = (
    "GLPI does not accept the user token: check that the user is active, that the token is its "
    "API token, and that signing in with external tokens is enabled (Setup > General > API)."
)
USER_TOKEN_MISSING: Final = "GLPI asks for a user token: enter the API token of a GLPI user."
ADDRESS_NOT_ALLOWED: Final = (
    "GLPI does not let this hub's address use its API: allow it in the API client, and see that "
    "the client is active (Setup > General > API). It says: {reason}."
)
API_DISABLED: Final = (
    "GLPI's REST API is switched off: enable it (Setup > General > API). It says: {reason}."
)
SESSION_GONE: Final = "GLPI no longer knows the session it had just given."
RIGHT_MISSING: Final = (
    "The GLPI user lacks a right, or an entity is out of its reach. It says: {reason}."
)
PROFILE_LACKS: Final = (
    "The GLPI profile {profile} lacks the right to {right}: add it, or use another user."
)

# Answers of GLPI.
NOT_FOUND: Final = "GLPI has no such record."
REFUSED_ADD: Final = "GLPI refused to add it: {reason}."
REFUSED_UPDATE: Final = "GLPI refused the change: {reason}."
REFUSED_DELETE: Final = "GLPI refused to delete it: {reason}."
NOT_UNDERSTOOD: Final = "GLPI did not understand the request: {reason}."
NOT_GLPI: Final = "GLPI answered with something that its API does not speak (HTTP {status})."
REDIRECTED: Final = "GLPI has moved to {address}: run the setup again to follow it."
TOO_LARGE: Final = "GLPI's web server refuses a request of this size (HTTP 413)."

# What was done for a contact.
USER_CREATED: Final = "User {id} created."
USER_FOUND: Final = "User {id} found by {means}."
USER_FILLED: Final = "User {id} found by {means} and completed."
USER_UPDATED: Final = "User {id} updated: {fields}."
CONTACT_CREATED: Final = "Contact {id} created."
CONTACT_FOUND: Final = "Contact {id} found by {means}."
CONTACT_FILLED: Final = "Contact {id} found by {means} and completed."
CONTACT_UPDATED: Final = "Contact {id} updated: {fields}."
USER_LEFT: Final = "User {id} left as it is."
CONTACT_LEFT: Final = "Contact {id} left as it is."
STAFF_LEFT: Final = (
    "User {id} works in GLPI, or its profiles cannot be read: what a contact gives does "
    "not change it."
)
REQUESTER_ADDED: Final = "It became requester of {count} earlier tickets."
SEVERAL_HITS: Final = "{count} records in GLPI fit; record {id} was taken: {rule}."
TRASHED_LOGIN: Final = "The login {login} belongs to a record in GLPI's trash; another was taken."
EMAIL_TAKEN: Final = "The email belongs to another GLPI user, {id}, and was left there."
NO_RECORD_YET: Final = "No record yet: the contact has neither an email nor a phone number."
NO_CONTACT: Final = "The event names no contact."
NOTHING_CHANGED: Final = "Nothing that GLPI keeps has changed."
OLDER: Final = "A newer state is in GLPI already."
PERSON_GONE: Final = "{record} {id} was deleted in GLPI."

# What was done for a conversation.
TICKET_CREATED: Final = "Ticket {id} created for {requester}."
TICKET_ADOPTED: Final = "Ticket {id} was there already."
TICKET_UPDATED: Final = "Ticket {id} updated: {fields}."
TICKET_LEFT: Final = "Ticket {id} was changed in GLPI meanwhile and is left as it is."
TICKET_SOLVED: Final = "Ticket {id} solved."
TICKET_SOLVED_BEFORE: Final = "Ticket {id} is solved already."
TICKET_REOPENED: Final = "Ticket {id} reopened."
TICKET_TEXT_SET: Final = "The customer's first message became the text of ticket {id}."
TICKET_TRASHED: Final = "Ticket {id} is in GLPI's trash."
TICKET_PURGED: Final = "Ticket {id} no longer exists in GLPI."
KEPT_BACK: Final = "It is not known yet who the customer is: neither email nor phone number."
UNKNOWN_LEFT_OUT: Final = "Conversations of unknown people are left out by the settings."
BLOCKED_LEFT_OUT: Final = "The contact is blocked in Chatwoot; the settings leave that out."
AUTOMATIC_LEFT_OUT: Final = "Nobody but a machine has written here; the settings leave that out."
TICKETS_OFF: Final = "Tickets are switched off in the settings."
NO_CONVERSATION: Final = "The event names no conversation."
WAITING_FOR_MESSAGE: Final = "Waiting a moment for the customer's first message."

# What was done for a message.
FOLLOWUP_CREATED: Final = "Followup {id} added to ticket {ticket}."
FOLLOWUP_UPDATED: Final = "Followup {id} of ticket {ticket} updated."
FOLLOWUP_THERE: Final = "Followup {id} of ticket {ticket} was there already."
FOLLOWUP_GONE: Final = "Followup {id} was deleted in GLPI."
IS_TICKET_TEXT: Final = "The message is the text of ticket {ticket}."
FOLLOWUPS_OFF: Final = "Followups are switched off in the settings."
PRIVATE_LEFT_OUT: Final = "Private notes are left out by the settings."
TEMPLATE_LEFT_OUT: Final = "Automatic messages are left out by the settings."
DELETED_BEFORE: Final = "The message was deleted before it reached GLPI."
FILE_STORED: Final = "File {name} stored as document {id}."
FILE_DELETED: Final = "Document {id} deleted."
FILE_NOT_DELETED: Final = "Document {id} could not be deleted: {reason}"
DELETED_KEPT: Final = "The message was deleted in Chatwoot; the settings keep it."
EMPTY_MESSAGE: Final = "The message is empty."
NO_MESSAGE: Final = "The event names no message."

# Setup.
SETUP_DONE: Final = "GLPI {version} is ready: tickets go to {entity}, as user {user}."
SETUP_DONE_CLOCK: Final = (
    "GLPI {version} is ready: tickets go to {entity}, as user {user}. "
    "Its clock differs by {minutes} minutes from the hub's: check both."
)
URL_LEADS_AWAY: Final = (
    "This address leads to another server, {address}: if that is your GLPI, enter that address."
)
URL_NOT_GLPI: Final = (
    "There is no GLPI API at {address}: enter the address that GLPI shows under "
    "Setup > General > API, which ends in /apirest.php."
)
URL_UNREACHABLE: Final = (
    "{host} cannot be reached: check the address, and that GLPI's server lets the hub in."
)
URL_TLS: Final = (
    "The TLS certificate of {host} cannot be verified: renew it, or have it signed by an "
    "authority that the hub trusts."
)
URL_INVALID: Final = "The address must begin with https:// or http:// and name a host."
URL_BLOCKED: Final = "The hub may not call {host}: {reason}"
MAINTENANCE: Final = (
    "GLPI answers with a page instead of data: it is in maintenance or its database is down. "
    "Try again when it is back."
)
ENTITY_MISSING: Final = "GLPI has no entity {id}: enter the number of one, or leave it empty."
ENTITY_OUT_OF_REACH: Final = (
    "The GLPI user has no access to entity {id}: give its profile there, or enter another."
)
CATEGORY_MISSING: Final = "GLPI has no ticket category {id}: enter the number of one, or none."
CATEGORY_WRONG_TYPE: Final = (
    "The category {name} is not for this type of ticket: allow it in GLPI, or choose another."
)
REQUEST_SOURCE_MISSING: Final = (
    "GLPI has no request source {id}: enter the number of one, or leave it empty."
)
DEFAULT_USER_MISSING: Final = "GLPI has no active user {id}: enter the number of one, or none."
PROFILE_MISSING: Final = "GLPI has no profile {id}: enter the number of one, or none."
VERSION_TOO_OLD: Final = "GLPI {version} is too old: the hub needs 9.5 or newer."

STEP_ADDRESS: Final = "Find GLPI's API"
STEP_SIGN_IN: Final = "Sign in"
STEP_VERSION: Final = "Read the version"
STEP_RIGHTS: Final = "Check the user's rights"
STEP_FILES: Final = "Files become documents of their message"
STEP_NO_FILES: Final = (
    "Files stay links to Chatwoot: the GLPI profile {profile} lacks the right to create documents"
)
STEP_PROFILES: Final = "People who work in GLPI are recognised by their profile"
STEP_NO_PROFILES: Final = (
    "Only records that the hub made are changed, and their emails stay: the GLPI profile "
    "{profile} lacks the right to read profiles"
)
STEP_ENTITY: Final = "Check the entity"
STEP_TICKETS: Final = "Check category and users"
STEP_CLOCK: Final = "Compare the clocks"

# Words within sentences.
UNKNOWN_CUSTOMER: Final = "an unknown customer"
RIGHT_READ_USERS: Final = "read users"
RIGHT_CREATE_USERS: Final = "create users"
RIGHT_UPDATE_USERS: Final = "change users"
RIGHT_READ_CONTACTS: Final = "read contacts"
RIGHT_CREATE_CONTACTS: Final = "create contacts"
RIGHT_UPDATE_CONTACTS: Final = "change contacts"
RIGHT_READ_TICKETS: Final = "see all tickets"
RIGHT_CREATE_TICKETS: Final = "create tickets"
RIGHT_UPDATE_TICKETS: Final = "change tickets"
RIGHT_ADD_FOLLOWUPS: Final = "add followups to all tickets"
RIGHT_CREATE_DOCUMENTS: Final = "create documents"
RIGHT_DELETE_DOCUMENTS: Final = "delete documents permanently"
RULE_BY_EMAIL: Final = "active first, then the email itself, then the lowest id"
RULE_BY_PHONE: Final = "active first, then the lowest id"

# What the hub writes into GLPI, in the language of the settings.
TITLE: Final = "Conversation {number}"
WAY_BACK: Final = "Conversation {number} in {inbox}"
NO_MESSAGE_YET: Final = "The customer has not written anything yet."
MESSAGE_DELETED: Final = "This message was deleted."
LOCATION: Final = "Location"
SENDER_CONTACT: Final = "Customer"
SENDER_USER: Final = "Agent"
SENDER_BOT: Final = "Bot"
SENDER_ASSISTANT: Final = "Assistant"
SENDER_SYSTEM: Final = "Automatic message"
SURVEY: Final = "{name} rated the conversation: {stars} ({rating} of {best})"
FROM_PHONE: Final = "From the phone"
EMAIL_TYPED: Final = "Address typed on the website, not proven: {value}."
EMAIL_OF_SENDER: Final = "Address of a mail’s sender, not proven: {value}."
EMAIL_GIVEN: Final = "Address given by the customer, not proven: {value}."
PHONE_TYPED: Final = "Number typed on the website, not proven: {value}."
PHONE_GIVEN: Final = "Number given by the customer, not proven: {value}."
OTHER_EMAIL: Final = "The customer gave another address, not proven: {value}."
OTHER_PHONE: Final = "The customer gave another number, not proven: {value}."
OTHER_PHONE_PROVEN: Final = "The customer writes from another number: {value}."
OTHER_NAME: Final = "The customer gave another name, not proven: {value}."
KIND_PICTURE: Final = "Picture"
KIND_AUDIO: Final = "Audio"
KIND_VIDEO: Final = "Video"
KIND_FILE: Final = "File"
FILE_MISSING: Final = "A file of this mail is only in the mailbox."
FILES_MISSING: Final = "{count} files of this mail are only in the mailbox."
FILE_NOT_STORED: Final = "not stored: {reason}"
FILE_REFUSED: Final = "GLPI refused it: {reason}"
FILE_TYPE_LEFT_OUT: Final = "not stored: files of this type are left out"
FILE_TOO_LARGE: Final = "not stored: larger than {megabytes} MB"

#: Sentences by name.
ALL: Final[dict[str, str]] = {
    name: value for name, value in list(globals().items()) if name.isupper() and name != "ALL"
}
