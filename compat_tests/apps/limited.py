"""A server with limits and compression: what HTTPServer's arguments and the application's settings change."""
import tornado.gen
import tornado.httputil
import tornado.routing
import tornado.web


class Text(tornado.web.RequestHandler):
    def get(self, kind, size):
        self.set_header("Content-Type", kind.replace("-", "/"))
        if self.get_argument("encoded", ""):
            self.set_header("Content-Encoding", "own")
        if self.get_argument("vary", ""):
            self.set_header("Vary", "Cookie")
        self.write("x" * int(size))


class Pieces(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self):
        for n in range(3):
            self.write("piece %d " % n * 100)
            yield self.flush()


class Body(tornado.web.RequestHandler):
    def post(self):
        self.write({"size": len(self.request.body), "arguments": sorted(self.request.arguments), "encoding": self.request.headers.get("Content-Encoding")})

    put = post


class Info(tornado.web.RequestHandler):
    def get(self):
        self.write({"ip": self.request.remote_ip, "protocol": self.request.protocol})


@tornado.web.stream_request_body
class Sizes(tornado.web.RequestHandler):
    def prepare(self):
        self.sizes = []

    def data_received(self, chunk):
        self.sizes.append(len(chunk))

    def post(self):
        # How the bytes come in pieces is the kernel's and the parser's matter, but for the limit.
        self.write({"bytes": sum(self.sizes), "longest allowed": max(self.sizes + [0]) <= 100})


class Host(tornado.web.RequestHandler):
    def initialize(self, name):
        self.name = name

    def get(self, *args):
        self.write(self.name + repr(args))


class Plain(tornado.web.RequestHandler):
    def compute_etag(self):
        return None

    def get(self):
        self.write("y" * 2000)


class OldToken(tornado.web.RequestHandler):
    def post(self):
        self.write("checked before")

    def get(self):
        self.write(str(len(self.xsrf_token)))


class Lookup(tornado.web.RequestHandler):
    def get(self):
        self.write(self.reverse_url("lookup"))


def make_app():
    app = tornado.web.Application(
        [
            (r"/text/([\w-]+)/(\d+)", Text),
            (r"/pieces", Pieces),
            (r"/body", Body),
            (r"/info", Info),
            (r"/sizes", Sizes),
            (r"/plain", Plain),
            tornado.web.url(r"/lookup", Lookup, name="lookup"),
        ],
        compress_response=True,
        default_host="default.org",
    )
    app.add_handlers(r"a\.org", [(r"/(.*)", Host, {"name": "a"})])
    app.add_handlers(r".*\.b\.org", [(r"/x(.*)", Host, {"name": "b"})])
    checking = tornado.web.Application([(r"/token", OldToken)], xsrf_cookies=True, xsrf_cookie_version=1,
                                       xsrf_cookie_kwargs={"httponly": True, "path": "/t"})
    return tornado.routing.RuleRouter([
        tornado.routing.Rule(tornado.routing.HostMatches("token.org"), checking),
        tornado.routing.Rule(tornado.routing.PathMatches("/callable"), answer),
        tornado.routing.Rule(tornado.routing.AnyMatches(), app),
    ])


def answer(request):
    body = b"from a callable"
    request.connection.write_headers(tornado.httputil.ResponseStartLine("HTTP/1.1", 200, "OK"),
                                     tornado.httputil.HTTPHeaders({"Content-Length": str(len(body))}), body)
    request.connection.finish()


SERVER = {"xheaders": True, "decompress_request": True, "max_header_size": 2000, "max_body_size": 1000, "chunk_size": 100, "protocol": "https",
          "trusted_downstream": ["5.5.5.5"]}
