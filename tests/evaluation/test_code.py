"""What is kept of a run lasts until code that made it changes, and no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from styletransfer.evaluation.code import code_fingerprint


def test_a_module_counts_alone_and_a_package_with_all_that_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "made_of_code" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    one, other = inner.parent / "one.py", inner / "other.py"
    one.write_text("1")
    other.write_text("2")
    monkeypatch.syspath_prepend(tmp_path)

    def prints() -> tuple[str, str]:
        code_fingerprint.cache_clear()
        return code_fingerprint("made_of_code.one"), code_fingerprint("made_of_code")

    module, package = prints()
    other.write_text("3")
    assert prints()[0] == module
    assert prints()[1] != package
    one.write_text("4")
    assert prints()[0] != module
    code_fingerprint.cache_clear()
