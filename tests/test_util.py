"""tornado4.util; what is said to be "as in 4.5.3" was tried on the real one."""

from __future__ import annotations

import datetime
import errno
import gzip
import re
import sys
import types
import zlib
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tornado4.escape
from tornado4 import util
from tornado4.util import (
    ArgReplacer,
    Configurable,
    GzipDecompressor,
    ObjectDict,
    errno_from_exception,
    exec_in,
    import_object,
    raise_exc_info,
    re_unescape,
    set_public_module,
)


class Base(Configurable):
    @classmethod
    def configurable_base(cls):
        return Base

    @classmethod
    def configurable_default(cls):
        return First

    def initialize(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


class First(Base):
    pass


class Second(Base):
    pass


@pytest.fixture(autouse=True)
def unconfigured():
    saved = Base._save_configuration()
    yield
    Base._restore_configuration(saved)


class TestConfigurable:
    def test_default_class_is_made_until_configured(self):
        assert type(Base()) is First
        Base.configure(Second)
        assert type(Base()) is Second

    def test_configured_by_dotted_name(self):
        Base.configure(f"{__name__}.Second")
        assert type(Base()) is Second

    def test_none_goes_back_to_the_default_and_keeps_arguments(self):
        Base.configure(Second)
        Base.configure(None, limit=1)
        made = Base(5, depth=2)
        assert type(made) is First
        assert (made.args, made.kwargs) == ((5,), {"limit": 1, "depth": 2})

    def test_call_overrides_configured_arguments(self):
        Base.configure(Second, limit=1)
        assert Base(limit=7).kwargs == {"limit": 7}

    def test_subclass_made_directly_gets_no_configured_arguments(self):
        Base.configure(Second, limit=1)
        assert Second().kwargs == {}
        assert type(First()) is First

    def test_class_that_is_no_subclass_is_refused_in_words_of_453(self):
        with pytest.raises(ValueError, match=r"Invalid subclass of <class '.*Base'>"):
            Base.configure(int)

    def test_unknown_module_is_an_import_error(self):
        with pytest.raises(ImportError):
            Base.configure("no_such_module.Thing")

    def test_name_under_tornado_means_ours(self, monkeypatch):
        stranger = types.ModuleType("tornado")  # a modern Tornado, installed beside us
        monkeypatch.setitem(sys.modules, "tornado", stranger)
        monkeypatch.setattr(tornado4.escape, "Fitting", Second, raising=False)
        Base.configure("tornado.escape.Fitting")
        assert Base.configured_class() is Second

    def test_saved_configuration_is_class_and_arguments(self):
        Base.configure(Second, a=1)
        assert Base._save_configuration() == (Second, {"a": 1})

    def test_state_is_found_under_its_mangled_name(self):
        Base.configure(Second)
        assert Base._Configurable__impl_class is Second

    def test_plain_configurable_is_abstract(self):
        with pytest.raises(NotImplementedError):
            Configurable()


class TestGzipDecompressor:
    data = gzip.compress(b"x" * 100_000)

    def test_limited_output_comes_in_pieces(self):
        decoder = GzipDecompressor()
        out = decoder.decompress(self.data, 1000)
        assert len(out) == 1000
        while decoder.unconsumed_tail:
            piece = decoder.decompress(decoder.unconsumed_tail, 1000)
            assert len(piece) <= 1000
            out += piece
        assert out + decoder.flush() == b"x" * 100_000

    @pytest.mark.parametrize("limit", [None, 0, 5, 1_000_000])
    def test_trailing_garbage_ends_the_drain_loop(self, limit):
        decoder = GzipDecompressor()
        rounds, chunk, size = 0, self.data + b"garbage", 0
        while chunk and rounds < 30_000:
            size += len(decoder.decompress(chunk, limit))
            chunk = decoder.unconsumed_tail
            rounds += 1
        assert size == 100_000
        assert decoder.unconsumed_tail == b""
        assert decoder.decompress(b"more garbage") == b""
        assert decoder.flush() == b""

    def test_byte_by_byte(self):
        decoder = GzipDecompressor()
        out = b"".join(decoder.decompress(self.data[i : i + 1]) for i in range(len(self.data)))
        assert out == b"x" * 100_000

    def test_what_is_no_gzip_is_a_zlib_error(self):
        with pytest.raises(zlib.error):
            GzipDecompressor().decompress(b"plain text")


class TestImportObject:
    def test_module_member_and_submodule(self):
        import os.path
        import xml.sax

        assert import_object("os") is sys.modules["os"]
        assert import_object("os.path.join") is os.path.join
        assert import_object("xml.sax") is xml.sax

    @pytest.mark.parametrize("name", ["os.no_such", "no_such_module", "no_such_module.x", "os."])
    def test_what_is_not_there_is_an_import_error(self, name):
        with pytest.raises(ImportError, match=r"No module named"):
            import_object(name)


class TestArgReplacer:
    def test_argument_by_position_keyword_or_not_at_all(self):
        def function(x, y, callback=None, z=None):
            pass

        replacer = ArgReplacer(function, "callback")
        assert replacer.replace("new", (1, 2), {}) == (None, (1, 2), {"callback": "new"})
        assert replacer.replace("new", (1, 2, "old", 3), {}) == ("old", [1, 2, "new", 3], {})
        assert replacer.replace("new", (1,), {"callback": "old"}) == ("old", (1,), {"callback": "new"})
        assert replacer.get_old_value((1, 2), {}, default=9) == 9

    def test_keyword_only_argument_is_never_positional(self):
        def function(x, *, callback=None):
            pass

        assert ArgReplacer(function, "callback").replace("new", (1,), {})[2] == {"callback": "new"}

    def test_cython_like_callable_is_read_by_its_code_attributes(self):
        class Code:
            co_varnames, co_argcount = ("a", "callback", "local"), 2

        class Compiled:
            __code__ = Code
            __signature__ = "none that inspect understands"

            def __call__(self):
                pass

        assert ArgReplacer(Compiled(), "callback").arg_pos == 1

    def test_uninspectable_callable_is_a_type_error(self):
        with pytest.raises(TypeError):
            ArgReplacer(int, "callback")


class TestSmallTools:
    def test_object_dict(self):
        thing = ObjectDict(a=1)
        thing.b = 2
        assert (thing.a, dict(thing)) == (1, {"a": 1, "b": 2})
        with pytest.raises(AttributeError, match=r"^missing$"):
            _ = thing.missing
        assert not hasattr(thing, "missing")

    def test_exec_in_fills_the_given_namespaces(self):
        space, local = {}, {}
        exec_in("x = 1", space)
        exec_in(compile("y = x + 1", "f", "exec"), space, local)
        assert (space["x"], local) == (1, {"y": 2})

    def test_raise_exc_info_keeps_exception_and_traceback(self):
        try:
            raise KeyError("k")
        except KeyError:
            info = sys.exc_info()
        with pytest.raises(KeyError) as caught:
            raise_exc_info(info)
        assert caught.value is info[1]
        names = [entry.name for entry in caught.traceback]
        assert names[-1] == "test_raise_exc_info_keeps_exception_and_traceback"
        with pytest.raises(TypeError):
            raise_exc_info((None, None, None))

    def test_errno_from_exception_takes_the_first_argument_where_there_is_no_errno(self):
        assert errno_from_exception(OSError(errno.EPIPE, "gone")) == errno.EPIPE
        assert errno_from_exception(ValueError(3, "x")) == 3
        assert errno_from_exception(ValueError()) is None

    @given(st.text())
    def test_re_unescape_undoes_re_escape(self, text):
        assert re_unescape(re.escape(text)) == text

    @pytest.mark.parametrize("pattern", [r"\d", r"a\b", r"\Z"])
    def test_re_unescape_refuses_what_re_escape_never_writes(self, pattern):
        with pytest.raises(ValueError, match=r"cannot unescape"):
            re_unescape(pattern)

    def test_timedelta_to_seconds(self):
        assert util.timedelta_to_seconds(datetime.timedelta(hours=1, milliseconds=500)) == 3600.5

    @given(st.binary(min_size=4, max_size=4), st.binary())
    def test_websocket_mask_is_a_repeated_xor(self, mask, data):
        expected = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        assert util._websocket_mask(mask, data) == expected

    def test_names_of_python_2_days(self):
        assert (util.unicode_type, util.basestring_type, util.bytes_type) == (str, str, bytes)
        assert util.u("x") == "x" and util.PY3 is True and not util.is_finalizing()


def test_set_public_module_signs_only_what_is_ours_and_listed():
    def own():
        pass

    def foreign():
        pass

    class Core:
        pass

    own.__module__ = "tornado4.web.handler"
    foreign.__module__ = "tornado4.escape"
    Core.__module__ = "tornado4._core.futures"
    hidden = type("Hidden", (), {"__module__": "tornado4.web.handler"})
    space = {"own": own, "foreign": foreign, "Core": Core, "hidden": hidden, "number": 5}
    space["__all__"] = ["own", "foreign", "Core", "number"]
    set_public_module(space, "tornado4.web")
    assert own.__module__ == Core.__module__ == "tornado4.web"
    assert foreign.__module__ == "tornado4.escape"
    assert hidden.__module__ == "tornado4.web.handler"


def test_what_is_patched_on_a_face_reaches_its_rooms_and_goes_again():
    """As in 4.5.3, where ``tornado.web`` was one file; other modules keep what they have."""
    from tornado4 import httputil, web
    from tornado4.httputil import request
    from tornado4.web import execution, failures
    from tornado4.websocket import protocol

    earlier = web.app_log
    with mock.patch("tornado4.web.app_log") as patched:
        assert web.app_log is failures.app_log is execution.app_log is patched
        assert protocol.app_log is earlier
    assert web.app_log is failures.app_log is execution.app_log is earlier
    with mock.patch.object(httputil, "HTTPHeaders", list):
        assert request.HTTPHeaders is list and web.httputil is httputil
    assert request.HTTPHeaders is httputil.HTTPHeaders is not list
    with mock.patch.object(web, "a_name_of_ones_own", 1, create=True):
        assert not hasattr(failures, "a_name_of_ones_own")
    assert not hasattr(web, "a_name_of_ones_own")


@pytest.mark.parametrize("size", [*range(9), 63, 64, 65, 4095, 4096, 4097, 4098, 4099, 70_001])
def test_masking_is_the_same_by_integers_and_by_lanes(size: int) -> None:
    data = bytes((7 * n + n // 256) % 256 for n in range(size))
    mask = b"\x00\xff\x5a\x81"
    expected = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
    assert util._websocket_mask_python(mask, data) == expected
    assert util._websocket_mask_python(mask, expected) == data
