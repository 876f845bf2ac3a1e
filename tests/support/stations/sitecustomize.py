"""Writes down each function of the hub that is entered first: see ``tests/stations.py``.

Python imports this at its start, in each process that the folder's ``PYTHONPATH`` reaches.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
from types import CodeType, FrameType

HUB = os.environ["STATIONS_OF"] + os.sep
FILE = os.environ["STATIONS_FILE"]
SDK = os.path.join(HUB, "sdk", "")

_is_known: dict[CodeType, bool] = {}


def _enter(frame: FrameType, what: str, _: object) -> None:
    code = frame.f_code
    if what != "call" or _is_known.setdefault(code, not _counts(code)):
        return
    if threading.current_thread().name == "beat" or not os.path.exists(FILE):
        return
    _is_known[code] = True
    with open(FILE, "a") as file:  # one short write each, so processes do not mix theirs
        file.write(f"hub/{code.co_filename.removeprefix(HUB)}\t{code.co_qualname}\n")


def _counts(code: CodeType) -> bool:
    """Functions with a name: no modules and classes that are imported late, and no lambdas."""
    is_function = bool(code.co_flags & inspect.CO_NEWLOCALS) and not code.co_name.startswith("<")
    return is_function and code.co_filename.startswith(HUB) and not code.co_filename.startswith(SDK)


if {"web", "worker-process"} & set(sys.orig_argv):
    sys.setprofile(_enter)
    threading.setprofile(_enter)
