"""An echo in Flask with simple-websocket."""

from __future__ import annotations

import sys

import flask
import simple_websocket

app = flask.Flask(__name__)


@app.route("/", websocket=True)
def echo() -> str:
    """Sends every message back."""
    connection = simple_websocket.Server.accept(flask.request.environ)
    try:
        while True:
            connection.send(connection.receive())
    except simple_websocket.ConnectionClosed:
        return ""


@app.route("/under")
def under() -> str:
    """The module that wsproto's events are in."""
    return sys.modules["wsproto.events"].__name__
