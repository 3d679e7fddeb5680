import tornado.web

import notes


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        user = self.get_secure_cookie("user")
        return user and user.decode("utf-8")


class LoginHandler(BaseHandler):
    def get(self):
        self.render("login.html")

    def post(self):
        self.set_secure_cookie("user", self.get_argument("name"))
        self.redirect("/")


class BoardHandler(BaseHandler):
    @tornado.web.authenticated
    def get(self):
        self.render("board.html", notes=notes.notes)

    @tornado.web.authenticated
    def post(self):
        notes.add(self.current_user, self.get_argument("text"))
        self.redirect("/")


routes = [(r"/", BoardHandler), (r"/login", LoginHandler)]
