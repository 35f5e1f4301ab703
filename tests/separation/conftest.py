from __future__ import annotations

import pytest

from styletransfer.separation.builtin import Builtin


@pytest.fixture(scope="session")
def builtin() -> Builtin:
    return Builtin()
