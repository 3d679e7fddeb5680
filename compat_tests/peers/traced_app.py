"""An application of Tornado 4's time with one handler of each kind, asked while a tracing agent watches.

``tornado4 run traced_app.py AGENT PATH...`` prints, as JSON, each path's status and the spans recorded: a list
of ``[name, spans below it]``. With ``--together`` all paths are asked at once.
"""

import json
import logging
import os
import sys

if __name__ == "__main__":
    os.environ.update(DD_INSTRUMENTATION_TELEMETRY_ENABLED="0", DD_REMOTE_CONFIGURATION_ENABLED="0")
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)


class OpenTelemetry:
    def __init__(self):
        from opentelemetry import trace
        from opentelemetry.instrumentation.tornado import TornadoInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.memory = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        trace.set_tracer_provider(provider)
        TornadoInstrumentor().instrument(skip_dep_check=True)
        self.tracer = trace.get_tracer("application")

    def span(self, name):
        return self.tracer.start_as_current_span(name)

    def settings(self):
        return {}

    def recorded(self):
        """Those that ended: name, id, parent's id, whether it is an error."""
        for span in sorted(self.memory.get_finished_spans(), key=lambda span: span.start_time):
            name = span.name + "!" if span.status.status_code.name == "ERROR" else span.name
            yield name, span.context.span_id, span.parent and span.parent.span_id


class Datadog:
    def __init__(self):
        import ddtrace
        from ddtrace.trace import TraceFilter, tracer

        self.spans = spans = []
        self.tracer = tracer

        class Memory(TraceFilter):
            def process_trace(self, trace):
                spans.extend(trace)

        self.filter = Memory()
        ddtrace.patch(tornado=True)

    def span(self, name):
        return self.tracer.trace(name)

    def settings(self):
        return {"datadog_trace": {"settings": {"FILTERS": [self.filter]}}}

    def recorded(self):
        for span in sorted(self.spans, key=lambda span: span.start_ns):
            name = "GET " + span.get_tag("http.route") if span.name == "tornado.request" else span.name
            yield name + ("!" if span.error else ""), span.span_id, span.parent_id


class Elastic:
    """It records for Tornado 6 alone; so that is what it is told while it starts."""

    def __init__(self):
        import tornado

        real, tornado.version_info = tornado.version_info, (6, 5, 0, 0)
        try:
            import elasticapm
            from elasticapm.transport.base import Transport

            self.events = events = []

            class Memory(Transport):
                def queue(self, event_type, data, flush=False):
                    events.append((event_type, data))

                def start_thread(self, *args, **kwargs):
                    pass

            sys.modules["traced_app_memory"] = type(sys)("traced_app_memory")
            sys.modules["traced_app_memory"].Memory = Memory
            self.client = elasticapm.Client(
                service_name="application", transport_class="traced_app_memory.Memory", metrics_interval="0s",
                cloud_provider=False, central_config=False, framework_name="tornado",
            )  # fmt: skip
            elasticapm.instrument()
        finally:
            tornado.version_info = real
        self.span = elasticapm.capture_span

    def settings(self):
        return {}

    def recorded(self):
        spans = [event for event in self.events if event[0] in ("span", "transaction")]
        for _kind, data in sorted(spans, key=lambda event: event[1]["timestamp"]):
            failed = data.get("outcome") == "failure"
            yield data["name"] + ("!" if failed else ""), data["id"], data.get("parent_id")


AGENTS = {"opentelemetry": OpenTelemetry, "ddtrace": Datadog, "elasticapm": Elastic}


def tree(recorded):
    rows = list(recorded)
    known = {identity for _, identity, _ in rows}

    def below(parent):
        return [[name, below(identity)] for name, identity, above in rows if above == parent]

    return [[name, below(identity)] for name, identity, above in rows if above not in known]


def main(agent_name, paths, together):
    agent = AGENTS[agent_name]()
    span = agent.span

    from tornado import gen, httpclient, httpserver, ioloop, netutil, web

    loop = ioloop.IOLoop.current()

    class Base(web.RequestHandler):
        def ask(self, callback=None):
            return httpclient.AsyncHTTPClient().fetch(f"http://{self.request.host}/plain", callback=callback)

    class Plain(Base):
        def get(self):
            with span("plain"):
                self.write("plain")

    class Coroutine(Base):
        @gen.coroutine
        def get(self):
            with span("coroutine"):
                yield gen.moment
                response = yield self.ask()
            self.write(response.body)

    class Native(Base):
        async def get(self):
            with span("native"):
                await gen.moment
                response = await self.ask()
            self.write(response.body)

    class Callback(Base):
        @web.asynchronous
        def get(self):
            loop.add_callback(self.later)

        def later(self):
            with span("callback"):
                self.finish("later")

    class Engine(Base):
        @web.asynchronous
        @gen.engine
        def get(self):
            with span("engine"):
                response = yield gen.Task(self.ask)
            self.finish(response.body)

    class Prepared(Base):
        @gen.coroutine
        def prepare(self):
            with span("prepare"):
                yield gen.moment

        @gen.coroutine
        def get(self):
            with span("get"):
                yield gen.moment
            self.write("prepared")

    class Fails(Base):
        @gen.coroutine
        def get(self):
            yield gen.moment
            raise KeyError("on purpose")

    classes = (Plain, Coroutine, Native, Callback, Engine, Prepared, Fails)
    application = web.Application(
        [("/" + kind.__name__.lower(), kind) for kind in classes], log_function=lambda handler: None, **agent.settings()
    )
    if agent_name == "elasticapm":
        application.elasticapm_client = agent.client
    server = httpserver.HTTPServer(application)
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])

    # Not Tornado's own client, which the agents watch.
    async def ask(path):
        import asyncio

        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        writer.write(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n"
                     % (path.encode(), sock.getsockname()[1]))  # fmt: skip
        head = await reader.read()
        writer.close()
        return int(head.split()[1])

    async def ask_all():
        if together:
            return await gen.multi([ask(path) for path in paths])
        return [await ask(path) for path in paths]

    statuses = loop.run_sync(ask_all)
    server.stop()
    loop.run_sync(server.close_all_connections)
    print(json.dumps({"statuses": statuses, "spans": tree(agent.recorded())}))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--together"]
    main(arguments[0], arguments[1:], "--together" in sys.argv)
    sys.stdout.flush()
    os._exit(0)  # the agents' own threads want to reach their servers
