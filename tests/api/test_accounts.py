"""Accounts, members and users over the API."""

from __future__ import annotations

from hub.models import Role


def test_accounts(make_program):
    root = make_program(None, administrator=True)
    made = root.does("POST", "/accounts", {"name": "New", "default_region": "de"}, 201)
    path = f"/accounts/{made['id']}"
    assert root.does("PATCH", path, {"features": ["b", "a"]})["features"] == ["a", "b"]
    assert root.call("POST", "/accounts", {"name": "New"}).status_code == 409
    root.does("DELETE", path, status=204)
    assert root.call("GET", path).status_code == 404


def test_people(owner, make_program, account):
    make_program(Role.VIEWER)
    rows = owner.get(f"{account}/members")["items"]
    viewer = next(row["user"]["id"] for row in rows if row["role"] == "viewer")
    owner.does("PUT", f"{account}/members/{viewer}/role", {"role": "operator"}, 204)
    owner.does("DELETE", f"{account}/members/{viewer}", status=204)
    assert len(owner.get(f"{account}/members")["items"]) == 1
    made = owner.does("POST", f"{account}/invitations", {"role": "viewer"}, 201)
    assert "/invitation/" in made["link"]
    (invitation,) = owner.get(f"{account}/invitations")["items"]
    owner.does("DELETE", f"{account}/invitations/{invitation['id']}", status=204)


def test_users(make_program):
    root = make_program(None, administrator=True)
    make_program(Role.VIEWER)
    first, second = (user["id"] for user in root.get("/users")["items"])
    assert "/invitation/" in root.does("POST", "/users/invitations", {}, 201)["link"]
    assert "/invitation/" in root.does("POST", f"/users/{second}/password", status=201)["link"]
    assert root.call("DELETE", f"/users/{first}").status_code == 409, "the last administrator"
    root.does("PUT", f"/users/{second}/administrator", {"administrator": True}, 204)
    root.does("DELETE", f"/users/{second}", status=204)
    assert len(root.get("/users")["items"]) == 1
