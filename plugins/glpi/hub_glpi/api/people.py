"""What Users and Contacts have in common: how search answers about them are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Hit:
    """A User or Contact that a search showed, with what GLPI holds in the mapped fields.

    ``emails`` are those the search showed, which may be only the ones that fit.
    """

    id: int
    login: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    active: bool = True

    def value(self, name: str) -> str:
        """What GLPI holds in a field ("" if nothing)."""
        return dict(self.values).get(name, "")

    def has_email(self, email: str) -> bool:
        """Whether this very email is among those shown, apart from case."""
        return email.casefold() in {known.casefold() for known in self.emails}


def texts(value: Any) -> tuple[str, ...]:
    """The values of a column, which holds a text, a list of texts, or nothing."""
    items = value if isinstance(value, list) else [value]
    # Several values of one record come joined; the separators vary with the version.
    parts = (
        part.strip()
        for item in items
        if item is not None
        for part in str(item).replace("$#$", "\n").replace("<br>", "\n").splitlines()
    )
    return tuple(part for part in parts if part)


def text(value: Any) -> str:
    """The first value of a column, or an empty text."""
    return next(iter(texts(value)), "")
