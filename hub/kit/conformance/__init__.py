"""The conformance kit: what every plugin must stand, as a class of pytest tests to inherit from.

An author says what the plugin is, what its simulator is, how it is set up and what it holds in the
end, in ``<package>/conformance.py``::

    class TestAcme(Conformance):
        plugin = plugin
        simulator = AcmeSimulator

        def settings(self, url):
            return {"api_url": url, "token": TOKEN}

        def remote(self, state):
            return sorted(person["email"] for person in state["people"])

``hub plugins check acme`` runs it, and so does pytest wherever the class is imported.
"""

from __future__ import annotations

import pytest

# Before the suites are imported: a failed assertion then shows its values.
_SUITES = (
    "bench",
    "crashes",
    "events",
    "failures",
    "manifest",
    "repetition",
    "secrecy",
    "sentences",
    "settings",
    "setups",
    "texts",
)
pytest.register_assert_rewrite(*(f"{__name__}.{suite}" for suite in _SUITES))

from hub.kit.conformance.crashes import Crashes  # noqa: E402
from hub.kit.conformance.events import Events  # noqa: E402
from hub.kit.conformance.failures import Failures  # noqa: E402
from hub.kit.conformance.manifest import Manifest  # noqa: E402
from hub.kit.conformance.repetition import Repetition  # noqa: E402
from hub.kit.conformance.secrecy import Secrecy  # noqa: E402
from hub.kit.conformance.settings import Settings  # noqa: E402
from hub.kit.conformance.setups import Setups  # noqa: E402
from hub.kit.conformance.texts import Texts  # noqa: E402

__all__ = [
    "Conformance",
    "Crashes",
    "Events",
    "Failures",
    "Manifest",
    "Repetition",
    "Secrecy",
    "Settings",
    "Setups",
    "Texts",
]


class Conformance(
    # The last comes first on the report card.
    Texts,
    Secrecy,
    Crashes,
    Failures,
    Repetition,
    Events,
    Setups,
    Settings,
    Manifest,
):
    """The whole kit. See ``hub.kit.conformance.subject.Subject`` for what to fill in."""
