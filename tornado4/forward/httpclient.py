"""For `tornado4.httpclient`: the error of HTTP clients by its own name."""

from __future__ import annotations

from tornado4.httpclient import HTTPError as HTTPClientError

__all__ = ["HTTPClientError"]
