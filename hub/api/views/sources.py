"""Sources, and the requests of theirs that are held."""

from __future__ import annotations

from typing import Any

from hub.access.permissions import Permission
from hub.accounts import accounts, sources
from hub.api.operations import operation
from hub.api.schemas import sources as schemas
from hub.api.views.accounts import ACCOUNT
from hub.errors import NotFound
from hub.inbox import release
from hub.models import Source

SOURCE = f"{ACCOUNT}/sources/<int:source_id>"
HELD = f"{ACCOUNT}/requests/<int:request_id>"


@operation("GET", f"{ACCOUNT}/sources", Permission.LOOK, answer=schemas.Sources)
def source_list(account_id: int) -> Any:
    """The sources of the account."""
    return {"items": [shown(one) for one in sources.listed(accounts.find(account_id))]}


@operation(
    "POST",
    f"{ACCOUNT}/sources",
    Permission.CONFIGURE,
    body=schemas.NewSource,
    answer=schemas.SourceWithAddress,
    status=201,
)
def source_create(account_id: int, body: dict[str, Any]) -> Any:
    """Create a source. Its address is a secret."""
    return _with_address(sources.create(accounts.find(account_id), body.pop("kind"), **body))


@operation("GET", SOURCE, Permission.CONFIGURE, answer=schemas.SourceWithAddress)
def source_show(account_id: int, source_id: int) -> Any:
    """A source with its address, which is a secret."""
    return _with_address(sources.find(source_id))


@operation("PATCH", SOURCE, Permission.CONFIGURE, body=schemas.SourceChange, answer=schemas.Source)
def source_update(account_id: int, source_id: int, body: dict[str, Any]) -> Any:
    """Change a source."""
    return shown(sources.update(source_id, **body))


@operation("DELETE", SOURCE, Permission.OWN, status=204)
def source_delete(account_id: int, source_id: int) -> None:
    """Delete a source with its events, once nothing of them is owed."""
    sources.remove(source_id)


@operation("GET", f"{ACCOUNT}/requests", Permission.LOOK, answer=schemas.HeldRequests)
def request_list(account_id: int) -> Any:
    """The requests that were refused and are held."""
    found = sources.listed(accounts.find(account_id))
    return {"items": [held for source in found for held in release.held(source.id)]}


@operation("POST", f"{HELD}/release", Permission.REPAIR, answer=schemas.Released)
def request_release(account_id: int, request_id: int) -> Any:
    """Try a held request again."""
    released = release.release(request_id)
    if released is None:
        raise NotFound("There is no such request.")
    return released


@operation("DELETE", HELD, Permission.CONFIGURE, status=204)
def request_discard(account_id: int, request_id: int) -> None:
    """Throw a held request away."""
    release.discard(request_id)


def shown(source: Source) -> dict[str, Any]:
    """A source as it is told: whether it has a secret, not which."""
    names = schemas.Source().fields.keys() - {"signing_secret_set", "detail"}
    told = {name: getattr(source, name) for name in names}
    is_set = source.signing_secret is not None
    return {**told, "signing_secret_set": is_set, "detail": sources.detail(source)}


def _with_address(source: Source) -> dict[str, Any]:
    return {**shown(source), "webhook_url": sources.webhook_url(source)}
