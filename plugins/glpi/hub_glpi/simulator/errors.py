"""The ways in which the API says no."""

from __future__ import annotations

from typing import Any

PERMISSION = "You don't have permission to perform this action."


class ApiError(Exception):
    """An answer ``[code, message]``. ``documented`` ones end with a link to the documentation."""

    def __init__(self, status: int, code: str, message: Any, *, documented: bool = False) -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code
        self.message = message
        self.documented = documented


class FatalError(Exception):
    """PHP dies: 200 with an empty body (trap 1)."""


class Refused(Exception):
    """One item of a write is refused; becomes ``ERROR_GLPI_ADD`` and the like, or part of a 207."""

    def __init__(self, message: str | None = PERMISSION) -> None:
        super().__init__(message)
        self.message = message


def not_found() -> ApiError:
    return ApiError(404, "ERROR_ITEM_NOT_FOUND", "Item not found")


def forbidden() -> ApiError:
    return ApiError(403, "ERROR_RIGHT_MISSING", PERMISSION)
