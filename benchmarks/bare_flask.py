"""The yardstick of accepting: a view that does nothing, on the same gunicorn."""

from __future__ import annotations

import argparse

from flask import Flask, Response, jsonify

from hub.fleet import web


def make_app() -> Flask:
    """One view, which answers what the inbox would answer."""
    app = Flask("bare")

    @app.post("/webhooks/<kind>/<token>")
    def receive(kind: str, token: str) -> tuple[Response, int]:
        return jsonify(status="accepted", event_id=1, event_ids=[1]), 202

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    web.Server(make_app, web.options("127.0.0.1", parser.parse_args().port)).run()
