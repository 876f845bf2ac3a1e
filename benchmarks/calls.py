"""Calls to the CRM for an event, in three scenes."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import load, webhooks
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi
from benchmarks.webhooks import Customer

_ROUNDS = 3
_CUSTOMERS = 10
_MESSAGES = 20


def measure(figures: Figures, _quick: bool) -> None:
    """Known contact, unknown contact, and twenty messages that wait in a lane."""
    with simulated_glpi() as glpi, installed(glpi) as installation:
        installation.start_web()
        installation.start_sweeper()
        known, unknown, messages = [], [], []
        for _ in range(_ROUNDS):
            customers = [Customer() for _ in range(_CUSTOMERS)]
            _calls(installation, [one.contact_created() for one in customers])
            opened = _calls(installation, *_openings(customers))
            known.append(opened / _CUSTOMERS)
            strangers = [Customer() for _ in range(_CUSTOMERS)]
            unknown.append(_calls(installation, *_openings(strangers)) / _CUSTOMERS)
            said = [[one.reply(number) for one in strangers] for number in range(2, 2 + _MESSAGES)]
            messages.append(_calls(installation, *said) / _CUSTOMERS / _MESSAGES)
        figures.note("calls_per_event.known_contact_conversation", *known)
        figures.note("calls_per_event.unknown_contact_conversation", *unknown)
        figures.note("calls_per_event.twenty_messages", *messages)


def _openings(customers: Sequence[Customer]) -> Sequence[Sequence[bytes]]:
    """A conversation begins: Chatwoot sends two webhooks."""
    return (
        [one.conversation_created() for one in customers],
        [one.first_message() for one in customers],
    )


def _calls(installation: Installation, *waves: Sequence[bytes]) -> int:
    """The calls that these webhooks cause, when workers find all of them waiting."""
    before = installation.glpi.calls()
    for wave in waves:
        requests = [webhooks.request(installation.path, body) for body in wave]
        load.send(installation.port, requests, connections=1)
    installation.start_workers()
    installation.wait_until_delivered()
    installation.stop_workers()
    return installation.glpi.calls() - before
