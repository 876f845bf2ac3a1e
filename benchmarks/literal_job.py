"""The job of the literal baseline. Its worker imports this module anew for each event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from redis import Redis

import hub.app  # noqa: F401 - what such a job works with
from benchmarks.ideal import Client

_MUTEX = "CRM_PROCESS_MUTEX::literal"


class MutexTaken(Exception):
    """Another job works for this hook."""


def deliver(redis_url: str, glpi_url: str, email: str) -> None:
    """A new customer's first message.

    :raises MutexTaken: RQ may try again.
    """
    redis = Redis.from_url(redis_url)
    if not redis.set(_MUTEX, "1", nx=True, ex=60):
        raise MutexTaken
    try:
        with _session(glpi_url) as client:
            known = client.find_user(email)
        if not known:
            with _session(glpi_url) as client:
                user_id = client.create_user(email)
            with _session(glpi_url) as client:
                client.create_ticket(user_id)
    finally:
        redis.delete(_MUTEX)


@contextmanager
def _session(glpi_url: str) -> Iterator[Client]:
    client = Client(glpi_url, requests.Session())
    client.sign_in()
    yield client
    client.sign_out()
