"""gunicorn with our worker: ``TORNADO4_ALIAS=1 gunicorn 'deployed:make_app()'`` in the folder of both files."""

worker_class = "tornado4.serve.gunicorn.ProxiedWorker"  # nginx is in front, and its X-Real-Ip is believed
bind = "unix:/run/chat/chat.sock"
workers = 2
graceful_timeout = 30
max_requests = 100_000
max_requests_jitter = 10_000
accesslog = "-"
