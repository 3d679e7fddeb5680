"""More handlers as people write them: what is overridden less often. Only type checkers read it.

It has to pass ``mypy --strict`` and pyright (strict) as it stands: no ignores, no casts.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, assert_type

from tornado4 import auth, concurrent, gen, httputil, locale, routing, template, web, websocket


class Api(web.RequestHandler):
    SUPPORTED_METHODS = (*web.RequestHandler.SUPPORTED_METHODS, "PROPFIND")

    @gen.coroutine
    def prepare(self) -> Generator[Any, Any, None]:
        yield gen.sleep(0)

    def propfind(self, path: str) -> None:
        self.set_status(207, "Multi-Status")

    def get(self, path: str) -> None:
        self.finish({"path": path, "args": self.get_arguments("a")})

    def head(self, path: str) -> None:
        self.set_header("Content-Length", 0)

    def patch(self, path: str) -> None:
        raise web.HTTPError(422, "no %s", path, reason="Unprocessable")

    def options(self, *path: str) -> None:
        self.set_status(204)


class Json(web.RequestHandler):
    def prepare(self) -> None:
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            self.body: dict[str, Any] = web.escape.json_decode(self.request.body)

    def compute_etag(self) -> str | None:
        return None

    def check_xsrf_cookie(self) -> None:
        pass

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        logging.error("uncaught", exc_info=(typ, value, tb))


class Page(web.RequestHandler):
    def get_template_path(self) -> str:
        return "templates"

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "year": 2017}

    def get_login_url(self) -> str:
        return "/login"

    def get_user_locale(self) -> locale.Locale | None:
        return locale.get("de_DE")

    def create_template_loader(self, template_path: str) -> template.BaseLoader:
        return template.DictLoader({"index.html": "{{ title }}"})

    def get(self, name: str = "index") -> None:
        self.render(name + ".html", title="A", items=[1, 2])


class Rendered(Page):
    def get(self, name: str = "index") -> None:
        self.write(self.render_string("index.html", title="B"))


class Slashed(web.RequestHandler):
    @web.addslash
    def get(self) -> None:
        self.write("x")

    @web.removeslash
    def head(self) -> None:
        pass


class Errors(web.ErrorHandler):
    def prepare(self) -> None:
        self.set_header("X-Error", "1")
        super().prepare()


class Away(web.RedirectHandler):
    def get(self, *args: str) -> None:
        super().get(*args)


class Wildcards(web.RequestHandler):
    def get(self, *args: str, **kwargs: str) -> None:
        self.write(", ".join(args))

    post = get


class Cookies(web.RequestHandler):
    def get(self) -> None:
        value = self.get_cookie("a")
        assert_type(value, str | None)
        assert_type(self.get_secure_cookie("b"), bytes | None)
        self.set_cookie("a", "1", expires_days=3, httponly=True)
        self.clear_cookie("b")
        self.clear_all_cookies()


class Executor(web.RequestHandler):
    executor = ThreadPoolExecutor(2)

    @concurrent.run_on_executor
    def slow(self, n: int) -> int:
        return n + 1

    @gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        number = yield self.slow(1)
        self.write(str(number))


class Streaming(web.RequestHandler):
    async def get(self) -> None:
        for _ in range(3):
            self.write("x")
            await self.flush()


@web.stream_request_body
class AsyncUpload(web.RequestHandler):
    async def prepare(self) -> None:
        await gen.sleep(0)

    async def data_received(self, chunk: bytes) -> None:
        await gen.sleep(0)

    async def post(self) -> None:
        await gen.sleep(0)


class Multiple(web.RequestHandler):
    async def get(self) -> None:
        first, second = await gen.multi([self.one(), self.one()])
        named = await gen.multi({"a": self.one()})
        self.write({"a": first + second, "b": named["a"]})

    async def one(self) -> int:
        return 1


class Yielding(web.RequestHandler):
    @gen.coroutine
    def find(self, key: str) -> Generator[Any, Any, int]:
        yield gen.moment
        raise gen.Return(3)

    @gen.coroutine
    def get(self) -> Generator[Any, Any, None]:
        found = yield self.find("a")
        self.write(str(found))


class Callbacks(web.RequestHandler):
    @web.asynchronous
    def get(self) -> None:
        self.request.connection.set_close_callback(self.gone)
        self.finish()

    def gone(self) -> None:
        pass


class Google(web.RequestHandler, auth.GoogleOAuth2Mixin):
    async def get(self) -> None:
        if self.get_argument("code", ""):
            user = await self.get_authenticated_user(redirect_uri="http://x/", code=self.get_argument("code"))
            self.finish({"user": str(user)})
        else:
            self.authorize_redirect(redirect_uri="http://x/", client_id="1", response_type="code", scope=["email"])


class Hashed(web.StaticFileHandler):
    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        return "1"

    def parse_url_path(self, url_path: str) -> str:
        return url_path.lstrip("/")

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        return 0

    def should_return_304(self) -> bool:
        return False


class Sized(web.StaticFileHandler):
    def initialize(self, path: str, default_filename: str | None = None, limit: int = 0) -> None:
        super().initialize(path, default_filename)
        self.limit = limit

    def get_content_type(self) -> str:
        return "text/plain"

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        return super().validate_absolute_path(root, absolute_path)


class Echo(websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    def get_compression_options(self) -> dict[str, Any] | None:
        return {}

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))

    def on_ping(self, data: bytes) -> None:
        pass

    def on_pong(self, data: bytes) -> None:
        self.close(1000, "bye")


class Ticker(websocket.WebSocketHandler):
    clients: set[Ticker] = set()

    def open(self, *args: str, **kwargs: str) -> None:
        self.clients.add(self)

    @gen.coroutine
    def on_message(self, message: str) -> Generator[Any, Any, None]:
        yield gen.sleep(0)
        for client in self.clients:
            client.write_message({"said": message})

    def on_close(self) -> None:
        self.clients.discard(self)


class Entry(web.UIModule):
    def render(self, entry: dict[str, str], **rest: object) -> str:
        return self.render_string("entry.html", entry=entry).decode()

    def embedded_css(self) -> str:
        return ".entry {}"

    def javascript_files(self) -> list[str]:
        return ["entry.js"]


class Upper(web.OutputTransform):
    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, httputil.HTTPHeaders, bytes]:
        return status_code, headers, chunk.upper()


class ByHeader(routing.Router):
    def __init__(self, app: web.Application) -> None:
        self.app = app

    def find_handler(
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate | None:
        return self.app.get_handler_delegate(request, Wildcards)


class Delegate(httputil.HTTPMessageDelegate):
    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> None:
        self.headers = headers

    def data_received(self, chunk: bytes) -> None:
        pass

    def finish(self) -> None:
        pass


class App(web.Application):
    def __init__(self) -> None:
        handlers: list[Any] = [
            (r"/api/(.*)", Api),
            web.url(r"/page", Page, name="page"),
            (r"/static/(.*)", Sized, {"path": "static"}),
        ]
        super().__init__(handlers, debug=True, ui_modules={"Entry": Entry}, cookie_secret="x")

    def log_request(self, handler: web.RequestHandler) -> None:
        if handler.get_status() >= 400:
            super().log_request(handler)
