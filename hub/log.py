"""Logging: one line for each event, as text for people or as JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub.sdk.redaction import Redactor


class FieldLog:
    """A logger whose lines carry fields. Secrets in them are redacted."""

    def __init__(
        self, logger: logging.Logger, redactor: Redactor | None = None, **fields: Any
    ) -> None:
        self._logger = logger
        self._redactor = redactor
        self._fields = fields

    def info(self, message: str, **fields: Any) -> None:
        """Something worth knowing."""
        self._write(logging.INFO, message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Something that a person may want to look at."""
        self._write(logging.WARNING, message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Something that is broken."""
        self._write(logging.ERROR, message, fields)

    def _write(self, level: int, message: str, fields: dict[str, Any]) -> None:
        redactor = self._redactor or _redactor()
        self._logger.log(
            level,
            redactor.text(message),
            extra={"fields": redactor.data({**self._fields, **fields})},
        )


@cache
def _redactor() -> Redactor:
    # Imported with the first line: this loads the whole SDK, and many commands log nothing.
    from hub.sdk.redaction import Redactor

    return Redactor()


class ConsoleFormatter(logging.Formatter):
    """``10:02:03+0200 info    hub.inbox: accepted  source=3``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S%z")
        fields = "".join(f"  {key}={value}" for key, value in _fields(record).items())
        line = f"{moment} {record.levelname.lower():7} {record.name}: {record.getMessage()}{fields}"
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


class JsonFormatter(logging.Formatter):
    """Each line is a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return fields


def configure(log_format: Literal["console", "json"], level: int = logging.INFO) -> None:
    """Send every log line of this process to stderr in the given form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These libraries log every small step; the hub's own lines say what matters.
    for noisy in ("rq", "rq.worker", "rq.job", "alembic", "urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get(name: str, **fields: Any) -> FieldLog:
    """The logger of a module."""
    return FieldLog(logging.getLogger(name), **fields)


def plugin_logger(plugin_id: str) -> logging.Logger:
    """The standard logger that a plugin's lines go to."""
    return logging.getLogger(f"hub.plugin.{plugin_id}")
