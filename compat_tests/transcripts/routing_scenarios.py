"""tornado.routing."""
from tornado import web
from tornado.httputil import HTTPServerRequest
from tornado.routing import HostMatches, PathMatches, Rule, RuleRouter


def each(record, function, *values):
    for value in values:
        try:
            record(value, function(value))
        except Exception as e:
            record(value, e)


def reverse(record):
    def one_or_two(pattern):
        path = PathMatches(pattern)
        return path._path, path._group_count, path.reverse(*["a b/é", 5][:path._group_count])

    each(record, one_or_two, "/(.*)", "/a\\.b/(.*)", "/(.*)\\.html$", "/(a)\\d", "/(a)/\\w+/(b)", "/\\d+/(a)", "/(a)(b)?", "/%s/(a)", "/\\(a\\)", "/((a)b)", "/(?:a)", "/[(]a")


def path_groups(record):
    each(record, lambda pattern: PathMatches(pattern).match(HTTPServerRequest("GET", "/a/%20b+")), "/a/(.*)", "/a/(?P<x>.*)", "/a/.*", "/a/(x)?.*", "/a", "/a/(?P<x>.)(.*)")


def hosts(record):
    each(record, lambda host: HostMatches("(www\\.)?a.com").match(HTTPServerRequest("GET", "/", host=host)), "a.com", "WWW.A.com:80", "a.com.x", "xa.com")


def rules_from_tuples(record):
    each(record, lambda given: [(rule.target, rule.name) for rule in RuleRouter([given]).rules], ("/a",), ("/a", len), ("/a", len, {}, "n"), ("/a", "os.path.join"), ("/a", "os.nothing"))
    record(repr(Rule(PathMatches("/a"), len, {"x": 1}, "n")).split(" ", 4)[-1])
    record(repr(web.URLSpec("/a", len)))
