"""A complete context in memory, for the tests of plugins."""

from hub.kit.context import (
    IDENTITY_WAIT,
    Crash,
    LogEntry,
    MemoryContext,
    MemoryLog,
    MemorySession,
    MemorySessions,
    MemoryStore,
    MovableClock,
    hub_session,
)

__all__ = [
    "IDENTITY_WAIT",
    "Crash",
    "LogEntry",
    "MemoryContext",
    "MemoryLog",
    "MemorySession",
    "MemorySessions",
    "MemoryStore",
    "MovableClock",
    "hub_session",
]
