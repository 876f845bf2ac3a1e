"""The routes of ``apirest.php``: from a request to the item type that answers it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from hub.sdk.testing.simulator import Request, Response
from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.contacts import Category, Contact, Entity
from hub_glpi.simulator.documents import Document, DocumentItem, Upload, multipart
from hub_glpi.simulator.errors import ApiError, FatalError, Refused, forbidden, not_found
from hub_glpi.simulator.followups import Followup, Solution
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.listing import Page, listed_rows
from hub_glpi.simulator.query import is_true, parsed
from hub_glpi.simulator.search import Search
from hub_glpi.simulator.session_calls import SESSION_CALLS, SessionCalls
from hub_glpi.simulator.sessions import Session, Sessions
from hub_glpi.simulator.state import Database
from hub_glpi.simulator.tickets import Ticket
from hub_glpi.simulator.users import User, UserEmail

# Which index of a table finds the children of a parent.
_CHILD_INDEXES = {
    ("User", "UserEmail"): "users_id",
    ("User", "Profile_User"): "users_id",
    ("Ticket", "Ticket_User"): "tickets_id",
    ("Ticket", "ITILFollowup"): "item",
    ("Ticket", "ITILSolution"): "item",
    ("Ticket", "Document_Item"): "item",
    ("ITILFollowup", "Document_Item"): "item",
    ("ITILSolution", "Document_Item"): "item",
    ("Document", "Document_Item"): "documents_id",
}


class Api:
    """Answers calls, with the database locked. ``root`` gives the server's URL without a slash."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        *,
        app_token: str,
        root: Callable[[], str],
    ) -> None:
        self.database = database
        self.release = database.release
        self.sessions = sessions
        self.app_token = app_token
        self.root = root
        self._session_calls = SessionCalls(database, sessions)
        tickets = Ticket(database)
        self._documents = Document(database, tickets)
        known: list[ItemType] = [
            User(database),
            UserEmail(database),
            Contact(database),
            Category(database),
            Entity(database),
            tickets,
            Followup(database, tickets),
            Solution(database, tickets),
            self._documents,
            DocumentItem(database, tickets),
        ]
        self._types = {item_type.itemtype.lower(): item_type for item_type in known}
        for name in database.tables:
            self._types.setdefault(name.lower(), ItemType(database, name))

    @property
    def api_url(self) -> str:
        return f"{self.root()}/apirest.php"

    def call(self, request: Request, segments: list[str], *, token_login: bool) -> Response:
        """One call; ``segments`` is its path below ``apirest.php``."""
        params = parsed(request.query)
        self._check_app_token(request, params)
        payload, uploads = self._payload(request)
        if segments[0] == "initSession":
            authorization = request.headers.get("authorization", "")
            session = self.sessions.begin(authorization, params, by_token=token_login)
            return Response.of_json(self._session_calls.begun(session, params))
        token = request.headers.get("session-token") or str(params.get("session_token", ""))
        session = self.sessions.find(token)
        if segments[0] == "killSession":
            self.sessions.end(session)
            return Response.of_json(True) if self.release.kill_answers_true else Response()
        if segments[0] in SESSION_CALLS:
            given = payload if isinstance(payload, dict) else {}
            return Response.of_json(
                self._session_calls.answer(segments[0], session, {**params, **given})
            )
        if segments[0] == "search" and len(segments) > 1:
            return self._search(session, segments[1], params)
        item_type = self.item_type(segments[0])
        if request.method in ("GET", "HEAD"):
            return self._read(session, item_type, segments[1:], params)
        if request.method == "POST":
            return self._add(session, item_type, _inputs(payload), uploads)
        if request.method in ("PUT", "PATCH", "DELETE"):
            return self._change(request.method, session, item_type, segments[1:], payload, params)
        raise ApiError(405, "ERROR_METHOD_NOT_ALLOWED", "method not allowed")

    def _check_app_token(self, request: Request, params: dict[str, Any]) -> None:
        given = request.headers.get("app-token") or params.get("app_token")
        if not self.app_token or given == self.app_token:
            return
        if not given:
            code, text = "ERROR_APP_TOKEN_PARAMETERS_MISSING", "missing parameter app_token"
        else:
            code, text = "ERROR_WRONG_APP_TOKEN_PARAMETER", "parameter app_token seems wrong"
        raise ApiError(400, code, text, documented=True)

    def _payload(self, request: Request) -> tuple[Any, list[Upload]]:
        content_type = request.headers.get("content-type", "")
        if not request.body:
            return None, []
        if request.method in ("GET", "HEAD"):
            if "json" not in content_type:
                return None, []
            raise ApiError(
                400,
                "ERROR_JSON_PAYLOAD_FORBIDDEN",
                "GET Request should not have json payload (http body)",
                documented=True,
            )
        if content_type.startswith("multipart/"):
            return multipart(content_type, request.body)
        if content_type.startswith("application/x-www-form-urlencoded"):
            if not self.release.form_bodies:
                raise FatalError
            return parsed(request.body.decode("utf-8", "replace")), []
        try:
            return json.loads(request.body), []
        except ValueError as error:
            raise ApiError(
                400, "ERROR_JSON_PAYLOAD_INVALID", "JSON payload seems not valid"
            ) from error

    def item_type(self, name: str) -> ItemType:
        """An item type by its name, in any case."""
        found = self._types.get(name.lower())
        if found is None:
            raise ApiError(
                400,
                "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM",
                "resource not found or not an instance of CommonDBTM",
                documented=True,
            )
        return found

    def _search(self, session: Session, name: str, params: dict[str, Any]) -> Response:
        item_type = self.item_type(name)
        if not session.may("r", item_type.itemtype):
            raise forbidden()
        body, page = Search(item_type, params).run(session)
        return Response.of_json(body, page.status, page.headers)

    def _read(
        self, session: Session, item_type: ItemType, rest: list[str], params: dict[str, Any]
    ) -> Response:
        if not session.may("r", item_type.itemtype):
            raise forbidden()
        if not rest or not rest[0].isdigit():
            # Also what is no number at all gives the list.
            rows = [row for row in item_type.table.rows.values() if item_type.sees(session, row)]
            return self._list(item_type, rows, params)
        row = item_type.table.get(int(rest[0]))
        if row is None:
            raise not_found()
        if not item_type.sees(session, row):
            raise forbidden()
        if len(rest) > 1:
            return self._children(item_type, row, self.item_type(rest[1]), params)
        headers = {}
        if row.get("date_mod"):
            headers["Last-Modified"] = self._http_date(row["date_mod"])
        shown = item_type.shown(row, self.api_url)
        if is_true(params.get("with_documents", 0)):
            shown["_documents"] = self._documents.of(item_type.itemtype, row, self.api_url)
        return Response.of_json(shown, headers=headers)

    def _children(
        self, parent: ItemType, row: Row, child: ItemType, params: dict[str, Any]
    ) -> Response:
        index = _CHILD_INDEXES.get((parent.itemtype, child.itemtype))
        if index is None:
            return self._list(child, [], params)
        key = (parent.itemtype, row["id"]) if index == "item" else row["id"]
        return self._list(child, child.table.where(index, key), params)

    def _list(self, item_type: ItemType, rows: list[Row], params: dict[str, Any]) -> Response:
        found = listed_rows(rows, item_type.table.columns, params)
        page = Page(found, params, item_type.itemtype)
        shown = [item_type.shown(row, self.api_url) for row in page.items]
        return Response.of_json(shown, page.status, page.headers)

    def _http_date(self, local: str) -> str:
        offset = 60 * self.database.utc_offset_minutes
        seconds = datetime.fromisoformat(local).replace(tzinfo=UTC).timestamp() - offset
        return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)

    # Writing.

    def _add(
        self, session: Session, item_type: ItemType, inputs: Any, uploads: list[Upload]
    ) -> Response:
        many = isinstance(inputs, list)
        made: list[Row] = []
        rows: list[Row] = []
        for values in inputs if many else [inputs]:
            try:
                row, message = item_type.create(session, values)
            except Refused as refused:
                made.append({"id": False, "message": refused.message})
            else:
                rows.append(row)
                made.append({"id": row["id"], "message": message})
        if not rows:
            raise ApiError(400, "ERROR_GLPI_ADD", made if many else made[0]["message"])
        if len(rows) < len(made):
            return Response.of_json(["ERROR_GLPI_PARTIAL_ADD", made], 207)
        if uploads:
            made[0]["upload_result"] = self._documents.receive(rows[0], uploads, self.root())
        places = ",".join(f"{self.api_url}/{item_type.itemtype}/{row['id']}" for row in rows)
        headers = {"Link" if many else "Location": places}
        return Response.of_json(made if many else made[0], 201, headers)

    def _change(
        self,
        method: str,
        session: Session,
        item_type: ItemType,
        rest: list[str],
        payload: Any,
        params: dict[str, Any],
    ) -> Response:
        """PUT, PATCH and DELETE. The id in the body beats the one in the URL (trap 11)."""
        what = "DELETE" if method == "DELETE" else "UPDATE"
        in_url = rest[0] if rest and rest[0].isdigit() else None
        inputs = {} if method == "DELETE" and payload is None else _inputs(payload)
        many = isinstance(inputs, list)
        results: list[Row] = []
        refusals: list[str | None] = []
        for values in inputs if many else [inputs]:
            number = str(values.get("id", in_url or ""))
            try:
                row = item_type.table.get(int(number)) if number.isdigit() else None
                if row is None:
                    raise Refused(None)
                if method == "DELETE":
                    purge = is_true(params.get("force_purge", 0)) or bool(
                        isinstance(payload, dict) and payload.get("force_purge")
                    )
                    item_type.delete(session, row, purge=purge)
                    message = ""
                else:
                    message = item_type.update(session, row, dict(values))
            except Refused as refused:
                refusals.append(refused.message)
                results.append({number: False, "message": refused.message})
            else:
                results.append({number: True, "message": message})
        if len(refusals) == len(results):
            raise ApiError(400, f"ERROR_GLPI_{what}", results if many else refusals[0])
        if refusals:
            return Response.of_json([f"ERROR_GLPI_PARTIAL_{what}", results], 207)
        return Response.of_json(results)


def _inputs(payload: Any) -> Any:
    """The ``input`` of a body: one object, or a list of them."""
    inputs = payload.get("input") if isinstance(payload, dict) else None
    if isinstance(inputs, dict) or (
        isinstance(inputs, list) and all(isinstance(one, dict) for one in inputs)
    ):
        return inputs
    raise ApiError(
        400, "ERROR_BAD_ARRAY", "input parameter must be an array of objects", documented=True
    )
