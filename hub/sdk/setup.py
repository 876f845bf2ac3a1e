"""The setup service: proves a hook's settings against the real system and learns from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.sdk.context import SetupContext


@dataclass(frozen=True, slots=True)
class SetupResult:
    """A setup that went well: one sentence, what was learned, and corrected settings.

    ``learned`` is stored with the hook and given to the processor. ``settings`` are values that
    the service mended (an address it completed); they replace what was entered.
    """

    sentence: str
    learned: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class SetupService(ABC):
    """Base class. ``run`` may be called again at any time and changes nothing it need not."""

    def __init__(self, context: SetupContext) -> None:
        self.context = context

    @abstractmethod
    def run(self) -> SetupResult:
        """Check everything the settings ask for, in named steps.

        :raises SetupFailed: a setting is wrong; names the field and the mend.
        :raises RetryLater: the system cannot be asked now.
        """
