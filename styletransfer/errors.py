"""What can go wrong, each with the exit status that the command line gives it."""

from __future__ import annotations


class AutomixError(Exception):
    """The root. Its message is one sentence: what is wrong, where, and what to do."""

    exit_status = 1


class UsageError(AutomixError):
    """A request that can't be carried out as asked: flags that contradict, output over input."""

    exit_status = 2


class ConfigError(UsageError):
    """A settings file with unknown keys, values out of range, or another version."""


class AudioError(AutomixError):
    """A sound that can't be read, written or used: missing, damaged, silent, too short."""

    exit_status = 3


class CheckpointError(AutomixError):
    """Weights that are missing, damaged or of another format."""

    exit_status = 4


class SeparationError(CheckpointError):
    """A separator that can't be had here."""


class StemsError(SeparationError):
    """Ready-made stems that are missing, ambiguous, or don't fit their mix."""

    exit_status = AudioError.exit_status


class ResourceError(AutomixError):
    """Out of memory, or a device that isn't there."""

    exit_status = 5
