"""What needs no loop, in rarer use; and test cases."""

import contextlib
import datetime
import io
import logging
import os
import sys
import unittest
import unittest.mock


def plain(t, folder):
    options = t.options.OptionParser()
    options.define("yes", type=bool)
    options.define("text", type=str, multiple=True, group="a")
    options.add_parse_callback(lambda: None)
    options.parse_command_line(["x", "--yes=true", "--text=a,b"])
    options.groups()
    options.text = ["c"]
    mocked = options.mockable()
    with unittest.mock.patch.object(mocked, "yes", False):
        pass
    path = os.path.join(folder, "app.conf")
    with open(path, "w") as file:
        file.write("yes = False\n")
    options.parse_config_file(path)
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        options.parse_command_line(["x", "--help"])
    t.options.add_parse_callback(lambda: None)
    t.options.parse_command_line(["x"], final=False)
    t.options.parse_config_file(os.devnull, final=False)
    t.options.print_help(io.StringIO())
    t.log.define_logging_options(t.options.OptionParser())
    own = t.options.OptionParser()
    t.log.define_logging_options(own)
    own.logging = "none"
    t.log.enable_pretty_logging(own, logging.getLogger("rarer"))
    own.logging = "info"
    t.log.enable_pretty_logging(own, logging.getLogger("rarer"))
    place = os.path.join(folder, "xx", "LC_MESSAGES")
    os.makedirs(place)
    with open(os.path.join(place, "app.mo"), "wb") as file:
        file.write(b"\xde\x12\x04\x95" + b"\0" * 4 + b"\0\0\0\0" + b"\x1c\0\0\0" * 2 + b"\0" * 8)
    t.locale.load_gettext_translations(folder, "app")
    found = t.locale.get("xx")
    found.translate("a"), found.translate("a", "b", 2), found.pgettext("c", "a"), found.pgettext("c", "a", "b", 2)
    t.locale.get_supported_locales()
    t.locale.set_default_locale("en_US")
    t.locale.load_translations(folder)
    english = t.locale.get("en")
    english.format_day(datetime.datetime(2020, 1, 2)), english.pgettext("c", "a")
    for when in (0, datetime.datetime.utcnow() - datetime.timedelta(days=1)):
        english.format_date(when, full_format=True), english.format_date(when, shorter=True)
    queue = t.queues.LifoQueue()
    queue.put_nowait(1), queue.empty(), queue.get_nowait(), repr(queue), str(queue)
    loader = t.template.Loader(folder)
    with open(os.path.join(folder, "outer.html"), "w") as file:
        file.write("{% include 'inner.html' %}{% block a %}{% end %}{% import os %}{% from os import path %}")
    with open(os.path.join(folder, "inner.html"), "w") as file:
        file.write("{% for x in [1] %}{% break %}{% end %}")
    loader.load("outer.html").generate()
    loader.resolve_path("inner.html", "/outer.html")
    loader.reset()
    for wrong in ("{% if %}", "{% nothing %}", "{{ 1 ", "{% end %}"):
        with contextlib.suppress(t.template.ParseError):
            t.template.Template(wrong)
    with contextlib.suppress(SyntaxError):
        t.template.Template("{{ 1 + }}")
    t.util.timedelta_to_seconds(datetime.timedelta(1)), t.util.errno_from_exception(OSError(1, "x"))
    t.util.exec_in("a = 1", {})
    with contextlib.suppress(ValueError):
        try:
            raise ValueError("x")
        except ValueError:
            t.util.raise_exc_info(sys.exc_info())
    t.util.ArgReplacer(plain, "folder").get_old_value((1, 2), {})
    t.util._websocket_mask_python(b"abcd", b"data")
    t.escape._build_unicode_map()
    t.httputil.doctests(), t.util.doctests(), t.iostream.doctests()
    router = t.routing.ReversibleRuleRouter([(t.routing.PathMatches("/a/(.*)"), print, {}, "a")])
    router.reverse_url("a", "b c")
    t.web.URLSpec("/a/(.*)", t.web.RequestHandler).reverse("b")
    server = t.autoreload
    server.add_reload_hook(lambda: None)
    server.watch(path)
    semaphore = t.locks.BoundedSemaphore(1)
    semaphore.acquire()
    semaphore.release()
    condition = t.locks.Condition()
    condition.wait(timeout=datetime.timedelta(days=1)), condition.notify_all()
    event = t.locks.Event()
    event.is_set()
    lock = t.locks.Lock()
    lock.acquire(), lock.release()


def cases(t):
    class Secure(t.testing.AsyncHTTPSTestCase):
        def get_app(self):
            return t.web.Application()

        def test(self):
            self.fetch("/")

    class Logged(t.testing.LogTrapTestCase):
        def test(self):
            logging.getLogger("x").warning("said")

    class Expected(t.testing.AsyncTestCase):
        def test(self):
            with t.testing.ExpectLog("rarer", "said"):
                logging.getLogger("rarer").warning("said")
            t.testing.get_unused_port()
            t.testing.bind_unused_port()[0].close()

        def test_wrong(self):
            def fail():
                raise ValueError("x")

            self.io_loop.add_callback(fail)
            try:
                self.wait(timeout=5)
            except ValueError:
                pass

    class Base(t.testing.AsyncHTTPTestCase):
        def test(self):
            pass

    for case in (Secure("test"), Logged("test"), Expected("test"), Expected("test_wrong"), Base("test")):
        case.run(unittest.TestResult())


def run(t, folder):
    plain(t, folder)
    cases(t)
