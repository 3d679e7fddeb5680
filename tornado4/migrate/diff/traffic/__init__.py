"""Recorded requests, read into sequences of steps.

    har         HAR 1.2, as browsers and proxies save it
    http_file   .http files, as editors send them
    raw         files of raw bytes, for what no client library would send
    websocket   our own transcripts of WebSocket sessions
    crawl       requests made up from an application's routes
    request     the bytes of a request

Each reader raises :exc:`TrafficError` for a file that it cannot make sense of: its name, the place, what is wrong.
"""

from tornado4.migrate.diff.traffic.crawl import Route, crawl
from tornado4.migrate.diff.traffic.har import read_har
from tornado4.migrate.diff.traffic.har_writer import to_har
from tornado4.migrate.diff.traffic.http_file import read_http_file
from tornado4.migrate.diff.traffic.raw import read_raw
from tornado4.migrate.diff.traffic.request import SAFE_METHODS, TrafficError
from tornado4.migrate.diff.traffic.websocket import read_websocket

__all__ = [
    "SAFE_METHODS",
    "Route",
    "TrafficError",
    "crawl",
    "read_har",
    "read_http_file",
    "read_raw",
    "read_websocket",
    "to_har",
]
