"""A notice board, written for Tornado 4. Nothing in here changes on the way."""

import tornado.web

from board import api, feed, pages, report


def make_app(settings):
    return tornado.web.Application(
        api.routes + pages.routes + feed.routes + report.routes, **settings)
