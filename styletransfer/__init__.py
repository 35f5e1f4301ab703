"""Mixing style transfer: `transfer("in.wav", "ref.wav").mix.write("out.wav")`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

_root = Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file():  # a source checkout: the other rooms are next door
    __path__.append(str(_root))

__version__ = "0.1.0"

if TYPE_CHECKING:
    from styletransfer.applying import apply
    from styletransfer.audio import STEMS, Audio, Stems
    from styletransfer.errors import AutomixError, UsageError
    from styletransfer.interpolation import Interpolation, interpolate
    from styletransfer.pipeline import transfer
    from styletransfer.result import Result

_HOME = {
    "Audio": "audio",
    "STEMS": "audio",
    "Stems": "audio",
    "AutomixError": "errors",
    "Interpolation": "interpolation",
    "UsageError": "errors",
    "Result": "result",
    "apply": "applying",
    "interpolate": "interpolation",
    "transfer": "pipeline",
}
__all__ = [
    "STEMS",
    "Audio",
    "AutomixError",
    "Interpolation",
    "Result",
    "Stems",
    "UsageError",
    "__version__",
    "apply",
    "interpolate",
    "transfer",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that `automix --help` needs no torch."""
    if name in _HOME:
        return getattr(import_module(f"styletransfer.{_HOME[name]}"), name)
    raise AttributeError(f"module 'styletransfer' has no attribute {name!r}")
