"""Redirects stay on the site that the program names, however a path spells it."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from attacked import attacked, switched

from tornado4.web import (
    Application,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
    addslash,
    authenticated,
    removeslash,
)


class Slash(RequestHandler):
    @addslash
    def get(self) -> None:
        self.write("with")


class NoSlash(RequestHandler):
    @removeslash
    def get(self) -> None:
        self.write("without")


@pytest.fixture(scope="module")
def server(tmp_path_factory: Any) -> Any:
    root = tmp_path_factory.mktemp("static")
    (root / "folder").mkdir()
    (root / "folder" / "index.html").write_text("index")
    patterns = {
        "path": "/{0}",
        "whole": "{0}",
        "glued": "https://www.example.com{0}",
        "label": "https://{0}.example.com/",
        "port": "https://www.example.com:{0}/",
        "fixed": "https://www.example.com/{0}",
        "cdn": "//cdn.example.com/{0}",
        "query": "/x?next={0}",
    }
    handlers: list[Any] = [
        (f"/{name}/(.*)", RedirectHandler, {"url": pattern}) for name, pattern in patterns.items()
    ]
    handlers += [
        ("/two/([^/]*)/(.*)", RedirectHandler, {"url": "/{0}/{1}"}),
        ("(?:http://[^/]*)?/static/(.*)", StaticFileHandler, {"path": str(root), "default_filename": "index.html"}),
        (".*/without/+", NoSlash),
        (".*", Slash),
    ]
    with attacked(handlers) as made:
        yield made


@pytest.mark.parametrize(
    "target",
    [
        "/path//evil.example", "/path/%2fevil.example", "/path/%5cevil.example", "/path/\\evil.example",
        "/path///evil.example", "/path/%5c/evil.example", "/path/%2f%5cevil.example", "/path/%09/evil.example",
        "/path/%0a/evil.example", "/whole/http://evil.example", "/whole/javascript:alert(1)",
        "/whole/%2f%2fevil.example",
        "/whole/%01//evil.example", "/whole/https:evil.example", "/glued/.evil.example", "/glued/@evil.example",
        "/glued/:80@evil.example", "/glued/%5c@evil.example/../", "/label/evil.example%2f", "/label/evil.example%23",
        "/label/evil.example%3f", "/label/evil.example%5c", "/label/a@evil.example%2f", "/port/80@evil.example",
        "/two//evil.example", "/two/%5c/evil.example", "/two/%09/evil.example",
    ],
)  # fmt: skip
def test_groups_do_not_choose_the_site(server: Any, target: str) -> None:
    status, headers, _ = server.ask(target)
    if target == "/glued/%5c@evil.example/../":  # a backslash ends the host
        assert headers["Location"] == "https://www.example.com\\@evil.example/../"
        return
    assert (status, "Location" in headers) == (400, False)
    line = server.complaints()[-1]
    assert "cannot redirect" in line
    assert "redirect-groups" in line or "control character" in line


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/path/a/b", "/a/b"), ("/path/a//b", "/a//b"), ("/path/http://x", "/http://x"), ("/path/", "/"),
        ("/whole/a", "a"), ("/whole//a", "/a"), ("/glued//a", "https://www.example.com/a"),
        ("/glued/", "https://www.example.com"), ("/fixed//a", "https://www.example.com//a"),
        ("/fixed/http://x", "https://www.example.com/http://x"), ("/cdn/a", "//cdn.example.com/a"),
        ("/query/http://x", "/x?next=http://x"), ("/two/a/b", "/a/b"),
    ],
)  # fmt: skip
def test_groups_fill_in_paths_and_queries_as_in_453(server: Any, target: str, location: str) -> None:
    status, headers, _ = server.ask(target)
    assert (status, headers["Location"]) == (301, location)


def test_the_switch_lets_groups_choose(server: Any) -> None:
    with switched("redirect-groups"):
        assert server.ask("/label/shop")[1]["Location"] == "https://shop.example.com/"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("http://evil.example/a", "/a/"), ("http://evil.example/a?b", "/a/?b"),
        ("http://evil.example/without/", "/without"),
        ("http://evil.example/static/folder", "/static/folder/"), ("/a", "/a/"), ("/without/", "/without"),
    ],
)  # fmt: skip
def test_a_slash_is_a_matter_of_this_site(server: Any, target: str, location: str) -> None:
    status, headers, _ = server.ask(target)
    assert (status, headers["Location"]) == (301, location)


@pytest.mark.parametrize(
    "target", ["//evil.example/a", "/\\evil.example/a", "//evil.example/without/", "///evil.example"]
)
def test_a_path_that_is_a_host_to_browsers_is_not_redirected_to(server: Any, target: str) -> None:
    status, headers, _ = server.ask(target)
    assert (status, "Location" in headers) == (403, False)


class Members(RequestHandler):
    @authenticated
    def get(self) -> None:
        self.write("members")


@pytest.mark.parametrize(
    ("target", "back"),
    [
        ("/a?b", "/a?b"), ("//evil.example/a", "http://test.example//evil.example/a"),
        ("/\\evil.example/a", "http://test.example/\\evil.example/a"), ("http://a.example/b", "http://a.example/b"),
    ],
)  # fmt: skip
def test_the_way_back_from_the_log_in_page_is_on_the_site(target: str, back: str) -> None:
    with attacked(Application([(".*", Members)], login_url="/login")) as server:
        location = server.ask(target)[1]["Location"]
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["next"] == [back]
