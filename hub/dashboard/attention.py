"""The one thing that needs attention first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from hub.dashboard.formats import duration, said_of
from hub.dashboard.languages import gettext, ngettext, sentence
from hub.history import deliveries as history
from hub.history.standing import Cause, plugin_missing
from hub.inbox import release
from hub.models import Account, Source

#: Seconds that a delivery may wait before the home page speaks of it.
LONG = 600


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be done, in a sentence, and where. ``tone`` is ok, wait or bad."""

    tone: str
    sentence: str
    label: str
    url: str


def first(
    account: Account, standing: Mapping[str, Any], sources: Sequence[Source]
) -> Matter | None:
    """The first of all that is not well; ``None`` when all is."""
    return _beginning(account, standing, sources) or _trouble(account, standing, sources)


def _beginning(
    account: Account, standing: Mapping[str, Any], sources: Sequence[Source]
) -> Matter | None:
    """What is missing before anything can flow."""
    if not sources:
        return Matter(
            "wait",
            gettext("No events can arrive yet: connect Chatwoot."),
            gettext("Connect Chatwoot"),
            _url("source_new", account),
        )
    if not standing["hooks"]:
        return Matter(
            "wait",
            gettext("Events are not delivered anywhere yet: connect your CRM."),
            gettext("Open the catalogue"),
            _url("catalogue", account),
        )
    return None


def _trouble(
    account: Account, standing: Mapping[str, Any], sources: Sequence[Source]
) -> Matter | None:
    hooks = [hook for hook in standing["hooks"] if hook["enabled"]]
    for hook in hooks:
        if hook["status"] in (Cause.NEEDS_ATTENTION, Cause.PLUGIN_MISSING):
            said = sentence(hook["detail"], hook["plugin"])
            if hook["status"] == Cause.PLUGIN_MISSING:
                said = said_of(plugin_missing(hook["plugin"]))
            return Matter(
                "bad",
                f"{hook['name']}: {said}",
                gettext("Fix it"),
                _url("hook", account, hook_id=hook["id"]),
            )
    if not standing["workers"]:
        return Matter(
            "bad",
            gettext("No worker is alive: events are kept, but nothing is delivered."),
            gettext("Workers and queues"),
            _url("queues", account),
        )
    if standing["dead"]:
        return Matter(
            "bad",
            ngettext(
                "%(num)s delivery failed for good and waits for your decision.",
                "%(num)s deliveries failed for good and wait for your decision.",
                standing["dead"],
            ),
            gettext("View"),
            _url("delivery_list", account, state="dead"),
        )
    held = sum(len(release.held(source.id)) for source in sources)
    if held:
        return Matter(
            "bad",
            ngettext(
                "%(num)s request was refused and is held.",
                "%(num)s requests were refused and are held.",
                held,
            ),
            gettext("Open the quarantine"),
            _url("quarantine", account),
        )
    for hook in hooks:
        if hook["breaker"] != "closed":
            return Matter(
                "wait",
                gettext(
                    "%(hook)s does not answer. Deliveries wait and go on by themselves.",
                    hook=hook["name"],
                ),
                gettext("Workers and queues"),
                _url("queues", account),
            )
    if (standing["oldest_waiting_seconds"] or 0) > LONG:
        return Matter(
            "wait",
            gettext(
                "The oldest delivery has waited for %(time)s.",
                time=duration(standing["oldest_waiting_seconds"]),
            ),
            gettext("View"),
            _url("delivery_list", account, state="waiting"),
        )
    if not any(history.events(account.id, limit=1)):
        return Matter(
            "wait",
            gettext("Everything is set up. The first event has not arrived yet."),
            gettext("See how to test it"),
            _url("source", account, source_id=sources[0].id),
        )
    return None


def _url(endpoint: str, account: Account, **names: Any) -> str:
    return url_for(f"dashboard.{endpoint}", account_id=account.id, **names)
