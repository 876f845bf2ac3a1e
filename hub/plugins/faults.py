"""Errors of plugins, as texts that can be stored and shown.

A plugin may raise anything: also ``SystemExit``, or an error whose ``str`` fails. Code that calls a
plugin catches ``BaseException`` and describes it with these functions.
"""

from __future__ import annotations

import re
import threading
import traceback

from hub.sdk.errors import HubError

#: The most characters of an error, and of a traceback.
LONGEST = 1_000
LONGEST_TRACEBACK = 20_000

#: Characters that PostgreSQL, or any database, refuses in a text.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def described(error: BaseException) -> str:
    """The error's class, and its text if it has one."""
    try:
        said = str(error)
    except BaseException:  # the plugin's own method may fail
        said = "(its text cannot be made)"
    kind = type(error).__name__
    return storable(f"{kind}: {said}" if said else kind, LONGEST)


def said_by(error: BaseException) -> str | None:
    """The sentence of one of the SDK's errors; ``None`` if it has none."""
    sentence = getattr(error, "sentence", None) if isinstance(error, HubError) else None
    return storable(sentence, LONGEST) if isinstance(sentence, str) and sentence else None


def is_from_keyboard(error: BaseException) -> bool:
    """Whether it is a person's Ctrl-C. Only the main thread gets that."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and isinstance(error, KeyboardInterrupt)


def traceback_of(error: BaseException) -> str:
    """The traceback of the error; only its end if it is very long."""
    return storable("".join(traceback.format_exception(error))[-LONGEST_TRACEBACK:])


def storable(text: str, longest: int | None = None) -> str:
    """The text in a form that every database accepts, cut to ``longest`` characters."""
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    return _UNSTORABLE.sub("\ufffd", text)
