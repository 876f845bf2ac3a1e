"""Dispatch: hands work to its plugin and catches whatever comes of it."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub import log
from hub.delivery.context import DeliveryContext
from hub.delivery.identities import digests
from hub.delivery.work import Item, Work
from hub.sdk.errors import HubError, LaneLost, Skip
from hub.sdk.plugin import Plugin
from hub.sdk.processor import Done, Outcome

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Bug:
    """The plugin did what it must not: raised something else, or answered nonsense."""

    sentence: str
    traceback: str


Ending = Outcome | Bug


def dispatch(plugin: Plugin, context: DeliveryContext, items: Sequence[Item]) -> list[Ending]:
    """How each of the items ended.

    :raises LaneLost: the lane is another worker's now; nothing may be written.
    """
    event = items[0].event
    if event.name not in plugin.events:
        return [Skip(f"{plugin.name} does not handle {event.name}.")] * len(items)
    try:
        processor = plugin.processor(context)
        if len(items) == 1:
            return [_checked(getattr(processor, event.handler_name)(event), context)]
        answers = getattr(processor, event.handler_name + "_batch")([i.event for i in items])
        if len(answers) != len(items):
            raise TypeError(f"{len(items)} events were given, {len(answers)} answers came back")
        return [_checked(answer, context) for answer in answers]
    except LaneLost:
        raise
    except HubError as error:
        return [_checked(error, context)] * len(items)
    except Exception as error:  # a plugin's bug must end in the delivery's record, not here
        bug = Bug(
            context.redactor.text(f"The plugin failed: {type(error).__name__}: {error}"),
            context.redactor.text(traceback.format_exc()),
        )
        return [bug] * len(items)


def foresee(work: Work) -> Sequence[str]:
    """The digests of the identity keys that the plugin will probably ask for; none if it fails to
    say."""
    try:
        event, region = work.items[0].event, work.hook.default_region
        return digests(work.plugin.processor.identity_keys(event, region))
    except Exception as error:  # a bug of the plugin must not keep its lane from being taken
        _log.warning("identity keys are not foreseen", hook=work.hook.id, error=repr(error))
        return ()


def _checked(answer: object, context: DeliveryContext) -> Outcome:
    """The answer, with secrets masked: a plugin may repeat what its remote said."""
    if isinstance(answer, Done):
        return replace(answer, sentence=context.redactor.text(answer.sentence))
    if isinstance(answer, HubError):
        answer.sentence = context.redactor.text(answer.sentence)
        return answer
    raise TypeError(f"a handler must return Done or an error, not {answer!r}")
