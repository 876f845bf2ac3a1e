"""The services of an application: made once, asked for in one way, and current where it runs."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from hub import clock, services
from hub.database import database
from hub.security.encryption import Keyring
from tests.support.clock import clock_of

HUB = Path(__file__).parent.parent / "hub"
#: A part that is asked for by a name.
BY_NAME = re.compile(r"\.extensions\b|\bpart\(\s*[\"']hub")


def test_nothing_is_asked_for_by_a_name():
    """Flask keeps one thing of ours, and one module knows where."""
    found = {
        str(path.relative_to(HUB))
        for path in HUB.rglob("*.py")
        if BY_NAME.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"services.py"}
    assert (HUB / "services.py").read_text(encoding="utf-8").count(".extensions.get(") == 1


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('redis = app.extensions["hub.redis"]', True),
        ('engine = part("hub.engine")', True),
        ("redis = services.of(app).redis", False),
    ],
)
def test_a_part_that_is_asked_for_by_a_name_is_seen(line, wrong):
    assert bool(BY_NAME.search(line)) is wrong


def test_the_current_services_are_those_of_the_innermost_application(make_app):
    outer, inner = make_app(), make_app()
    with outer.app_context():
        for app in (inner, outer):
            with app.app_context():
                found = services.of(app)
                assert services.current() is found
                assert database() is found.database
                assert Keyring.current() is found.keyring
        assert services.current() is services.of(outer)
        assert database() is services.of(outer).database
    with pytest.raises(AssertionError, match="no application is entered"):
        services.current()
    with pytest.raises(AssertionError, match="no application is entered"):
        database()


def test_another_thread_has_entered_nothing(make_app):
    entered: list[bool] = []

    def look() -> None:
        try:
            services.stores()
        except AssertionError:
            entered.append(False)

    with make_app().app_context():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert entered == [False]


def test_a_command_that_only_looks_has_no_keys(make_app):
    app = make_app()
    whole = services.of(app)
    looking = services.Stores(whole.config, whole.clock, whole.database, whole.redis)
    with app.app_context():
        with looking.entered():
            assert database() is whole.database
            assert services.stores() is looking
            with pytest.raises(AssertionError, match="no keys"):
                services.current()
            with pytest.raises(AssertionError, match="no secrets"):
                Keyring.current()
        assert services.current() is whole


def test_the_moment_is_that_of_the_application_s_clock(make_app):
    app = make_app()
    stopped = clock_of(app)
    stopped.stop()
    with app.app_context():
        assert clock.now() == stopped.now()
        stopped.sleep(3_600)
        assert clock.now() == stopped.now()
    assert clock.now() < stopped.now(), "outside of an application it is the machine's"


def test_nobody_makes_a_clock_in_passing():
    found = {
        str(path.relative_to(HUB))
        for path in HUB.rglob("*.py")
        if "SystemClock" in path.read_text(encoding="utf-8")
    }
    assert found == {"clock.py"}


def test_threads_that_ask_at_once_are_given_the_same(make_app):
    made: list[services.Services] = []
    start = threading.Barrier(8)
    found: list[object] = []

    class Thing:
        def __init__(self, of: services.Services) -> None:
            made.append(of)

    whole = services.of(make_app())

    def ask() -> None:
        start.wait()
        found.append(whole.single(Thing))

    threads = [threading.Thread(target=ask) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [whole]
    assert len(set(map(id, found))) == 1
