"""The server: on this machine's own address, until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from styletransfer.errors import UsageError

from .limits import Limits
from .pages import Pages
from .routes import app
from .workspace import Means

HOST = "127.0.0.1"
_SWEEP_S = 10.0


def serve(
    port: int = 0,
    *,
    limits: Limits | None = None,
    means: Means | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page on 127.0.0.1 until interrupted; then all files that it kept are removed.

    port   0 takes a free one. UsageError where it is taken.
    ready  called with the address when requests are answered.
    """
    with contextlib.closing(listening(port)) as listener, contextlib.suppress(KeyboardInterrupt):
        server_of(listener, limits or Limits(), means or Means(), ready).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """A socket on 127.0.0.1, and on nothing else."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let others take the port too
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)  # at once, so that no other server can take it meanwhile
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {port} can't be had ({error.strerror}); choose another with --port"
        ) from error
    return listener


def server_of(
    listener: socket.socket, limits: Limits, means: Means, ready: Callable[[str], None]
) -> uvicorn.Server:
    """A server to be run on a socket of `listening`; setting its `should_exit` ends it."""
    pages = Pages(limits, means)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(pages))
        ready(f"http://{HOST}:{listener.getsockname()[1]}/")
        yield
        sweeping.cancel()
        await run_in_threadpool(pages.close)

    config = uvicorn.Config(
        app(pages, lifespan),
        lifespan="on",
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


async def _sweep(pages: Pages) -> None:
    while True:
        await asyncio.sleep(min(_SWEEP_S, pages.limits.left_s, pages.limits.kept_s))
        await run_in_threadpool(pages.sweep)
