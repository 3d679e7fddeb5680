"""tornado4.options; texts and types of errors, and the help, were compared with the real 4.5.3."""

from __future__ import annotations

import copy
import datetime
import io
import sys
from unittest import mock

import pytest

from tornado4 import options as options_module
from tornado4 import stack_context
from tornado4.options import Error, OptionParser


@pytest.fixture
def options():
    return OptionParser()


def parse(options, *words):
    return options.parse_command_line(["prog.py", *words])


class TestCommandLine:
    def test_options_end_at_the_first_other_word(self, options):
        options.define("port", default=80)
        assert parse(options, "--port=1", "a", "--port=2") == ["a", "--port=2"]
        assert options.port == 1

    def test_two_dashes_end_the_options(self, options):
        options.define("port", default=80)
        assert parse(options, "-port=1", "--", "--port=2") == ["--port=2"]
        assert options.port == 1

    def test_sys_argv_is_the_default(self, options, monkeypatch):
        options.define("port", default=80)
        monkeypatch.setattr(sys, "argv", ["prog", "--port=99", "rest"])
        assert options.parse_command_line() == ["rest"]
        assert options.port == 99

    def test_value_may_hold_an_equals_sign(self, options):
        options.define("name")
        parse(options, "--name=a=b")
        assert options.name == "a=b"

    def test_unknown_option_prints_the_help_and_raises(self, options, capsys):
        with pytest.raises(Error) as caught:
            parse(options, "--no_such")
        assert str(caught.value) == "Unrecognized command line option: 'no-such'"
        assert capsys.readouterr().err.startswith("Usage: ")

    def test_only_a_flag_needs_no_value(self, options):
        options.define("flag", default=False)
        options.define("port", default=80)
        parse(options, "--flag")
        assert options.flag is True
        with pytest.raises(Error, match=r"Option 'port' requires a value"):
            parse(options, "--port")

    @pytest.mark.parametrize(
        ("word", "value"), [("f", False), ("0", False), ("FALSE", False), ("no", True), ("", True)]
    )
    def test_flag_values_as_in_453(self, options, word, value):
        options.define("flag", default=None, type=bool)
        parse(options, f"--flag={word}")
        assert options.flag is value

    def test_dash_and_underscore_are_the_same(self, options):
        options.define("a-b_c", default=1)
        parse(options, "--a_b-c=5")
        assert options.a_b_c == options["a-b-c"] == 5
        assert "a_b_c" in options and list(options) == ["help", "a-b_c"]

    def test_help_exits(self, options, capsys):
        with pytest.raises(SystemExit) as caught:
            parse(options, "--help")
        assert caught.value.code == 0
        assert "show this help information" in capsys.readouterr().err


class TestTypes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Mon Jan 02 03:04:05 2006", (2006, 1, 2, 3, 4, 5)),
            ("2006-01-02 03:04:05", (2006, 1, 2, 3, 4, 5)),
            ("2006-01-02 03:04", (2006, 1, 2, 3, 4)),
            ("2006-01-02T03:04", (2006, 1, 2, 3, 4)),
            ("20060102 03:04:05", (2006, 1, 2, 3, 4, 5)),
            ("20060102 03:04", (2006, 1, 2, 3, 4)),
            ("2006-01-02", (2006, 1, 2)),
            ("20060102", (2006, 1, 2)),
            ("03:04:05", (1900, 1, 1, 3, 4, 5)),
            ("03:04", (1900, 1, 1, 3, 4)),
        ],
    )
    def test_datetime(self, options, text, expected):
        options.define("d", type=datetime.datetime)
        parse(options, f"--d={text}")
        assert options.d == datetime.datetime(*expected)

    def test_unknown_datetime(self, options):
        options.define("d", type=datetime.datetime)
        with pytest.raises(Error) as caught:
            parse(options, "--d=2006-01-02T03:04:05")
        assert str(caught.value) == "Unrecognized date/time format: '2006-01-02T03:04:05'"

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("5", 5),
            ("1h 30m", 5400),
            ("1.5d", 129600),
            ("-5m", -300),
            ("100ms", 0.1),
            ("5us", 5e-6),
            ("1e3", 1000),
            (".5h", 1800),
            ("3weeks", 1814400),
            ("2 min 1 sec ", 121),
            ("", 0),
        ],
    )
    def test_timedelta(self, options, text, seconds):
        options.define("t", type=datetime.timedelta)
        parse(options, f"--t={text}")
        assert options.t.total_seconds() == seconds

    @pytest.mark.parametrize(("text", "error"), [("h", Exception), ("5h,", Exception), ("5x", TypeError)])
    def test_bad_timedelta(self, options, text, error):
        options.define("t", type=datetime.timedelta)
        with pytest.raises(error) as caught:
            parse(options, f"--t={text}")
        assert type(caught.value) is error

    def test_ranges_of_integers(self, options):
        options.define("n", type=int, multiple=True)
        parse(options, "--n=1:3,7,9:8,4:")
        assert options.n == [1, 2, 3, 7, 4]

    def test_multiple_text_knows_no_ranges(self, options):
        options.define("s", multiple=True)
        assert options.s == []
        parse(options, "--s=a:b,c")
        assert options.s == ["a:b", "c"]

    def test_type_comes_from_the_default(self, options):
        options.define("f", default=1.5)
        parse(options, "--f=2")
        assert options.f == 2.0 and type(options.f) is float

    def test_any_callable_is_a_type(self, options):
        options.define("z", type=complex)
        parse(options, "--z=1j")
        assert options.z == 1j

    def test_python_error_of_a_conversion_comes_through(self, options):
        options.define("port", default=80)
        with pytest.raises(ValueError, match=r"invalid literal for int"):
            parse(options, "--port=x")
        assert options.port == 80


class TestSetting:
    def test_wrong_type_in_words_of_453(self, options):
        options.define("a-b", default=1)
        with pytest.raises(Error) as caught:
            options.a_b = "x"
        assert str(caught.value) == "Option 'a-b' is required to be a int (<class 'str'> given)"

    @pytest.mark.parametrize("value", [1, ["a"], (1,), None])
    def test_wrong_list_in_words_of_453(self, options, value):
        options.define("m", type=int, multiple=True)
        with pytest.raises(Error, match=r"^Option 'm' is required to be a list of int$"):
            options.m = value

    def test_none_fits_every_type(self, options):
        options.define("a", default=1)
        options.define("m", type=int, multiple=True)
        options["a"], options.m = None, [None, 1]
        assert (options.a, options.m) == (None, [None, 1])

    @pytest.mark.parametrize(
        "access",
        [
            lambda o: o.zz,
            lambda o: o["zz"],
            lambda o: setattr(o, "zz", 1),
            lambda o: o.__setitem__("zz", 1),
        ],
    )
    def test_unknown_option_is_an_attribute_error(self, options, access):
        with pytest.raises(AttributeError, match=r"^Unrecognized option 'zz'$"):
            access(options)

    def test_defined_twice(self, options):
        options.define("a-b")
        with pytest.raises(Error) as caught:
            options.define("a_b")
        assert str(caught.value) == f"Option 'a-b' already defined in {__file__}"

    def test_callbacks_see_each_new_value(self, options):
        seen = []
        options.define("c", type=int, multiple=True, callback=seen.append)
        parse(options, "--c=1", "--c=2,3")
        options.c = [4]
        assert seen == [[1], [2, 3], [4]]

    def test_mockable(self, options):
        options.define("q", default=1)
        with mock.patch.object(options.mockable(), "q", 2):
            assert options.q == 2
        assert options.q == 1

    def test_mockable_serves_one_patch(self, options):
        options.define("q", default=1)
        stand_in = options.mockable()
        stand_in.q = 2
        with pytest.raises(AssertionError, match=r"don't reuse mockable objects"):
            stand_in.q = 3

    def test_copies(self, options):
        options.define("q", default=1)
        twin = copy.copy(options)
        assert twin.q == 1


class TestGroups:
    def test_dictionaries(self, options):
        options.define("a", default=1, group="g")
        options.define("b-c", default=2, group="g")
        options.define("d", default=3)
        assert options.group_dict("g") == {"a": 1, "b-c": 2}
        assert options.groups() == {"", "g", __file__}
        assert options.as_dict() == dict(options.items()) == options.group_dict("")
        assert list(options.as_dict()) == ["help", "a", "b-c", "d"]

    def test_module_function_defines_in_the_callers_file(self, monkeypatch):
        monkeypatch.setattr(options_module, "options", OptionParser())
        options_module.define("mine", default=1)
        assert options_module.options.groups() == {"", __file__}


HELP = """\
Usage: prog.py [OPTIONS]

Options:

  --help                           show this help information

app options:

  --a-very-long-option-name-indeed-yes 
                                   word word word word word word word word word
                                   word word word  (default x)
  --name=NAME                      a name
  --nohelp                         
  --port                           the port (default 80)
  --td                              (default 1 day, 0:00:00)
  --z0                             empty

"""  # noqa: W291  (as 4.5.3 prints it)


def test_help_is_that_of_453(options, monkeypatch):
    options.define("port", default=80, help="the port", group="app")
    options.define("name", help="a name", metavar="NAME", group="app")
    options.define("a_very_long_option_name_indeed_yes", default="x", help="word " * 12, group="app")
    options.define("nohelp", group="app")
    options.define("z0", default="", help="empty", group="app")
    options.define("td", default=datetime.timedelta(1), group="app")
    monkeypatch.setattr(sys, "argv", ["prog.py"])
    out = io.StringIO()
    options.print_help(out)
    assert out.getvalue() == HELP


class TestConfigFile:
    @pytest.fixture
    def load(self, options, tmp_path):
        def load(text, **kwargs):
            path = tmp_path / "app.cfg"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            options.parse_config_file(str(path), **kwargs)
            return str(path)

        return load

    def test_variables_are_options(self, options, load):
        options.define("a-b", default=1)
        options.define("where")
        path = load("import os\na_b = 5\nunknown = 3\nwhere = __file__")
        assert (options.a_b, options.where) == (5, path)

    def test_text_is_not_converted(self, options, load):
        options.define("port", default=80)
        with pytest.raises(Error, match=r"is required to be a int"):
            load("port = '443'")

    def test_file_is_utf8(self, options, load):
        options.define("s", type=str)
        load("s = 'é'")
        assert options.s == "é"
        with pytest.raises(UnicodeDecodeError):
            load(b"s = '\xe9'")

    def test_errors_of_the_code_come_through(self, load):
        with pytest.raises(ZeroDivisionError):
            load("1/0")

    def test_callbacks_run_after_the_final_parse_only(self, options, load):
        ran = []
        options.add_parse_callback(lambda: ran.append(1))
        load("", final=False)
        assert ran == []
        load("")
        parse(options)
        assert ran == [1, 1]

    def test_config_option_by_callback(self, options, tmp_path):
        (tmp_path / "c").write_text("port = 443")
        options.define("port", default=80)
        options.define("config", callback=lambda path: options.parse_config_file(path, final=False))
        parse(options, f"--config={tmp_path / 'c'}")
        assert options.port == 443


def test_parse_callbacks_run_in_the_context_they_were_added_in(options):
    caught = []
    with stack_context.ExceptionStackContext(lambda typ, value, tb: bool(caught.append(typ)) or True):
        options.add_parse_callback(lambda: 1 / 0)
    options.run_parse_callbacks()
    assert caught == [ZeroDivisionError]
