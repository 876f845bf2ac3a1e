"""The loop of the web server's front: what comes in one moment is worked off one by one."""

from __future__ import annotations

import logging
import os
import selectors
import socket
from concurrent.futures import Future
from contextlib import closing

import pytest
from gunicorn.config import Config

from hub.fleet.front import FrontWorker

ASK = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"


@pytest.mark.parametrize("kept", [False, True], ids=["arriving", "kept"])
def test_who_is_closed_to_make_room_may_have_sent_something_in_that_moment(kept):
    """The loop has both events in its hand: the second is of a connection that is no more."""
    worker = FrontWorker(0, os.getpid(), [], None, 60, Config(), logging.getLogger())
    worker.poller = selectors.DefaultSelector()
    worker._most = 1
    with socket.create_server(("127.0.0.1", 0)) as door, worker.poller, closing(worker.tmp):
        door.setblocking(False)
        worker.poller.register(door, selectors.EVENT_READ, worker.accept)
        with socket.create_connection(door.getsockname()) as oldest:
            worker.wait_for_and_dispatch_events(60)
            [conn] = worker._arriving
            if kept:
                worker._forget(conn)
                conn.init()
                done: Future[bool] = Future()
                done.set_result(True)
                worker.finish_request(conn, done)
            with socket.create_connection(door.getsockname()):
                oldest.sendall(ASK)
                worker.wait_for_and_dispatch_events(60)
                assert worker.nr_conns == 1
                assert conn not in worker._arriving
                [newest] = worker._arriving
                newest.close()
