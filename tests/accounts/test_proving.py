"""A test of a connection tells how it stands, and stops nothing that works."""

from __future__ import annotations

import pytest

from hub.accounts import hooks
from hub.database import in_transaction
from hub.delivery import breaker
from hub.models import Hook, HookStatus
from hub.policy import BreakerPolicy
from hub.sdk import NeedsAttention, RetryLater, SetupFailed, SetupResult, SetupService
from tests.support.crm import NOW, Crm, World, make_plugin

AWAY = "crm.example could not be reached."


class Setup(SetupService):
    """Fails as it is told to."""

    trouble: Exception | None = None

    def run(self) -> SetupResult:
        if isinstance(self.trouble, RetryLater):
            try:
                raise self.trouble
            except RetryLater as error:
                raise SetupFailed("The CRM cannot be reached.", field="address") from error
        if self.trouble is not None:
            raise self.trouble
        return SetupResult("It works.", learned={"version": "1"})


@pytest.fixture
def hook(make_app, monkeypatch) -> Hook:
    monkeypatch.setattr(Setup, "trouble", None)
    with make_app(make_plugin(Crm(), setup=Setup)).app_context() as context:
        yield World(context.app).hook


def standing(hook: Hook) -> tuple[HookStatus, str]:
    found = hooks.find(hook.id)
    return found.status, found.status_detail


def test_a_test_while_the_crm_is_away_leaves_the_connection_to_its_breaker(hook, monkeypatch):
    """Else it would wait for a person although the CRM is back long since."""
    monkeypatch.setattr(Setup, "trouble", RetryLater(AWAY))
    assert not hooks.run_setup(hook.id)[1].ok
    assert standing(hook) == (HookStatus.ACTIVE, "It works.")
    policy = BreakerPolicy(failures=1)
    in_transaction(lambda session: breaker.failed(session, hook.id, AWAY, NOW, policy))
    assert not hooks.run_setup(hook.id)[1].ok
    assert standing(hook) == (HookStatus.DEGRADED, AWAY)


@pytest.mark.parametrize("trouble", [SetupFailed("No rights."), NeedsAttention("No rights.")])
def test_a_test_that_finds_what_does_not_pass_asks_for_a_person(hook, monkeypatch, trouble):
    monkeypatch.setattr(Setup, "trouble", trouble)
    assert not hooks.run_setup(hook.id)[1].ok
    assert standing(hook) == (HookStatus.NEEDS_ATTENTION, "No rights.")


@pytest.mark.parametrize("trouble", [None, RetryLater(AWAY), SetupFailed("No rights.")])
def test_a_test_ends_no_pause_and_keeps_its_reason(hook, monkeypatch, trouble):
    hooks.pause(hook.id, "It is moved.")
    monkeypatch.setattr(Setup, "trouble", trouble)
    assert hooks.run_setup(hook.id)[1].ok is (trouble is None)
    assert standing(hook) == (HookStatus.PAUSED, "It is moved.")


def test_a_pause_can_be_ended_while_the_crm_is_away(hook, monkeypatch):
    hooks.pause(hook.id, "It is moved.")
    monkeypatch.setattr(Setup, "trouble", RetryLater(AWAY))
    assert not hooks.resume(hook.id)[1].ok
    assert standing(hook) == (HookStatus.ACTIVE, "")
    hooks.pause(hook.id, "It is moved.")
    monkeypatch.setattr(Setup, "trouble", SetupFailed("No rights."))
    hooks.resume(hook.id)
    assert standing(hook) == (HookStatus.NEEDS_ATTENTION, "No rights.")
