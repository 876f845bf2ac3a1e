"""What the tests of the inbox look at."""

from __future__ import annotations

from sqlalchemy import func, select

from hub.database import reading


def count(model: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0
