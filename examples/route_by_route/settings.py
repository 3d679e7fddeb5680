import os

HERE = os.path.dirname(os.path.abspath(__file__))

settings = {
    "cookie_secret": "only an example: take one of your own",
    "xsrf_cookies": True,
    "login_url": "/login",
    "template_path": os.path.join(HERE, "templates"),
    "static_path": os.path.join(HERE, "static"),
}
