"""PostgreSQL goes away under a running hub and comes back, while webhooks arrive."""

from __future__ import annotations

import json

import pytest
import requests

from tests.support import crowd
from tests.support.fleet import POLICY
from tests.support.installation import RunningHub
from tests.support.postgres import HAS_POSTGRES, own_postgres

CONTACTS = range(1, 21)


@pytest.mark.parametrize("server", ["own"] if HAS_POSTGRES else [])
def test_a_restarted_server_costs_nothing_but_time(tmp_path, server):
    """While it is away webhooks are refused with a time to come back at, and then accepted."""
    bodies = [json.dumps(crowd.contact(number)).encode() for number in CONTACTS]
    with (
        own_postgres() as postgres,
        RunningHub(
            tmp_path, HUB_DATABASE_URL=postgres.url(postgres.create()), HUB_POLICY=POLICY
        ) as hub,
    ):
        hub.start_glpi("--service-time", "20")
        hub.start()
        hub.connect()
        for body in bodies[:10]:
            assert hub.send(body).status_code == 202
        postgres.stop()
        refused: list[requests.Response] = [hub.send(body) for body in bodies[10:12]]
        assert [answer.status_code for answer in refused] == [503, 503]
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        postgres.start()
        for body in bodies[10:]:
            assert hub.send(body).status_code == 202
        hub.wait()
        status = hub.run("status")
        assert (status["waiting"], status["running"], status["dead"]) == (0, 0, 0), hub.story()
        assert [user[0] for user in hub.glpi()["users"]] == sorted(
            f"person{number}@example.com" for number in CONTACTS
        )
