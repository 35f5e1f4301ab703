"""Sessions for people's own DAWs: a REAPER project, a DAWproject file, plain stems."""

from __future__ import annotations

from .exporting import KINDS, check_kinds, export, outputs

__all__ = ["KINDS", "check_kinds", "export", "outputs"]
