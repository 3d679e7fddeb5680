"""tornado.options."""
import datetime
import os
import tempfile

from tornado.options import Error, OptionParser

ROWS = {"timedeltas": "OPTION-TEXT"}


def made():
    options = OptionParser()
    options.define("port", 8888, help="the port", metavar="N")
    options.define("name", "x", type=str, group="people")
    options.define("debug", False)
    options.define("ratio", 0.5)
    options.define("when", datetime.datetime(2000, 1, 1))
    options.define("every", datetime.timedelta(seconds=5))
    options.define("many", [1], type=int, multiple=True)
    return options


def parsed(record, *args):
    options = made()
    try:
        rest = options.parse_command_line(["prog"] + list(args))
        record(rest, options.port, options.name, options.debug, options.ratio, options.when, options.every, options.many)
    except Exception as e:
        record(e)


def command_line_values(record):
    parsed(record)
    parsed(record, "--port=80", "--name=Ann", "--debug", "--ratio=2")
    parsed(record, "-port=81", "--debug=false", "rest", "--port=82")
    parsed(record, "--port=83", "--", "--port=84")
    parsed(record, "--many=1,2,5:8", "--name=")


def command_line_errors(record):
    parsed(record, "--nope")
    parsed(record, "--nope=3")
    parsed(record, "--port=eighty")
    parsed(record, "--port")
    parsed(record, "--ratio=")
    parsed(record, "--many=1,x")


def datetimes(record):
    for text in ("2013-04-28 05:16", "Sun Apr 28 05:16:07 2013", "2013-04-28T05:16", "20130428", "05:16:07", "2013-04-28", "5 o'clock"):
        parsed(record, "--when=" + text)


def timedeltas(record):
    for text in ("5", "1.5s", "2m", "1h 30m", "3 days", "2w", "10 microseconds", "-1s", "1ms", "soon"):
        parsed(record, "--every=" + text)


def booleans(record):
    for text in ("true", "1", "t", "yes", "false", "0", "f", "False", "no"):
        parsed(record, "--debug=" + text)


def define_twice(record):
    options = made()
    try:
        options.define("port", 1)
    except Error as e:
        record(str(e).split(" in ")[0].split("/")[0])


def unknown_attribute(record):
    options = made()
    for action in (lambda: options.nothing, lambda: options.no_such, lambda: setattr(options, "nothing", 1), lambda: options["nothing"]):
        try:
            record(action())
        except Exception as e:
            record(e)


def set_wrong_type(record):
    options = made()
    for name, value in (("port", "text"), ("name", 5), ("many", 3), ("many", ["x"]), ("port", None), ("many", [2, 3])):
        try:
            setattr(options, name, value)
            record(getattr(options, name))
        except Exception as e:
            record(e)


def as_a_mapping(record):
    options = made()
    record(sorted(options), "port" in options, options["port"], "nope" in options)
    options["port"] = 3
    record(sorted(options.as_dict().items()))
    record(sorted(options.groups()), options.group_dict("people"))


def underscores(record):
    options = OptionParser()
    options.define("two_words", 1)
    options.define("two-more", 2)
    record(options.two_words, options.two_more, options["two-words"], sorted(options))
    options.parse_command_line(["p", "--two-words=5", "--two_more=6"])
    record(options.two_words, options.two_more)


def callbacks(record):
    options = OptionParser()
    options.define("a", 1, callback=lambda value: record("a is", value))
    options.add_parse_callback(lambda: record("parsed"))
    options.a = 2
    options.parse_command_line(["p", "--a=3"])
    options.parse_command_line(["p", "--a=4"], final=False)
    options.run_parse_callbacks()


def config_file(record):
    options = made()
    handle, path = tempfile.mkstemp(suffix=".py")
    os.write(handle, b"port = 1234\nname = u'\xc3\xa9'\nother = 5\nmany = [1, 2]\n")
    os.close(handle)
    options.parse_config_file(path)
    record(options.port, options.name, options.many)
    with open(path, "w") as file:
        file.write("port = 'text'\n")
    try:
        options.parse_config_file(path)
        record(options.port)
    except Exception as e:
        record(e)
    os.remove(path)


def help_text(record):
    import io
    out = io.StringIO()
    made().print_help(out)
    record(out.getvalue().split("\n", 1)[1].replace(__file__, "FILE"))


def mockable(record):
    options = made()
    mock = options.mockable()
    mock.port = 5
    record(options.port, mock.name)
    try:
        mock.port = 6
    except AssertionError as e:
        record(e)
    del mock.port
    record(options.port)


def default_types(record):
    options = OptionParser()
    options.define("none")
    options.define("listed", multiple=True)
    options.define("number", type=int)
    record(options.none, options.listed, options.number)
    options.parse_command_line(["p", "--none=text", "--listed=a,b", "--number=7"])
    record(options.none, options.listed, options.number)
