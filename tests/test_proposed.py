"""Who set a knob how far: steps add up to the settings, on each knob's scale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from styletransfer import transfer
from styletransfer.converter.console import STRIP, neutral, scaled
from styletransfer.document import Document
from styletransfer.errors import ConfigError
from styletransfer.files import read
from styletransfer.proposed import Proposed


def test_the_steps_add_up_on_the_knobs_scales() -> None:
    closed, networked, refined = (neutral(STRIP) for _ in range(3))
    closed["gain"]["gain_db"], networked["gain"]["gain_db"], refined["gain"]["gain_db"] = -2.0, 1.0, 0.5
    closed["compressor"]["ratio"], networked["compressor"]["ratio"] = 1.5, 3.0
    refined["compressor"]["ratio"] = 3.0
    told = Proposed.of(STRIP, closed, networked, refined)
    assert told.network == {"gain": {"gain_db": 3.0}, "compressor": {"ratio": pytest.approx(1.0)}}
    assert told.refinement == {"gain": {"gain_db": -0.5}}
    for stage, knobs in refined.items():
        assert told.total(STRIP)[stage] == pytest.approx(knobs)
    alone = Proposed.of(STRIP, closed)
    assert alone.network == alone.refinement == {}
    assert alone.total(STRIP) == closed


@pytest.fixture(scope="module")
def document(songs: dict[str, Path]) -> Document:
    input, reference = (read(songs[name]).excerpt(2.0, 7.0) for name in ("input", "reference"))
    return transfer(input, reference, separator="builtin", amount=0.5, only=["eq"], gate=False).document


def test_a_document_tells_what_was_rendered_before_amounts(document: Document, tmp_path: Path) -> None:
    for name, rendered in document.console.stems().items():
        told = scaled(STRIP, document.proposed[name].total(STRIP), 0.5)
        for stage, knobs in rendered.items():
            assert told[stage] == pytest.approx(knobs, rel=1e-5, abs=1e-5)  # positions are float32
        assert "gain" not in document.proposed[name].network  # gains are measured, whoever set the rest
    assert any(document.proposed[name].network for name in document.console.stems())
    assert "gain" not in document.proposed["master"].closed_form
    again = Document.load(document.save(tmp_path / "result.json"))
    assert again.proposed == document.proposed


def test_documents_of_format_1_are_read(document: Document, tmp_path: Path) -> None:
    old = json.loads(document.model_dump_json())
    only = old.pop("references")[0]
    del old["proposed"], old["asked"]["lock"], only["weight"], only["stem"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old | {"format": 1, "reference": only}), encoding="utf-8")
    read = Document.load(path)
    assert read.format == 2
    assert read.reference is not None
    assert read.reference.sha256 == document.references[0].sha256
    assert read.console == document.console
    path.write_text(json.dumps(old | {"format": 1, "reference": None}), encoding="utf-8")
    assert Document.load(path).references == []
    path.write_text(json.dumps(old | {"format": 3}), encoding="utf-8")
    with pytest.raises(ConfigError, match="format 3"):
        Document.load(path)
