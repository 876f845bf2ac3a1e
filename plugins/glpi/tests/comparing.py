"""What differs between a recorded answer and one of today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_RECORDING_DAYS = ("2026-11-23", "2026-11-28")
_CUT_LIST = re.compile(r"…\((\d+) items\)")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_RANDOM = re.compile(r"([0-9a-f]{8}-){0,2}[0-9a-f]{14}\.\d{8}|(?<=docfilename)\d+")
# Seconds that passed, which a replay has less of.
_DURATIONS = {"solve_delay_stat", "close_delay_stat", "waiting_duration"}
# Depends on how the person who recorded made the token.
_IGNORED = {"api_token_date", "_note"}


def differences(recorded: Any, live: Any, at: str = "", *, cut: bool = False) -> Iterator[str]:
    """What differs between a recorded and a live JSON value. ``cut``: keys may be missing."""
    name = at.rpartition(".")[2]
    if name in _IGNORED:
        return
    if isinstance(recorded, dict) and isinstance(live, dict):
        keys, live_keys = recorded.keys() - _IGNORED, live.keys() - _IGNORED
        if missing := keys - live_keys:
            yield f"{at}: no {sorted(missing)}"
        if not cut and (extra := live_keys - keys):
            yield f"{at}: has {sorted(extra)} too"
        for key in keys & live_keys:
            yield from differences(recorded[key], live[key], f"{at}.{key}", cut=cut)
    elif isinstance(recorded, list) and isinstance(live, list):
        shown, length = recorded, len(recorded)
        if shown and isinstance(shown[-1], str) and (rest := _CUT_LIST.fullmatch(shown[-1])):
            shown, length = shown[:-1], int(rest[1])
        if length != len(live):
            yield f"{at}: {length} items recorded, {len(live)} live"
        for number, (one, other) in enumerate(zip(shown, live, strict=False)):
            yield from differences(one, other, f"{at}[{number}]", cut=cut)
    elif name in _DURATIONS:
        if not isinstance(live, int):
            yield f"{at}: {live!r} is no duration"
    elif name == "takeintoaccount_delay_stat":
        if (recorded > 0) != (live > 0):
            yield f"{at}: {recorded!r} recorded, {live!r} live"
    elif not same_scalar(recorded, live):
        yield f"{at}: {recorded!r} recorded, {live!r} live"


def same_scalar(recorded: Any, live: Any) -> bool:
    if not isinstance(recorded, str) or not isinstance(live, str):
        return type(recorded) is type(live) and bool(recorded == live)
    if recorded == "<SESSION>":
        return bool(live)
    if recorded.startswith(_RECORDING_DAYS) and _DATE.fullmatch(recorded):
        return bool(_DATE.fullmatch(live)) and is_now(datetime.fromisoformat(live))
    return _RANDOM.sub("*", recorded) == _RANDOM.sub("*", live)


def is_now(moment: datetime) -> bool:
    return abs((datetime.now(UTC) - moment.replace(tzinfo=UTC)).total_seconds()) < 600


def title_of(page: str) -> str | None:
    found = _TITLE.search(page)
    return found[1] if found else None
