"""The setup service: tests a hook's settings with the real system and learns about that system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.sdk.context import SetupContext


@dataclass(frozen=True, slots=True)
class SetupResult:
    """The result of a successful setup: one sentence, what was learned, and corrected settings.

    ``learned`` is stored with the hook and given to the processor. ``settings`` are values that
    the service corrected (an address that it completed); they replace what was entered.
    """

    sentence: str
    learned: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class SetupService(ABC):
    """Base class. ``run`` may be called again at any time, so it changes only what it must."""

    def __init__(self, context: SetupContext) -> None:
        self.context = context

    @abstractmethod
    def run(self) -> SetupResult:
        """Check everything the settings ask for, in named steps.

        :raises SetupFailed: a setting is wrong; names the field and the mend.
        :raises RetryLater: the system cannot be asked now.
        """
