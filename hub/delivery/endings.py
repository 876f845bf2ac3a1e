"""Endings: what became of an attempt, whatever the plugin raised or answered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from hub import log
from hub.database import is_away
from hub.delivery.context import UnreadableSettings
from hub.delivery.identities import digests
from hub.delivery.stored_events import UnreadableEvent
from hub.delivery.work import Work
from hub.plugins.faults import described, storable, traceback_of
from hub.sdk.errors import (
    HubError,
    KeepBack,
    NeedsAttention,
    Postpone,
    Rejected,
    RetryLater,
    SetupFailed,
    Skip,
)
from hub.sdk.http import LONGEST_PAUSE
from hub.sdk.processor import Done, Outcome
from hub.sdk.redaction import Redactor
from hub.sdk.translation import for_people
from hub.security.encryption import Undecryptable

#: Seconds that a remote's ``Retry-After``, or a plugin, may make one delivery wait; the whole hook
#: waits for ``LONGEST_PAUSE`` at most.
LONGEST_DELAY = 3_600.0
#: Days for which a delivery may be kept back.
LONGEST_KEEPING = 3_650.0

#: Errors that say in a sentence what is wrong.
_SENTENCES = (UnreadableEvent, UnreadableSettings, Undecryptable)

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Bug:
    """The plugin did what it must not: raised something else, or answered nonsense."""

    sentence: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Stumble:
    """The hub itself failed at a delivery. Nobody else is to blame, and it is tried again."""

    sentence: str
    traceback: str

    @classmethod
    def over(cls, error: Exception, redactor: Redactor) -> Stumble:
        """The stumble over an error, with secrets masked."""
        what = described(error)
        said = for_people(f"The hub failed at this delivery: {what}")
        if isinstance(error, _SENTENCES):
            said = str(error)
        return cls(redactor.text(said), redactor.text(traceback_of(error)))


Ending = Outcome | Bug | Stumble


def foresee(work: Work) -> Sequence[str]:
    """The digests of the identity keys that the plugin will probably ask for; none if it fails to
    say."""
    try:
        event, region = work.items[0].event, work.hook.default_region
        return digests(work.plugin.processor.identity_keys(event, region))
    except BaseException as error:  # a bug of the plugin must not keep its lane from being taken
        _log.warning("identity keys are not foreseen", hook=work.hook.id, error=described(error))
        return ()


def of_error(error: BaseException, redactor: Redactor) -> Ending:
    """The ending of an attempt at which the plugin raised something."""
    if isinstance(error, HubError):
        return of_answer(error, redactor)
    if isinstance(error, RedisError) or (isinstance(error, SQLAlchemyError) and is_away(error)):
        return Stumble.over(error, redactor)
    return _bug(error, redactor)


def of_answer(answer: object, redactor: Redactor) -> Ending:
    """The ending that the plugin has answered."""
    try:
        return _checked(answer, redactor)
    except Exception as error:  # an answer of the plugin's own making may lack anything
        nonsense = answer if isinstance(answer, BaseException) else error
        return _bug(nonsense, redactor)


def _bug(error: BaseException, redactor: Redactor) -> Bug:
    said = described(error)
    if isinstance(error, HubError):
        said = for_people(f"{said} This kind of error does not say what is to be done.")
    sentence = for_people(f"The plugin failed: {said}")
    return Bug(redactor.text(sentence), redactor.text(traceback_of(error)))


def _checked(answer: object, redactor: Redactor) -> Outcome:
    """The answer in the SDK's own words, with secrets masked: a plugin may repeat what its remote
    said.

    :raises TypeError: it is no answer, or its parts are not what they must be.
    """

    def masked(text: str) -> str:
        if not isinstance(text, str):
            raise TypeError(f"a sentence must be a text, not {type(text).__name__}")
        return redactor.text(storable(text))

    def field(name: object) -> str | None:
        return None if name is None else masked(str(name))

    if isinstance(answer, Done):
        url = answer.url
        return Done(masked(answer.sentence), None if url is None else masked(url))
    if not isinstance(answer, HubError):
        raise TypeError(f"a handler must return Done or an error, not {type(answer).__name__}")
    kind = type(answer).__name__
    sentence = masked(answer.sentence) or for_people(f"The plugin gave no reason ({kind}).")
    match answer:
        case RetryLater():
            longest = LONGEST_PAUSE if answer.throttled else LONGEST_DELAY
            delay = None if answer.delay is None else _bounded(answer.delay, longest)
            return RetryLater(sentence, delay=delay, throttled=bool(answer.throttled))
        case Postpone():
            return Postpone(sentence, delay=_bounded(answer.delay, LONGEST_PAUSE))
        case KeepBack():
            return KeepBack(sentence, days=_bounded(answer.days, LONGEST_KEEPING))
        case Rejected() | SetupFailed():
            return Rejected(sentence, field=field(answer.field))
        case NeedsAttention():
            return NeedsAttention(sentence, field=field(answer.field))
        case Skip():
            return Skip(sentence)
    raise TypeError(f"{kind} does not say what is to be done")


def _bounded(number: float, most: float) -> float:
    if not isinstance(number, int | float) or math.isnan(number):
        raise TypeError(f"a time must be a number, not {number!r}")
    return float(min(max(number, 0), most))
