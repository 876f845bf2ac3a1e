# ruff: noqa: S105 -- sentences about secrets, no secrets
"""Every sentence that people read because of this plugin. ``locale/`` translates them."""

from __future__ import annotations

# Settings that do not fit.
UNKNOWN_EVENTS = "There are no events named {names}."
BAD_SECRET = (
    "A secret is whsec_ followed by base64 of 24 to 64 bytes; 'hub webhook-secret' makes one."
)
NOT_HTTPS = "Use https://. Plain http:// is only for addresses inside your own network."
BAD_CONDITION = "The condition cannot be read: {why}."
BAD_TEMPLATE = "The template cannot be read: {why}."

# Setup.
STEP_SETTINGS = "Render a sample event"
STEP_SENDING = "Send a signed test message"
SETUP_DONE = "{host} accepts signed messages."
NOT_JSON = "With a sample event, the template does not give JSON: {why}."
FAILED_ON_SAMPLE = "With a sample event, this fails: {why}."
TEST_REFUSED = "{host} refuses the test message with status {status}."

# Answers of the endpoint.
SECRET_REFUSED = "{host} refuses the signature (status {status}): check the secret on both sides."
NOTHING_THERE = "{host} says that there is nothing at this address (status {status})."
MOVED = "{host} redirects the message (status {status}): enter the final address."
BUSY = "{host} asks to try again (status {status})."
REFUSED = "{host} refuses this message with status {status}."

# What was done, and why nothing was done.
SENT = "Sent to {host} as {id}."
NOT_WANTED = "The condition leaves this event out."
FAILED_ON_EVENT = "The {what} fails on this event: {why}."
TOO_LARGE = "The message would have {size} bytes; at most {most} are allowed."
