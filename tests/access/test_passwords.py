"""What a password costs: the real price here, the least possible one in all other tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from flask import Flask

from hub.access import passwords
from hub.app import create_app
from hub.config import BadConfiguration
from hub.plugins import Registry
from hub.policy import PasswordPolicy
from tests.conftest import make_config

SENTENCE = "a sentence that nobody guesses"

MakeApp = Callable[[str], Flask]


@pytest.fixture
def app_at(tmp_path: Path) -> MakeApp:
    """Makes an application with this ``HUB_POLICY``."""

    def make(policy: str) -> Flask:
        return create_app(make_config(tmp_path, HUB_POLICY=policy), Registry({}, ()))

    return make


def test_nobody_weakens_the_default():
    """RFC 9106, section 4: the second recommended option."""
    default = PasswordPolicy()
    assert (default.time_cost, default.memory_cost) == (3, 64 * 1024)


def test_a_password_is_stored_at_the_default_cost(app_at):
    with app_at("").app_context():
        stored = passwords.hashed(SENTENCE)
        assert passwords.is_right(stored, SENTENCE)
        assert not passwords.is_right(stored, SENTENCE + "!")
    cost = extract_parameters(stored)
    assert cost.type is Type.ID
    assert (cost.time_cost, cost.memory_cost, cost.parallelism) == (3, 65_536, 4)
    assert (cost.hash_len, cost.salt_len) == (32, 16)


def test_another_cost_is_for_new_passwords(app_at):
    with app_at("password.time_cost=2 password.memory_cost=64").app_context():
        before = passwords.hashed(SENTENCE)
    with app_at("password.time_cost=1 password.memory_cost=32").app_context():
        after = passwords.hashed(SENTENCE)
        assert passwords.is_right(before, SENTENCE)
        assert passwords.is_right(after, SENTENCE)
        assert not passwords.is_right(None, SENTENCE)
    assert extract_parameters(before).memory_cost == 64
    assert extract_parameters(after).memory_cost == 32


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("password.time_cost=0", "password.time_cost must be 1 or more"),
        ("password.memory_cost=31", "password.memory_cost must be 32 KiB or more"),
    ],
)
def test_a_cost_that_argon2_cannot_have_is_refused_at_the_start(app_at, policy, reason):
    with pytest.raises(BadConfiguration, match=reason):
        app_at(policy)
