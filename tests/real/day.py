"""The recorded day through a whole hub: its processes and its door, into simulators."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hub_glpi.simulator import APP_TOKEN, USER_TOKEN, GlpiSimulator
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator

from hub.accounts import accounts, hooks, sources
from hub.app import create_app
from hub.config import Config
from hub.database import db
from hub.sdk.testing.simulator import Simulator
from tests.real.replay import Files, send
from tests.support.installation import SECRET, RunningHub

#: Seconds for which the hub may work after the last webhook.
SETTLE = 240.0


#: Where LeadSquared has the ids of networks.
_FIELD = "mx_Chatwoot_Person"
_SIMULATORS: Mapping[str, Callable[[], Simulator]] = {
    "glpi": GlpiSimulator,
    "leadsquared": lambda: LeadSquaredSimulator(unique=("EmailAddress", "Phone", _FIELD)),
}
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "glpi": {"app_token": APP_TOKEN, "user_token": USER_TOKEN},
    "leadsquared": {
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "enable_conversation_activity": True,
        "enable_transcript_activity": True,
        "identity_field": _FIELD,
        "calls_per_second": 25,
    },
}


def lived(
    folder: Path, seeds: Sequence[int | None], crms: Collection[str], **environment: str
) -> list[Mapping[str, Mapping[str, Any]]]:
    """Live the day once for each seed (``None``: the recorded order), all at the same time, each
    in an account of its own with these CRMs. Answers what each CRM of each account holds then.
    """
    with ExitStack() as stack:
        hub = stack.enter_context(RunningHub(folder, **environment))
        files = stack.enter_context(Files())
        hub.start("--processes", "2", "--threads", "8")
        app = create_app(Config.from_environment(hub.environment))
        with app.app_context():
            told = [_Account(stack, hub.url, f"Acme {n}", crms) for n in range(len(seeds))]
            db.engine.dispose()
        errors: list[BaseException] = []

        def tell(account: _Account, seed: int | None) -> None:
            try:
                slowest = send(account.address, SECRET, files.url, seed)
                print(f"The slowest webhook was accepted {slowest:.2f} seconds after its time.")
            except BaseException as error:
                errors.append(error)

        threads = [
            threading.Thread(target=tell, args=pair) for pair in zip(told, seeds, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        hub.wait(SETTLE)
        return [{crm: at.state() for crm, at in account.crms.items()} for account in told]


class _Account:
    """An account of the hub with CRMs of its own, connected as new connections are."""

    def __init__(self, stack: ExitStack, url: str, name: str, crms: Collection[str]) -> None:
        self.crms = {crm: stack.enter_context(_SIMULATORS[crm]()) for crm in crms}
        account = accounts.create(name, "DE")
        source = sources.create(
            account, "chatwoot", signing_secret=SECRET, base_url="https://chat.example.com"
        )
        self.address = f"{url}/webhooks/chatwoot/{source.token}"
        for crm, simulator in self.crms.items():
            settings = {"api_url": simulator.url, **_SETTINGS[crm]}
            _, report = hooks.create(account, crm, settings)
            assert report.ok, report.sentence
