"""A web application with an account where things have happened, and programs with tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hub.access import invitations, members, tokens
from hub.access.permissions import Permission
from hub.models import Role
from tests.support.crm import World

ALL = [permission.value for permission in Permission]


@dataclass
class Program:
    """Something that calls the API with a token."""

    app: Flask
    token: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        options: dict[str, Any] = {} if body is None else {"json": body}
        return self.app.test_client().open(
            f"/api/v1{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.token}", **headers},
            **options,
        )

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json

    def does(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json if answer.data else None


MakeProgram = Callable[..., Program]


@pytest.fixture
def world(web: Flask) -> World:
    with web.app_context():
        return World(web)


@pytest.fixture
def make_program(web: Flask, world: World) -> MakeProgram:
    """Makes users, each with a token; ``role`` is that in the world's account."""
    numbers = iter(range(1, 100))

    def make(
        role: Role | None = Role.OWNER,
        *,
        scopes: list[str] | None = None,
        administrator: bool = False,
        only_account: int | None = None,
    ) -> Program:
        with web.app_context():
            link = invitations.create(administrator=administrator)
            user = invitations.sign_up(
                link.rpartition("/")[2],
                email=f"user{next(numbers)}@example.com",
                name="Somebody",
                password="a long enough sentence",
            )
            if role is not None:
                members.add(world.account.id, user.id, role)
            _, secret = tokens.create(
                user.id, "test", scopes or ALL, account_id=only_account, days=30
            )
        return Program(web, secret)

    return make


@pytest.fixture
def owner(make_program: MakeProgram) -> Program:
    return make_program()


@pytest.fixture
def account(world) -> str:
    return f"/accounts/{world.account.id}"
