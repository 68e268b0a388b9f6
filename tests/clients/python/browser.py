"""A browser without scripts or styles, from the standard library alone: it follows redirects while
they stay on the server it visits, keeps cookies, and fills in and submits forms by the ids of their
controls."""

import http.cookiejar
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict
    form: "Element | None"
    text: str = ""
    controls: list = field(default_factory=list)

    def get(self, name, default=None):
        return self.attributes.get(name, default)


class Page(HTMLParser):
    """The elements of a document, each with its text and the form it belongs to."""

    def __init__(self, source):
        super().__init__()
        self.elements = []
        self.open = []
        self.forms = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        form = next((e for e in reversed(self.open) if e.tag == "form"), None)
        element = Element(tag, {name: value or "" for name, value in attributes}, form)
        self.elements.append(element)
        if tag == "form":
            self.forms.append(element)
        elif form and tag in ("input", "button"):
            form.controls.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        for index in range(len(self.open) - 1, -1, -1):
            if self.open[index].tag == tag:
                del self.open[index:]
                return

    def handle_data(self, data):
        if any(e.tag in ("script", "style") for e in self.open):
            return
        self.text += data
        for element in self.open:
            element.text += data

    def find(self, id):
        return next((e for e in self.elements if e.get("id") == id), None)


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are the browser's to follow, since it must stop where they leave the server."""

    def redirect_request(self, *_):
        return None


class Browser:
    """One person's browser. After each step `url` says where it is; once it has been sent to
    another origin it stops there without asking that origin for anything, `page` is None, and
    `answer` holds what was handed over, in the query or in a posted form."""

    def __init__(self, server):
        self.origin = origin(server)
        # Browsers treat loopback hosts as secure; http.cookiejar must be told to.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        self.cookies = http.cookiejar.CookieJar(policy)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.cookies),
            Stay(),
        )
        self.url = self.page = self.status = None
        self.answer = {}
        self.posted = False

    def get(self, url):
        return self._visit(url, None)

    def post(self, url, fields):
        return self._visit(url, fields)

    def fill(self, id, value):
        self._control(id).attributes["value"] = value

    def click(self, id):
        """Submits the form of a button, or follows a link."""
        control = self._control(id)
        if control.tag == "a":
            return self.get(urljoin(self.url, control.get("href", "")))
        form = control.form or self.page.find(control.get("form", ""))
        if form is None:
            raise AssertionError(f"#{id} at {self.url} belongs to no form")
        fields = fields_of(form)
        if control.get("name"):
            fields.append((control.get("name"), control.get("value", "")))
        action = urljoin(self.url, control.get("formaction") or form.get("action") or self.url)
        method = control.get("formmethod") or form.get("method") or "get"
        if method.lower() == "post":
            return self.post(action, fields)
        return self.get(f"{action.split('?')[0]}?{urlencode(fields)}")

    def sign_in(self, username, password):
        self.fill("username", username)
        self.fill("password", password)
        return self.click("login")

    def _control(self, id):
        element = self.page and self.page.find(id)
        if not element:
            seen = " ".join(self.page.text.split())[:200] if self.page else "no page"
            raise AssertionError(f"no #{id} at {self.url} (status {self.status}): {seen}")
        return element

    def _visit(self, url, fields):
        self.answer, self.posted = {}, False
        for _ in range(20):
            if origin(url) != self.origin:
                self.url, self.page, self.status = url, None, None
                parts = urlsplit(url)
                self.answer = flat(parse_qs(parts.query, keep_blank_values=True))
                return self
            data = None if fields is None else urlencode(fields).encode()
            request = urllib.request.Request(url, data, {"Accept": "text/html"})
            try:
                response = self.opener.open(request, timeout=30)
            except urllib.error.HTTPError as error:
                response = error
            location = response.headers.get("Location")
            if response.status in (301, 302, 303, 307, 308) and location:
                if response.status < 307:
                    fields = None
                url = urljoin(url, location)
                continue
            self.url, self.status = url, response.status
            self.page = Page(response.read().decode("utf-8", "replace"))
            self._submit_form_post()
            return self
        raise AssertionError(f"more than 20 redirects, the last one to {url}")

    def _submit_form_post(self):
        """A response_mode=form_post page posts itself to the client by script."""
        for form in self.page.forms:
            action = urljoin(self.url, form.get("action") or self.url)
            if form.get("method", "").lower() == "post" and origin(action) != self.origin:
                self.answer = dict(fields_of(form))
                self.url, self.page, self.posted = action, None, True
                return


def origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def flat(query):
    """One value a name: an answer that repeats one is wrong."""
    repeated = [name for name, values in query.items() if len(values) != 1]
    if repeated:
        raise AssertionError(f"the answer repeats {', '.join(repeated)}")
    return {name: values[0] for name, values in query.items()}


def fields_of(form):
    fields = []
    for control in form.controls:
        kind = control.get("type", "text").lower()
        if control.tag == "button" or kind in ("submit", "button", "image", "reset"):
            continue
        if kind in ("checkbox", "radio") and "checked" not in control.attributes:
            continue
        if control.get("name") and "disabled" not in control.attributes:
            fields.append((control.get("name"), control.get("value", "")))
    return fields
