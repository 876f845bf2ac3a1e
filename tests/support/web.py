"""Web servers of a test's own, on threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

#: Seconds between looks whether to stop; what the standard library takes costs each test half a
#: second.
LOOK = 0.01


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serve in the background, and stop and close the server at the end."""
    thread = threading.Thread(target=server.serve_forever, args=(LOOK,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
