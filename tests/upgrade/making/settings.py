"""The secrets of the installation, and every setting that the plugins had."""

from __future__ import annotations

import base64

from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY
from hub_webhook.simulator import SECRET

CHATWOOT_SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"
EVENTS_SECRET = "whsec_" + base64.b64encode(b"events that somebody else sends!").decode()
ENCRYPTION_KEY = "VLkJ8XTg1lTaqcbLPGKN8SpJMGCDyTqr2f4f9fVcU2E="
SECRET_KEY_OF_COOKIES = "the-secret-key-of-a-hub-that-was-made-for-tests-only"
#: Nobody wants to wait; what is stored is the same.
POLICY = "retry.first=1 retry.longest=2 breaker.failures=3 breaker.first_probe=3600"

GLPI_EVERY = {
    "app_token": "simulator-app-token",
    "user_token": "simulator-user-token",
    "entity_id": 0,
    "use_contact": False,
    "default_user_id": 2,
    "user_profile_id": 1,
    "enable_ticket_sync": True,
    "ticket_type": "2",
    "category_id": None,
    "anonymous_tickets": True,
    "solution_text": "Resolved in chat.",
    "first_message_grace": 0,
    "enable_followup_sync": True,
    "sync_private_notes": True,
    "sync_template_messages": True,
    "upload_attachments": False,
    "upload_limit_mb": 5,
    "upload_types": "pdf, png",
    "language": "fr",
    "status_open": "2",
    "status_pending": "4",
    "status_snoozed": "3",
    "status_resolved": "5",
    "status_bot": "1",
    "priority_urgent": "6",
    "priority_high": "5",
    "priority_medium": "3",
    "priority_low": "1",
    "priority_none": "2",
}
LEADSQUARED_EVERY = {
    "access_key": ACCESS_KEY,
    "secret_key": SECRET_KEY,
    "calls_per_second": 25,
    "lead_source": "Website",
    "phone_field": "Phone",
    "run_automations": True,
    "enable_conversation_activity": True,
    "conversation_activity_name": "Chat begun",
    "conversation_activity_score": 5,
    "enable_transcript_activity": True,
    "transcript_activity_name": "Chat ended",
    "transcript_activity_score": -5,
    "transcript_grace": 0,
    "language": "pt_BR",
}
WEBHOOK_EVERY = {
    "secret": SECRET,
    "second_secret": "whsec_" + base64.b64encode(b"a second secret, of 32 bytes too").decode(),
    "authorization": "Bearer of-the-receiver",
    "events": "contact.created, contact.updated, conversation.created, message.created",
    "condition": "not contact or contact.name != 'Nobody'",
    "template": '{"who": {{ contact.name | json }}, "what": {{ type | json }}}',
    "content_type": "application/json",
}
