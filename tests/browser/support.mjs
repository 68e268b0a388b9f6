// What the browser tests lean on: a `signet dev` of their own, an app on another origin, a real
// Chromium, and the checks that every page must pass.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const program = process.env.BROWSER_SIGNET;
const pictures = process.env.BROWSER_PICTURES;
const run = promisify(execFile);

/** Starts `signet dev` on a free port, in a directory of its own. */
export async function startSignet() {
  const directory = mkdtempSync(join(tmpdir(), "signet-browser-"));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith("SIGNET_"));
  const env = {
    ...Object.fromEntries(outside),
    SIGNET_DATABASE_URL: `sqlite:${directory}/signet.db`,
    SIGNET_KEYS_DIR: `${directory}/keys`,
  };
  const options = { cwd: directory, env };
  const log = join(directory, "server.log");

  const server = spawn(
    program,
    ["dev", "--listen", `127.0.0.1:${port}`, "--issuer", issuer, "--json"],
    { ...options, stdio: ["ignore", "pipe", "pipe"] },
  );
  server.stderr.pipe(createWriteStream(log));
  const gone = new Promise((resolve) => server.once("exit", resolve));
  const late = pause(60_000, undefined, { ref: false });
  const started = await Promise.race([firstLine(server.stdout), gone, late]);
  if (typeof started !== "string") {
    throw new Error(`signet dev did not start:\n${readFileSync(log, "utf8")}`);
  }

  return {
    ...JSON.parse(started),
    /** Runs a command of the command line on the same database, and reads its JSON. */
    async command(...words) {
      const { stdout } = await run(program, [...words, "--json"], options);
      return JSON.parse(stdout);
    },
    async stop() {
      server.kill("SIGTERM");
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** An app on an origin of its own. `/` is a page with oidc-client-ts; any other path answers with an
 * empty page, and what was posted there is kept in `posted`. */
export async function startApp() {
  const require = createRequire(import.meta.url);
  const bundle = join(require.resolve("oidc-client-ts/package.json"), "../dist/browser/oidc-client-ts.min.js");
  const app = { posted: [] };
  const html = (body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title>
    <link rel="icon" href="data:,"></head><body><h1>App</h1>${body}</body></html>`;
  const server = createServer(async (request, response) => {
    if (request.url === "/oidc-client-ts.js") {
      response.setHeader("content-type", "text/javascript");
      response.end(readFileSync(bundle));
      return;
    }
    if (request.method === "POST") {
      let body = "";
      for await (const part of request) body += part;
      app.posted.push(Object.fromEntries(new URLSearchParams(body)));
    }
    response.setHeader("content-type", "text/html; charset=utf-8");
    const path = request.url.split("?")[0];
    response.end(html(path === "/" ? '<script src="/oidc-client-ts.js"></script>' : ""));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  app.origin = `http://localhost:${server.address().port}`;
  app.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return app;
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A fresh person's browser; `complaints` collects what its console, its scripts and its content
 * security policies object to. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  const complaints = [];
  context.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    // Chromium reports every answer from 400 up as an error of the console, error pages too.
    if (/^Failed to load resource: the server responded with a status of 4/.test(message.text())) return;
    complaints.push(`${message.text()} (${url})`);
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`);
    });
  });
  const page = await context.newPage();
  return Object.assign(page, {
    complaints,
    /** Ends the visit, and fails the test if anything was complained of. */
    async leave() {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  });
}

/** What anyone needs of a page, whatever they see or use; answers what it lacks. */
export function shortcomings(page) {
  return page.evaluate(() => {
    const lacking = [];
    const expect = (holds, what) => holds || lacking.push(what);
    const all = (selector) => [...document.querySelectorAll(selector)];
    expect(document.documentElement.lang, "the document says no language");
    expect(document.title.trim(), "the document has no title");
    expect(all("h1").length === 1, "the page has not exactly one h1");
    expect(all("main").length === 1, "the page has not exactly one main");
    for (const field of all("input:not([type=hidden]), select, textarea")) {
      const named = field.labels.length > 0 || field.ariaLabel || field.getAttribute("aria-labelledby");
      expect(named, `#${field.id} has no label`);
    }
    for (const button of all("button")) {
      expect(button.innerText.trim() || button.ariaLabel || button.hidden, `#${button.id} has no text`);
    }
    for (const image of all("img")) expect(image.hasAttribute("alt"), `${image.src} has no alt`);
    const ids = all("[id]").map((element) => element.id);
    expect(new Set(ids).size === ids.length, "an id stands twice");
    const wide = document.documentElement.scrollWidth;
    expect(wide <= innerWidth, `the page is ${wide} wide in a window of ${innerWidth}`);
    return lacking;
  });
}

/** Checks a page and keeps a picture of it in target/screenshots. */
export async function look(page, name) {
  assert.deepEqual(await shortcomings(page), [], `${name}: ${page.url()}`);
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

export async function signIn(page, username, password) {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await page.click("#login");
}

/** Does what leads to another page, and waits until that page is there: an address alone does not
 * tell, when the way leads back to the page it started from. */
export async function toAnotherPage(page, action) {
  await page.evaluate(() => (document.documentElement.dataset.left = ""));
  await action();
  await page.waitForFunction(
    () => document.readyState === "complete" && document.documentElement.dataset.left === undefined,
  );
}

/** An authorization request with PKCE, as a client without a library would make it. */
export function authorizationRequest(issuer, parameters) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(`${issuer}/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    scope: "openid profile",
    state: randomBytes(16).toString("base64url"),
    nonce: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...parameters,
  }).toString();
  return url.href;
}

/** The first line of a stream, which flows on so that its writer never waits. */
function firstLine(stream) {
  return new Promise((resolve) => createInterface({ input: stream }).once("line", resolve));
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
