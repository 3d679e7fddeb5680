import notes
import tornado.web


class BaseHandler(tornado.web.RequestHandler):
    def get_current_user(self):
        user = self.get_signed_cookie("user")
        return user and user.decode()


class LoginHandler(BaseHandler):
    async def get(self):
        self.render("login.html")

    async def post(self):
        self.set_signed_cookie("user", self.get_argument("name"))
        self.redirect("/")


class BoardHandler(BaseHandler):
    @tornado.web.authenticated
    async def get(self):
        self.render("board.html", notes=notes.notes)

    @tornado.web.authenticated
    async def post(self):
        notes.add(self.current_user, self.get_argument("text"))
        self.redirect("/")


routes = [(r"/", BoardHandler), (r"/login", LoginHandler)]
