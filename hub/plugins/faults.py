"""What a plugin's code raises, in words that can be stored and shown.

A plugin may raise anything, also what ends a process (``SystemExit``) or an error whose own text
cannot be made. Whoever calls a plugin catches ``BaseException`` and says it with this.
"""

from __future__ import annotations

import re
import threading
import traceback

from hub.sdk.errors import HubError

#: Characters of an error that people are shown, and of its traceback.
LONGEST = 1_000
LONGEST_TRACEBACK = 20_000

#: Characters that PostgreSQL, or any database, refuses in a text.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def described(error: BaseException) -> str:
    """The error's class, and what it says if it can."""
    try:
        said = str(error)
    except BaseException:  # its author's own method may fail
        said = "(its text cannot be made)"
    kind = type(error).__name__
    return storable(f"{kind}: {said}" if said else kind, LONGEST)


def said_by(error: BaseException) -> str | None:
    """The sentence of one of the SDK's errors; ``None`` if it has none."""
    sentence = getattr(error, "sentence", None) if isinstance(error, HubError) else None
    return storable(sentence, LONGEST) if isinstance(sentence, str) and sentence else None


def is_from_keyboard(error: BaseException) -> bool:
    """Whether it is a person's Ctrl-C, which only the main thread is told."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and isinstance(error, KeyboardInterrupt)


def traceback_of(error: BaseException) -> str:
    """The traceback of the error, its end if it is very long."""
    return storable("".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:])


def storable(text: str, longest: int | None = None) -> str:
    """A text that every database takes, cut to ``longest`` characters."""
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    return _UNSTORABLE.sub("\ufffd", text)
