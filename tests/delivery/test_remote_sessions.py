"""Remote sessions: lent from lane to lane, and closed when nobody needs them."""

from __future__ import annotations

import time

import pytest
from redis import Redis

from hub import services
from hub.accounts import hooks
from hub.delivery import remote_sessions
from hub.delivery.remote_sessions import SharedSessions
from hub.fleet import upkeep


class Driver:
    def __init__(self):
        self.opened, self.closed = [], []

    def open(self, context):
        self.opened.append(f"token-{len(self.opened) + 1}")
        return self.opened[-1]

    def close(self, context, token):
        self.closed.append(token)


@pytest.fixture
def driver():
    return Driver()


@pytest.fixture
def world(make_world, crm, driver):
    crm.tokens = []

    def use_session(context):
        with context.sessions.borrow() as session:
            crm.tokens.append(session.token)

    crm.on_handle = use_session
    return make_world(session_driver=driver)


def shared_of(world):
    access = hooks.view(hooks.find(world.hook.id)).access
    redis = services.of(world.app).redis
    return SharedSessions(redis, services.current().keyring, world.hook.id, access)


def test_one_session_serves_lane_after_lane(world, crm, driver):
    for contact in ("1", "2", "3"):
        world.send("contact.created", contact=contact)
        world.send("contact.updated", contact=contact)
    world.work()
    assert crm.tokens == ["token-1"] * 6
    assert driver.closed == []


def test_two_lanes_at_once_have_a_session_each(world, driver):
    shared = shared_of(world)
    elsewhere = shared.opened("elsewhere")
    world.send("contact.created")
    world.work()
    assert driver.opened == ["token-1"]
    idle = f"{remote_sessions.IDLE}{world.hook.id}"
    services.of(world.app).redis.zadd(idle, {elsewhere.name: time.time()})
    world.send("contact.updated")
    world.work()
    assert driver.opened == ["token-1"], "the idle one was lent"


def test_a_session_that_the_remote_forgot_is_renewed(world, crm, driver):
    def renew(context):
        with context.sessions.borrow() as session:
            crm.tokens += [session.token, session.renew(), session.token]

    crm.on_handle = renew
    world.send("contact.created")
    world.work()
    assert crm.tokens == ["token-1", "token-2", "token-2"]


def test_disabling_a_hook_signs_out(world, driver):
    world.send("contact.created")
    world.work()
    hooks.set_enabled(world.hook.id, False)
    assert driver.closed == ["token-1"]


def test_deleting_a_hook_signs_out(world, driver):
    world.send("contact.created")
    world.work()
    hooks.remove(world.hook.id)
    assert driver.closed == ["token-1"]


def test_an_idle_session_is_closed_after_a_while(world, driver, monkeypatch):
    world.send("contact.created")
    world.work()
    upkeep.run()
    assert driver.closed == []
    monkeypatch.setattr(remote_sessions, "IDLE_TTL", 0)
    upkeep.run()
    assert driver.closed == ["token-1"]


def test_tokens_are_encrypted_in_redis(world, driver):
    world.send("contact.created")
    world.work()
    redis = services.of(world.app).redis
    members = redis.zrange(f"{remote_sessions.IDLE}{world.hook.id}", 0, -1)
    assert len(members) == 1
    assert b"token-1" not in members[0]


def test_without_redis_a_session_is_closed_after_its_lane(world, driver, config):
    world.send("contact.created")
    lane = world.ready.take()
    world.drain.engine.redis = Redis(unix_socket_path=str(config.data_dir / "nothing.sock"))
    assert world.drain.drain(lane) == 1
    assert (driver.opened, driver.closed) == (["token-1"], ["token-1"])


def test_a_session_is_closed_also_when_its_lane_was_given_back(world, crm, driver, config):
    """What the attempt has written is written: the call must not try to write it once more."""

    def remember(context):
        context.state.put("cursor", 1)
        with context.sessions.borrow() as session:
            crm.tokens.append(session.token)

    def sign_out(context, token):
        context.http._rules.before("http://crm/sign-out")
        driver.closed.append(token)

    crm.on_handle = remember
    driver.close = sign_out
    world.send("contact.created")
    lane = world.ready.take()
    world.drain.engine.redis = Redis(unix_socket_path=str(config.data_dir / "nothing.sock"))
    assert world.drain.drain(lane) == 1
    assert (crm.tokens, driver.closed) == (["token-1"], ["token-1"])


def test_a_session_that_cannot_be_read_is_forgotten(world, crm, driver):
    """Its key was removed while it was idle."""
    redis = services.of(world.app).redis
    idle = f"{remote_sessions.IDLE}{world.hook.id}"
    redis.zadd(idle, {"nobody can read this": time.time()})
    world.send("contact.created")
    world.send("contact.created", contact="2")
    assert world.work() == 2
    assert crm.tokens == ["token-1", "token-1"]
    assert b"nobody can read this" not in redis.zrange(idle, 0, -1)
    assert redis.hlen(f"{remote_sessions.LENT}{world.hook.id}") == 0


def test_a_session_that_nobody_used_grows_old(world, crm):
    redis = services.of(world.app).redis
    idle = f"{remote_sessions.IDLE}{world.hook.id}"
    used_at = time.time() - 600
    redis.zadd(idle, {"old": used_at})
    crm.on_handle = None
    world.send("contact.created")
    assert world.work() == 1
    assert redis.zrange(idle, 0, -1, withscores=True) == [(b"old", pytest.approx(used_at))]


def test_a_session_of_another_address_or_secret_is_never_used(world, crm, driver):
    """A worker may give a session back after the settings were changed."""
    late = shared_of(world).opened("of the old server")
    hooks.update(world.hook.id, {"key": "another"})
    idle = f"{remote_sessions.IDLE}{world.hook.id}"
    services.of(world.app).redis.zadd(idle, {late.name: time.time()})
    world.send("contact.created")
    world.work()
    assert crm.tokens == ["token-1"]


def test_settings_that_change_within_a_lane_open_a_new_session(world, crm, driver):
    use_session = crm.on_handle

    def change_then_use(context):
        use_session(context)
        if len(crm.tokens) == 1:
            hooks.update(world.hook.id, {"key": "another"})

    crm.on_handle = change_then_use
    world.send("contact.created")
    world.send("contact.updated")
    world.work()
    assert crm.tokens == ["token-1", "token-2"]
