// A browser in few lines: it keeps cookies, follows redirects while they stay on the server it
// visits, and fills in and submits plain HTML forms by the ids of their controls.

export class Browser {
  #origin;
  #jar = new Map();
  #fields = new Map();
  url;
  page = "";
  status;

  constructor(server) {
    this.#origin = new URL(server).origin;
  }

  /** Goes to an address and follows redirects; stops, without asking, where they leave the server. */
  async visit(url, body) {
    this.#fields.clear();
    for (let hop = 0; hop < 20; hop += 1) {
      this.url = new URL(url, this.url);
      if (this.url.origin !== this.#origin) {
        this.page = "";
        this.status = undefined;
        return this;
      }
      const cookies = [...this.#jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(this.url, {
        method: body ? "POST" : "GET",
        body,
        redirect: "manual",
        headers: { accept: "text/html", ...(cookies && { cookie: cookies }) },
      });
      for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location) {
        if (response.status < 307) body = undefined;
        url = location;
        continue;
      }
      this.page = await response.text();
      this.status = response.status;
      return this;
    }
    throw new Error(`more than 20 redirects, the last one to ${url}`);
  }

  fill(id, value) {
    this.#control(id);
    this.#fields.set(id, value);
    return this;
  }

  /** Submits the form that holds the button of this id, with the button's own name and value. */
  async click(id) {
    const { tag, form } = this.#control(id);
    const body = new URLSearchParams();
    for (const [, source] of form.inside.matchAll(/<input\b([^>]*)>/gi)) {
      const input = attributes(source);
      if (!input.name || /^(submit|button|image|reset)$/i.test(input.type ?? "")) continue;
      if (/^(checkbox|radio)$/i.test(input.type ?? "") && input.checked === undefined) continue;
      body.append(input.name, this.#fields.get(input.id) ?? input.value ?? "");
    }
    if (tag.name) body.append(tag.name, tag.value ?? "");
    const action = new URL(tag.formaction ?? (form.action || this.url.href), this.url);
    if ((tag.formmethod ?? form.method ?? "get").toLowerCase() === "post") {
      return this.visit(action, body);
    }
    action.search = body.toString();
    return this.visit(action);
  }

  async signIn(username, password) {
    return this.fill("username", username).fill("password", password).click("login");
  }

  has(id) {
    return new RegExp(`\\bid=["']?${id}["'\\s/>]`).test(this.page);
  }

  #control(id) {
    for (const [, source, inside] of this.page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)) {
      for (const [, tag] of inside.matchAll(/<(?:input|button)\b([^>]*)>/gi)) {
        const found = attributes(tag);
        if (found.id === id) return { tag: found, form: { ...attributes(source), inside } };
      }
    }
    const text = this.page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").slice(0, 300);
    throw new Error(`no #${id} at ${this.url} (status ${this.status}): ${text}`);
  }

  #keep(cookie) {
    const [pair, ...rest] = cookie.split(";");
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    const gone = rest.some((part) => {
      const [key, text = ""] = part.trim().split("=");
      if (/^max-age$/i.test(key)) return Number(text) <= 0;
      return /^expires$/i.test(key) && Date.parse(text) <= Date.now();
    });
    if (gone) this.#jar.delete(name.trim());
    else this.#jar.set(name.trim(), value);
  }
}

function attributes(source) {
  const found = {};
  for (const [, name, double, single, bare] of source.matchAll(
    /([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  )) {
    found[name.toLowerCase()] = decoded(double ?? single ?? bare ?? "");
  }
  return found;
}

function decoded(text) {
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", sol: "/" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return named[name.toLowerCase()] ?? whole;
  });
}
