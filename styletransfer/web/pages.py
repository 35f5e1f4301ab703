"""All open pages: begun, found by their token, and ended when they are done with or forgotten."""

from __future__ import annotations

import time

from styletransfer.errors import UsageError

from .folders import Folder
from .limits import Limits
from .line import Line
from .workspace import Means, Workspace


class Pages:
    """The workspaces of a server, in one folder, with one line for them all."""

    def __init__(self, limits: Limits, means: Means) -> None:
        self.limits = limits
        self._means = means
        self._folder = Folder()
        self._line = Line(limits.waiting)
        self._open: dict[str, Workspace] = {}

    def begin(self) -> Workspace:
        """A new one. UsageError where too many are open."""
        self.sweep()
        if len(self._open) >= self.limits.pages:
            raise UsageError(f"{len(self._open)} pages are open already; close one and reload")
        workspace = Workspace(self._folder.path, self._line, self.limits, self._means)
        self._open[workspace.token] = workspace
        return workspace

    def find(self, token: str) -> Workspace | None:
        """The workspace of a token, which counts as touched now."""
        workspace = self._open.get(token)
        if workspace is not None:
            workspace.touched_s, workspace.left = time.monotonic(), False
        return workspace

    def end(self, workspace: Workspace) -> None:
        """Remove a workspace and its files."""
        self._open.pop(workspace.token, None)
        workspace.close()

    def sweep(self) -> None:
        """End what was left, or what nobody touched for long and isn't at work."""
        for workspace in list(self._open.values()):
            patience_s = self.limits.left_s if workspace.left else self.limits.kept_s
            if time.monotonic() - workspace.touched_s > patience_s and (workspace.left or not workspace.busy):
                self.end(workspace)

    def close(self) -> None:
        """End all, and remove the folder."""
        for workspace in list(self._open.values()):
            workspace.stop()
        self._line.close()
        for workspace in list(self._open.values()):
            self.end(workspace)
        self._folder.remove()
