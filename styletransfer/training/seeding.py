"""Seeds that follow from what they are for, so that nothing depends on what was drawn before."""

from __future__ import annotations

import hashlib


def seed_of(*parts: object) -> int:
    """A seed that is the same for the same parts: 62 bits of their hash."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 2
