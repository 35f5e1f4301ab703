"""The addresses that the page talks to, and what each answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any, cast, get_args

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from styletransfer import report
from styletransfer.errors import AutomixError, ResourceError, UsageError

from . import uploads, wishes
from .desk_page import desk_html, page_html
from .guard import Guard
from .line import unforeseen
from .pages import Pages
from .workspace import Workspace

_LOG = logging.getLogger("automix.web")
_WISH_BYTES = 65_536
_GONE = "this page's session has ended, and its files are removed; reload the page to begin anew"

Answer = Callable[[Request, Workspace], Awaitable[Response]]


def app(pages: Pages, lifespan: Lifespan[Starlette]) -> Guard:
    """The server's whole application, behind the guard."""

    def at(path: str, answer: Answer, method: str = "GET") -> Route:
        return Route(f"/work/{{token}}{path}", _speaking(_in_workspace(pages, answer)), methods=[method])

    async def begin(request: Request) -> Response:
        return JSONResponse({"token": pages.begin().token})

    routes = [
        Route("/", _page(pages)),
        *(Route(f"/{name}", _constant(text, kind)) for name, (text, kind) in _files().items()),
        Route("/work", _speaking(begin), methods=["POST"]),
        at("", _state),
        at("/sounds", _upload, "POST"),
        at("/sounds/{key}", _remove, "DELETE"),
        at("/styles", _styles),
        at("/styles", _wish(wishes.Kept, Workspace.take), "POST"),
        at("/transfer", _wish(wishes.Transfer, Workspace.transfer), "POST"),
        at("/way", _order(Workspace.find_way), "POST"),
        at("/download", _wish(wishes.Download, Workspace.pack), "POST"),
        at("/stop", _order(Workspace.stop), "POST"),
        at("/desk", _desk),
        at("/players/{key}", _player),
        at("/turn", _wish(wishes.Turn, lambda page, wish: page.desk.turn(wish)), "POST"),
        at("/between", _wish(wishes.Between, lambda page, wish: page.desk.between(wish)), "POST"),
        at("/heard/{key}", _heard),
        at("/files/{key}", _file),
        at("/leave", _leave, "POST"),
        at("/end", _end(pages), "POST"),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan))


def own_asset(name: str) -> str:
    """The text of serve.js, serve.css or another file of this room."""
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _files() -> dict[str, tuple[str, str]]:
    """Everything that the page loads, by name: nothing else can be asked for."""
    script, style = "text/javascript", "text/css"
    return {
        "player.js": (report.asset("player.js"), script),
        "serve.js": (own_asset("serve.js"), script),
        "page.css": (report.asset("page.css") + report.asset("player.css"), style),
        "serve.css": (own_asset("serve.css"), style),
    }


def _constant(text: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return Response(text, media_type=kind)

    return answer


def _page(pages: Pages) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return HTMLResponse(page_html(pages.limits))

    return answer


def _in_workspace(pages: Pages, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def found(request: Request) -> Response:
        workspace = pages.find(request.path_params["token"])
        if workspace is None:
            return JSONResponse({"error": _GONE}, 410)
        try:
            return await answer(request, workspace)
        except AutomixError as error:
            return _refused(error, workspace.spoken(str(error)))

    return found


def _speaking(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """An answer whose failures become one sentence."""

    async def spoken(request: Request) -> Response:
        try:
            return await answer(request)
        except AutomixError as error:
            return _refused(error, str(error))
        except (HTTPException, ClientDisconnect):
            raise
        except Exception as error:
            _LOG.exception("a request failed")
            return JSONResponse({"error": unforeseen(error)}, 500)

    return spoken


def _refused(error: AutomixError, sentence: str) -> Response:
    status = 413 if isinstance(error, uploads.TooLarge) else 507 if isinstance(error, ResourceError) else 400
    return JSONResponse({"error": sentence}, status)


async def _state(request: Request, workspace: Workspace) -> Response:
    return JSONResponse(workspace.state())


async def _upload(request: Request, workspace: Workspace) -> Response:
    role = request.query_params.get("role", "")
    if role not in get_args(uploads.Role):
        raise UsageError("a sound is the input or a reference")
    workspace.room_for(role)
    length = request.headers.get("content-length", "")
    upload = await uploads.receive(
        request.stream(),
        int(length) if length.isdecimal() else None,
        cast(uploads.Role, role),
        request.query_params.get("name", ""),
        workspace.folder,
        workspace.limits,
    )
    workspace.add(upload)
    return JSONResponse(upload.told)


async def _styles(request: Request, workspace: Workspace) -> Response:
    return JSONResponse(await run_in_threadpool(workspace.styles))


async def _remove(request: Request, workspace: Workspace) -> Response:
    workspace.remove(request.path_params["key"])
    return JSONResponse(workspace.state())


def _wish(kind: type[wishes.AnyWish], fulfil: Callable[[Workspace, wishes.AnyWish], Any]) -> Answer:
    """What a page asks for as JSON, done on a thread; its result, or the page's state."""

    async def answer(request: Request, workspace: Workspace) -> Response:
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise UsageError("the request isn't JSON")
        text = b""
        async for chunk in request.stream():
            text += chunk
            if len(text) > _WISH_BYTES:
                raise UsageError("the request is too long")
        found = await run_in_threadpool(fulfil, workspace, wishes.read(kind, text))
        return JSONResponse(workspace.state() if found is None else found)

    return answer


def _order(fulfil: Callable[[Workspace], None]) -> Answer:
    async def answer(request: Request, workspace: Workspace) -> Response:
        fulfil(workspace)
        return JSONResponse(workspace.state())

    return answer


async def _desk(request: Request, workspace: Workspace) -> Response:
    return HTMLResponse(await run_in_threadpool(desk_html, workspace.desk))


async def _player(request: Request, workspace: Workspace) -> Response:
    player = await run_in_threadpool(workspace.desk.player, request.path_params["key"])
    return HTMLResponse(player.html)


async def _heard(request: Request, workspace: Workspace) -> Response:
    wave = workspace.desk.heard(request.path_params["key"])
    if wave is None:
        return JSONResponse({"error": "this sound was rendered anew meanwhile"}, 404)
    return Response(wave, media_type="audio/wav")


async def _file(request: Request, workspace: Workspace) -> Response:
    parcel = workspace.parcel
    if parcel is None or parcel.key != request.path_params["key"]:
        return JSONResponse({"error": "this download is no longer there; ask for it again"}, 404)
    return FileResponse(parcel.path, filename=parcel.name, media_type="application/octet-stream")


async def _leave(request: Request, workspace: Workspace) -> Response:
    workspace.left = True
    return Response(status_code=204)


def _end(pages: Pages) -> Answer:
    async def answer(request: Request, workspace: Workspace) -> Response:
        await run_in_threadpool(pages.end, workspace)
        return Response(status_code=204)

    return answer
