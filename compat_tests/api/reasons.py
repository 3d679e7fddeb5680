"""Why a name of 4.5.3 that the deep inventory or the test of effects misses is as it is.

Names as ``module.name`` or ``module.Class.method``; a class's method stands for its subclasses, too.
"""

_TYPES = "a tuple of types that isinstance() was given; text and bytes are told apart by their types themselves"
_PIECES = (
    "4.5.3 read a stream in these pieces, each with the state left by the one before. Here a pending read"
    " is one object "
    "(`ReadRequest`) that finds its own end in the buffer, without any such state between them"
)
_FRAMES = (
    "4.5.3 read a frame field by field from its stream, each method being the callback of the one before."
    " Frames are parsed here "
    "from what has come, several in one call, and no such step exists; what a frame does goes through "
    "`_handle_message`"
)
_HEAD = (
    "heads are parsed by one strict grammar over bytes (docs/deviations.md, WIRE rows), in one pass that "
    "this was a part of"
)
_COOKIE = (
    "a pattern of the former cookie parser; what it found is found by the methods that are there (`_unquote_cookie`)"
)
_TRACEBACK = (
    "a Future that nobody looked at is found by its finalizer on each Python that runs here; this was for older ones"
)

#: Private names that are not there, or cannot be had in another way than written here.
ABSENT = {
    "escape._BASESTRING_TYPES": _TYPES,
    "escape._TO_UNICODE_TYPES": _TYPES,
    "escape._UTF8_TYPES": _TYPES,
    "escape._XHTML_ESCAPE_RE": (
        "xhtml_escape replaces one character after the other, in C, which is quicker than a pattern"
    ),
    "httputil._CRLF_RE": "a block of headers is read line by line, by the rules of the wire, not split by a pattern",
    "httputil._OctalPatt": _COOKIE,
    "httputil._QuotePatt": _COOKIE,
    "concurrent._TracebackLogger": _TRACEBACK,
    "concurrent._GC_CYCLE_FINALIZERS": _TRACEBACK,
    "gen.Runner._deactivate_stack_context": (
        "a runner enters no stack context of its own that it would have to leave early"
    ),
    "gen._futures_to_runners": (
        "a runner lives in its own Future (`_runner`), so no table of weak references has to hold it"
    ),
    "http1connection.HTTP1Connection._parse_headers": _HEAD,
    **{
        f"iostream.BaseIOStream.{name}": _PIECES
        for name in "_check_max_bytes _find_read_pos _read_from_buffer _run_read_callback _set_read_callback".split()
    },
    **{
        f"iostream.BaseIOStream.{name}": (
            "OpenSSL wanted the same buffer again on a retry; Python's ssl lifts that "
            "(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)"
        )
        for name in "_freeze_write_buffer _unfreeze_write_buffer _got_empty_write".split()
    },
    **{
        f"websocket.WebSocketProtocol13.{name}": _FRAMES
        for name in (
            "_on_frame_data _on_frame_length_16 _on_frame_length_64 _on_frame_start _on_masked_frame_data "
            "_on_masking_key "
            "_read_frame_data _receive_frame"
        ).split()
    },
}

#: Names whose kind, parameters or value are spelled otherwise.
SPELLED = {
    "concurrent.Future.__del__": (
        "a finalizer is called without arguments; the second one was for an import that is not made"
    ),
    "ioloop._Timeout.deadline": (
        "a property over the tuple that a timeout is, so that the heap compares without calling Python"
    ),
    "ioloop._Timeout.tdeadline": (
        "a property over the tuple that a timeout is, so that the heap compares without calling Python"
    ),
    "options._Option._FLOAT_PATTERN": (
        "the text of a pattern that stands within `_TIMEDELTA_PATTERN`, which can be replaced"
    ),
    "util._websocket_mask": "4.5.3 has it in C where that was built, and then its parameters have no names",
    "web._websocket_mask": "4.5.3 has it in C where that was built, and then its parameters have no names",
    "websocket._websocket_mask": "4.5.3 has it in C where that was built, and then its parameters have no names",
}

_PROTOCOL = (
    "called by the interpreter (`async for`, `async with`), which gives no callback; 4.5.3 decorated it "
    "for Python 3.5.1"
)

#: Coroutines of 4.5.3 that take no ``callback=`` here.
NO_CALLBACK = {
    "gen.WaitIterator.__aiter__": _PROTOCOL,
    "queues.Queue.__aiter__": _PROTOCOL,
    **{f"locks.{name}.{method}": _PROTOCOL for name in ("Lock", "Semaphore") for method in ("__aenter__", "__aexit__")},
    "gen._wrap_awaitable": (
        "an awaitable runs as a task, in one Future; a coroutine of ours around it would be a second one"
    ),
    "http1connection.HTTP1ServerConnection._server_request_loop": (
        "one that lasts as long as its connection; nothing is awaited in it"
    ),
    "http1connection._GzipMessageDelegate.data_received": (
        "whoever calls a delegate takes what it returns, as the interface says"
    ),
    "web.RequestHandler._execute": (
        "its keywords are the named groups of the path: a group named `callback` reaches the handler's method, "
        "where 4.5.3 took it away and then failed to call the text"
    ),
}

_WAKER = "the loop is asyncio's, which wakes itself by a pipe of its own; the class is there for those who make one"
_NO_INHERIT = "Python makes descriptors that no child inherits (PEP 446), so nothing has to be set"
_TEXT = "what comes from the wire is decoded once, where it is parsed; there is no text for this to convert"

#: Functions and methods that a program may replace, and that nothing calls where 4.5.3 called them.
INERT = {
    "concurrent.raise_exc_info": "a Future raises its exception itself, with the traceback it came with",
    "gen._wrap_awaitable": NO_CALLBACK["gen._wrap_awaitable"],
    "web.raise_exc_info": "an exception is raised again by `raise`, with the traceback it came with",
    "process.set_close_exec": _NO_INHERIT,
    "http1connection.native_str": _TEXT,
    "http1connection.utf8": "a head is put together as text and encoded once",
    "httputil.parse_request_start_line": _HEAD,
    "httputil.parse_response_start_line": _HEAD,
    "iostream.BaseIOStream._consume": (
        "a read takes what it found from the buffer, one step with the finding; for callers from outside it works"
    ),
    "netutil.errno_from_exception": "Python's exceptions for `EAGAIN` and its like are caught by class",
    "netutil.set_close_exec": _NO_INHERIT,
    "tcpclient.set_close_exec": _NO_INHERIT,
    "platform.posix.set_close_exec": _NO_INHERIT,
    "platform.posix._set_nonblocking": _WAKER,
    "platform.common.try_close": _WAKER,
    **{f"platform.posix.Waker.{name}": _WAKER for name in "close consume fileno wake write_fileno".split()},
    "template._TemplateReader.remaining": "the parser looks for the next brace, and is at the end when there is none",
    "websocket._PerMessageDeflateDecompressor.decompress": (
        "a message in one frame is inflated in one go, one of several frame by frame: a limit holds before all has come"
    ),
    "websocket.native_str": _TEXT,
}
