"""Who may talk to the server, and what travels with every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from serving import Page, server

from styletransfer import report
from styletransfer.web.desk_page import page_html
from styletransfer.web.limits import Limits
from styletransfer.web.routes import own_asset


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with server() as port:
        yield Page(port)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:80:80", "10.0.0.1", "0"]
)
def test_a_foreign_host_is_refused(page: Page, host: str) -> None:
    for path in ("/", "/serve.js", f"/work/{page.token}"):
        assert page.ask("GET", path, Host=host, Origin="").status == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_this_machines_names_are_served(page: Page, host: str) -> None:
    assert page.ask("GET", "/", Host=host, Origin="").status == 200
    assert page.ask("POST", f"/work/{page.token}/stop", Host=host, Origin=f"http://{host}").status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://localhost:{port}",
        "http://127.0.0.1:{port}/x",
        "http://x@127.0.0.1:{port}",
    ],
)
def test_a_foreign_origin_is_refused(page: Page, origin: str) -> None:
    origin = origin.format(port=page.port)
    assert page.work("GET", "", Origin=origin).status == 403
    for method in ("POST", "DELETE"):
        assert page.ask(method, f"/work/{page.token}/end", Origin=origin).status == 403
    assert page.work("GET", "").status == 200  # so nothing was ended


def test_what_changes_something_says_where_it_comes_from(page: Page) -> None:
    assert page.ask("POST", "/work", Origin="").status == 403
    assert page.work("GET", "", Origin="").status == 200


def test_another_sites_requests_are_refused_but_links_to_the_page_work(page: Page) -> None:
    foreign = {"Origin": "", "Sec_Fetch_Site": "cross-site"}
    assert page.work("GET", "", **foreign).status == 403
    assert page.ask("GET", "/", **foreign, Sec_Fetch_Mode="no-cors").status == 403
    assert page.ask("GET", "/", **foreign, Sec_Fetch_Mode="navigate").status == 200


@pytest.mark.parametrize("path", ["/", "/serve.js", "/page.css", "/nothing", "/work/no-such-token"])
def test_every_answer_has_the_headers(page: Page, path: str) -> None:
    headers = page.ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert re.search(r"(script|style|default)-src [^;]*'unsafe-inline'", policy) is None
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
    assert not [name for name in headers if name.startswith("access-control")]


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    texts = [page_html(Limits()), own_asset("serve.js"), own_asset("serve.css"), report.asset("player.js")]
    texts += [report.asset("page.css"), report.asset("player.css"), own_asset("desk.html")]
    for text in texts:
        assert not re.findall(r"""(?:https?:)?//[\w.-]+\.\w""", re.sub(r"(?m)^\s*//.*$", "", text))
        assert "@import" not in text
    named = re.findall(r'(?:src|href)="([^"]+)"', texts[0])
    assert {"player.js", "serve.js", "page.css", "serve.css"} <= set(named)
    for name in set(named) - {"data:,"}:
        assert page.ask("GET", f"/{name}").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/..%2fpyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/guard.py",
        "/serve.html",
        "/work/../serve.js",
    ],
)
def test_no_path_of_the_server_is_reachable(page: Page, path: str) -> None:
    answer = page.ask("GET", path)
    assert answer.status in (404, 410)
    for inside in ("/files", "/heard", "/players", "/sounds"):
        answer = page.work("GET", inside + path)
        assert answer.status in (400, 404, 405)
        assert b"root:" not in answer.body


def test_a_wrong_token_opens_nothing(page: Page) -> None:
    for token in ("", "x", page.token[:-1], page.token + "x", "Ünï%00"):
        answer = page.ask("GET", f"/work/{token.encode('ascii', 'xmlcharrefreplace').decode()}/desk")
        assert answer.status in (404, 410)
