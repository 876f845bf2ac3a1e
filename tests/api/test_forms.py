"""What the API takes and refuses, and the document that says so."""

from __future__ import annotations

import pytest

from hub.api.openapi import document
from hub.api.operations import OPERATIONS


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": 5}, {"name"}),
        ({"name": "x", "colour": 1}, {"colour"}),
        ({"name": "x", "features": "all"}, {"features"}),
    ],
)
def test_bodies_that_do_not_fit(make_program, body, errors):
    answer = make_program(None, administrator=True).call("POST", "/accounts", body)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert set(answer.json["errors"]) == errors


def test_what_is_no_json(owner, web):
    headers = {"Authorization": f"Bearer {owner.token}"}
    client = web.test_client()
    path = "/api/v1/accounts"
    assert client.post(path, data="name=x", headers=headers).status_code in (403, 415)
    root_less = client.post(f"{path}/1/tokens", data="{}", headers=headers)
    assert root_less.status_code == 415
    for text in ("{", '{"days": NaN}', "\xff"):
        broken = client.post(
            f"{path}/1/tokens", data=text, headers=headers, content_type="application/json"
        )
        assert broken.status_code == 400
    large = client.post(
        f"{path}/1/tokens",
        data='{"name": "' + "x" * 300_000 + '"}',
        headers=headers,
        content_type="application/json",
    )
    assert large.status_code == 413
    for answer in (root_less, broken, large):
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=-1", "nonsense=1", "limit=1&limit=2"]
)
def test_queries_that_do_not_fit(owner, account, query):
    assert owner.call("GET", f"{account}/events?{query}").status_code == 400


def test_paths_and_methods_that_are_none(owner, account):
    assert owner.call("GET", "/nothing").content_type == "application/problem+json"
    wrong = owner.call("PUT", account, {})
    assert wrong.status_code == 405
    assert "PATCH" in wrong.headers["Allow"]
    assert owner.call("GET", f"/accounts/{2**80}").status_code == 404


def test_the_document_knows_every_operation(web):
    documented = {
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method in operations
    }
    served = {
        (method, one.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for one in web.url_map.iter_rules()
        if one.endpoint.startswith("api.")
        for method in one.methods - {"HEAD", "OPTIONS"}
    }
    assert documented == served
    assert web.test_client().get("/api/v1/openapi.json").json["openapi"] == "3.0.3"


def test_the_page_to_try_it_has_a_form_for_each(web):
    page = web.test_client().get("/api/docs")
    assert page.status_code == 200
    assert page.text.count('class="try"') == len(OPERATIONS)
    assert "<script>" not in page.text
    assert "style=" not in page.text
