"""Events to try a plugin with: a customer's story, and all that was recorded."""

from hub.kit.stories import (
    BEGIN,
    SOURCE,
    customer,
    recorded,
)

__all__ = [
    "BEGIN",
    "SOURCE",
    "customer",
    "recorded",
]
