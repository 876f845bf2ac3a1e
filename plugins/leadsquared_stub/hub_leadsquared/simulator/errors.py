"""The exceptions that LeadSquared answers with."""

from __future__ import annotations

from typing import Any

DUPLICATE = "MXDuplicateEntryException"
NO_SUCH_ENTITY = "MXInvalidEntityReferenceException"
MANDATORY = "MXMandatoryAttributeMissingException"
INVALID = "MXInvalidInputException"


class ApiException(Exception):
    """An exception of the API, answered with the simulator's ``exception_status``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"Status": "Error", "ExceptionType": self.kind, "ExceptionMessage": self.message}


class BadRequest(Exception):
    """A body that is not as specified: status 400."""
