"""Breaks a connection to PostgreSQL at a moment that the test chooses."""

from __future__ import annotations

from typing import Any

import psycopg


class Breaker:
    """Ends a connection's backend as the server would that is restarted."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self.at: int | None = None
        self.met = 0

    def meets(self) -> bool:
        """Count a moment; whether it is the one to break at."""
        self.met += 1
        return self.met == self.at

    def end(self, driver: psycopg.Connection[Any]) -> None:
        with psycopg.connect(self._url, autocommit=True) as other:
            pid = driver.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
