"""What a password costs to check, and with it to guess."""

from __future__ import annotations

from dataclasses import dataclass

#: Threads of one hash.
PARALLELISM = 4


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Argon2id's cost for new passwords; those that are stored carry their own.

    The defaults are the second choice of RFC 9106, section 4, for machines with little memory.

    :raises ValueError: Argon2 cannot work with so little (section 3.1).
    """

    #: Passes over the memory.
    time_cost: int = 3
    #: In KiB.
    memory_cost: int = 65_536

    def __post_init__(self) -> None:
        if self.time_cost < 1:
            raise ValueError("password.time_cost must be 1 or more")
        if self.memory_cost < 8 * PARALLELISM:
            raise ValueError(f"password.memory_cost must be {8 * PARALLELISM} KiB or more")
