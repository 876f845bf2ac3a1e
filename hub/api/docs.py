"""The OpenAPI document and a page to read it and to try it, both for everybody."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, Response, jsonify, render_template

from hub import __version__
from hub.api.openapi import document
from hub.api.operations import OPERATIONS

blueprint = Blueprint(
    "api_docs",
    __name__,
    url_prefix="/api",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)


@blueprint.get("/v1/openapi.json")
def openapi() -> Response:
    """The document."""
    return jsonify(document())


@blueprint.get("/docs")
def page() -> str:
    """All operations, each with a form to try it."""
    described = document()["paths"]
    operations = [
        (one, described[one.path][one.method.lower()])
        for one in sorted(OPERATIONS, key=lambda one: one.tag)
    ]
    tags = [
        (tag, list(members)) for tag, members in groupby(operations, key=lambda pair: pair[0].tag)
    ]
    return render_template(
        "api/docs.html",
        tags=tags,
        components=document()["components"]["schemas"],
        version=__version__,
    )
