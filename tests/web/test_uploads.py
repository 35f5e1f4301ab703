"""What the page takes in, and what it refuses in a sentence that names people's files, not the server's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Page, noise, server

from styletransfer.web import Limits

LIMITS = Limits(upload_mb=1, minutes=0.1, references=2, pages=100)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMIX_TMP", str(tmp_path_factory.mktemp("served")))
        with server(LIMITS) as port:
            yield port


@pytest.fixture
def page(port: int) -> Page:
    return Page(port)


def refused(page: Page, path: Path, status: int = 400) -> str:
    answer = page.drop("input", path)
    assert answer.status == status
    assert "automix-web" not in answer.error
    assert page.work("GET", "").told["sounds"] == []
    return answer.error


def test_a_sound_is_taken_in_and_taken_away(page: Page, tmp_path: Path) -> None:
    told = page.drop("input", noise(tmp_path / "song.wav")).told
    assert (told["name"], told["role"], told["duration_s"]) == ("song.wav", "input", 1.0)
    page.drop("reference", noise(tmp_path / "other.wav"))
    assert [sound["role"] for sound in page.work("GET", "").told["sounds"]] == ["input", "reference"]
    page.drop("input", noise(tmp_path / "better.wav"))
    names = {sound["name"] for sound in page.work("GET", "").told["sounds"]}
    assert names == {"better.wav", "other.wav"}
    for sound in page.work("GET", "").told["sounds"]:
        page.work("DELETE", f"/sounds/{sound['key']}")
    assert page.work("GET", "").told["sounds"] == []


def test_files_go_with_the_sounds(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMIX_TMP", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    with server(LIMITS) as own:
        page = Page(own)

        def held() -> list[Path]:
            return [p for p in (tmp_path / "own").rglob("*") if p.is_file() and p.name != "lock"]

        key = page.drop("input", noise(tmp_path / "song.wav")).told["key"]
        assert len(held()) == 1
        page.drop("input", noise(tmp_path / "song.wav"))
        assert len(held()) == 1
        assert page.work("DELETE", f"/sounds/{key}").status == 200  # is no longer there
        (tmp_path / "text.wav").write_text("hello")
        page.drop("input", tmp_path / "text.wav")
        assert len(held()) == 1
        assert page.work("POST", "/end").status == 204
        assert held() == []
        assert page.work("GET", "").status == 410
        Page(own).drop("input", noise(tmp_path / "song.wav"))
    assert list((tmp_path / "own").iterdir()) == []


def test_bad_files_are_refused_in_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("This is no sound at all.\n" * 20)
    assert "text.wav" in refused(page, tmp_path / "text.wav")
    (tmp_path / "empty.wav").touch()
    assert "empty.wav is empty" in refused(page, tmp_path / "empty.wav")
    sound = noise(tmp_path / "song.wav").read_bytes()
    (tmp_path / "half.wav").write_bytes(sound[: len(sound) // 2])
    assert "half.wav is cut short" in refused(page, tmp_path / "half.wav")
    assert "minutes" in refused(page, noise(tmp_path / "long.wav", seconds=7))


def test_too_large_is_refused_before_it_is_sent(page: Page, tmp_path: Path) -> None:
    answer = page.work("POST", "/sounds?role=input&name=huge.wav", b"x" * 1_200_000)
    assert answer.status == 413
    assert "huge.wav is larger than 1 MB" in answer.error
    with socket.create_connection(("127.0.0.1", page.port)) as raw:
        raw.sendall(
            f"POST /work/{page.token}/sounds?role=input&name=a.wav HTTP/1.1\r\nHost: localhost\r\n"
            "Origin: http://localhost\r\nContent-Length: 1000000000\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_too_large_without_telling_is_cut_off(page: Page) -> None:
    with socket.create_connection(("127.0.0.1", page.port)) as raw:
        raw.sendall(
            f"POST /work/{page.token}/sounds?role=input&name=a.wav HTTP/1.1\r\nHost: localhost\r\n"
            "Origin: http://localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        raw.sendall((b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17)
        assert raw.recv(100).startswith(b"HTTP/1.1 413")
    assert page.work("GET", "").told["sounds"] == []


def test_names_are_shown_and_never_used(page: Page, tmp_path: Path) -> None:
    source = noise(tmp_path / "song.wav")
    for name, shown in {
        "../../etc/passwd": "passwd",
        "C:\\songs\\mine.wav": "mine.wav",
        "two\r\nlines\x00.wav": "twolines.wav",
        "<img src=x onerror=alert(1)>.wav": "<img src=x onerror=alert(1)>.wav",
        "": "unnamed",
        "x" * 500: "x" * 120,
    }.items():
        assert page.drop("input", source, name).told["name"] == (shown if name else "song.wav")


def test_there_is_room_for_so_many_references(page: Page, tmp_path: Path) -> None:
    source = noise(tmp_path / "song.wav")
    assert [page.drop("reference", source).status for _ in range(3)] == [200, 200, 400]
    assert page.drop("owner", source).status == 400


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/transfer", {}),
        ("/transfer", {"weights": {}}),
        ("/transfer", {"weights": {"x": 2}}),
        ("/transfer", {"weights": {}, "cache": "/tmp"}),
        ("/turn", {"strip": "piano"}),
        ("/turn", {"strip": "drums"}),
        ("/between", {"at": 0.5}),
        ("/download", {"kind": "passwd"}),
        ("/download", {"kind": "mix"}),
    ],
)
def test_wishes_that_make_no_sense_are_refused(page: Page, path: str, wish: dict[str, object]) -> None:
    answer = page.work("POST", path, wish)
    assert answer.status == 400
    assert answer.error


def test_only_json_of_some_length_is_read(page: Page) -> None:
    assert page.work("POST", "/turn", b'{"strip": "drums"}', Content_Type="text/plain").status == 400
    for body in (b"{", b"\xff", b"[" * 60_000, b" " * 70_000):
        assert page.work("POST", "/turn", body, Content_Type="application/json").status == 400
