// What every caller of the examples must do: people sign in and out, services keep one token for many
// calls, and all of them get another one before it expires or when an API refuses it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openPage, signIn, toAnotherPage } from "../browser/support.mjs";
import { briefly, person, runService } from "./world.mjs";

/** Answers the next request for the orders as an API does that knows the token as revoked. */
function refuseOnce(relay, headers = {}) {
  relay.intercept = ({ method, authorization }) => {
    if (method === "OPTIONS" || !authorization) return undefined;
    relay.intercept = () => undefined;
    return { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token"', ...headers } };
  };
}

/** The tokens that an API has seen since a moment, each once, and how many calls there were. */
function tokensOf(relay, since = 0) {
  const calls = relay.seen.slice(since).filter(({ method, authorization }) => method === "GET" && authorization);
  return { calls: calls.length, tokens: [...new Set(calls.map(({ authorization }) => authorization))] };
}

/** Signs out at an app, and at Signet if it asks. */
async function signOut(page) {
  await toAnotherPage(page, () => page.click("#sign-out"));
  if (new URL(page.url()).pathname === "/logout") await toAnotherPage(page, () => page.click("#logout"));
}

async function come(page, url, text) {
  await page.goto(url);
  await page.getByText(text).waitFor();
}

export function describeApps(world) {
  describe("Browser app", () => {
    const url = () => world.apps.spa;

    async function signedIn(page) {
      await page.goto(url());
      await page.click("#sign-in");
      await page.waitForURL("**/login*");
      await signIn(page, person.username, person.password);
      await page.getByText(`Hello, ${person.name}.`).waitFor();
    }

    async function load(page) {
      await page.click("#load");
      await page.locator("#orders li").getByText("tea").waitFor();
    }

    test("a person signs in, sees their orders, comes back to them after a reload, and signs out", async () => {
      const page = await openPage(world.browser);
      await signedIn(page);
      assert.equal(new URL(page.url()).search, "", "the code is not in the address any more");
      await load(page);
      await page.reload();
      await page.getByText(`Hello, ${person.name}.`).waitFor();
      await load(page);
      await signOut(page);
      await page.getByText("You are not signed in.").waitFor();
      // The page goes on to an address without parameters: what was evaluated before that is lost.
      await page.waitForFunction(() => !JSON.stringify(sessionStorage).includes("access_token"));
      await page.leave();
    });

    test("a token that the API refuses is renewed, and the person notices nothing", async () => {
      const page = await openPage(world.browser);
      await signedIn(page);
      const since = world.relays.spa.seen.length;
      refuseOnce(world.relays.spa, { "access-control-allow-origin": new URL(url()).origin });
      await load(page);
      assert.deepEqual(tokensOf(world.relays.spa, since).calls, 2);
      assert.equal(tokensOf(world.relays.spa, since).tokens.length, 2);
      await page.leave();
    });

    test("a token is renewed before it expires", async () => {
      const page = await openPage(world.browser);
      world.brief = true;
      try {
        await signedIn(page);
        const since = world.relays.spa.seen.length;
        await load(page);
        world.brief = false;
        await pause((briefly + 1) * 1000);
        await load(page);
        const { calls, tokens } = tokensOf(world.relays.spa, since);
        assert.deepEqual([calls, tokens.length], [2, 2]);
      } finally {
        world.brief = false;
      }
      await page.leave();
    });

    test("who cancels is told so, and who comes with somebody else's answer is not signed in", async () => {
      const page = await openPage(world.browser);
      await page.goto(url());
      await page.click("#sign-in");
      await page.waitForURL("**/login*");
      await page.click("#cancel");
      await page.getByText("You did not sign in.").waitFor();
      await come(page, `${url()}?code=x&state=forged`, "Signing in failed: try again.");
      await page.leave();
    });
  });

  describe("Server app", () => {
    const url = () => world.apps.webapp;

    async function signedIn(page) {
      await page.goto(url());
      await page.click("#sign-in");
      await page.waitForURL("**/login*");
      await signIn(page, person.username, person.password);
      await page.locator("#name").getByText(person.name).waitFor();
    }

    test("a person signs in, sees their orders, and signs out", async () => {
      const page = await openPage(world.browser);
      await page.goto(url());
      await signedIn(page);
      await page.locator("#orders li").getByText("tea").waitFor();
      await signOut(page);
      await page.waitForURL(`${url()}/`);
      await page.locator("#sign-in").waitFor();
      await page.leave();
    });

    test("the browser has a cookie that no script reads, and no token", async () => {
      const page = await openPage(world.browser);
      await page.goto(`${url()}/sign-in`);
      const before = (await page.context().cookies(url())).find(({ name }) => name === "session");
      await signIn(page, person.username, person.password);
      await page.locator("#name").waitFor();
      const cookie = (await page.context().cookies(url())).find(({ name }) => name === "session");
      assert.equal(cookie.httpOnly, true);
      assert.equal(cookie.sameSite, "Lax");
      assert.notEqual(cookie.value, before.value, "the session has another id after the sign-in");
      assert.doesNotMatch(await page.content(), /eyJ|sgr_/);
      await page.leave();
    });

    test("a token is renewed before it expires, or when the API refuses it, once for requests that race", async () => {
      const page = await openPage(world.browser);
      world.brief = true;
      try {
        await signedIn(page);
        world.brief = false;
        await pause((briefly + 1) * 1000);
        const [since, asked] = [world.relays.webapp.seen.length, world.door.count("/token")];
        // Other addresses, since a browser asks for one address once at a time.
        await page.evaluate(() => Promise.all([1, 2, 3, 4, 5].map((turn) => fetch(`/?${turn}`, { cache: "no-store" }))));
        const { calls, tokens } = tokensOf(world.relays.webapp, since);
        assert.deepEqual([calls, tokens.length, world.door.count("/token") - asked], [5, 1, 1]);
      } finally {
        world.brief = false;
      }
      const since = world.relays.webapp.seen.length;
      refuseOnce(world.relays.webapp);
      await page.reload();
      await page.locator("#orders li").getByText("tea").waitFor();
      assert.deepEqual([tokensOf(world.relays.webapp, since).calls, tokensOf(world.relays.webapp, since).tokens.length], [2, 2]);
      await page.leave();
    });

    test("who cancels is told so, and who comes with somebody else's answer is not signed in", async () => {
      const page = await openPage(world.browser);
      await page.goto(url());
      await page.click("#sign-in");
      await page.waitForURL("**/login*");
      await page.click("#cancel");
      await page.getByText("You did not sign in.").waitFor();
      await come(page, `${url()}/callback?code=x&state=forged`, "This sign-in was not begun here.");
      await page.goto(`${url()}/sign-in`);
      await come(page, `${url()}/callback?code=x&state=forged`, "Signing in failed: try again.");
      await page.leave();
    });
  });

  describe("Apache", () => {
    const url = () => world.apps.apache;

    test("a person consents, is known by name on a page for members, and signs out", async () => {
      const page = await openPage(world.browser);
      await page.goto(url());
      await page.click("#enter");
      await page.waitForURL("**/login*");
      await signIn(page, person.username, person.password);
      await page.waitForURL("**/consent*");
      await page.click("#allow");
      await page.locator("#name").getByText(person.name).waitFor();
      assert.equal(page.url(), `${url()}/private/`);
      assert.doesNotMatch(await page.content(), /eyJ|sgr_/);

      await signOut(page);
      await page.waitForURL(`${url()}/`);
      await page.goto(`${url()}/private/`);
      await page.waitForURL("**/login*");
      await page.leave();
    });

    test("a forged cookie or answer opens nothing", async () => {
      for (const [path, cookie] of [["/private/", "mod_auth_openidc_session=forged"], ["/callback?code=x&state=forged", ""]]) {
        const answer = await fetch(url() + path, { headers: { cookie }, redirect: "manual" });
        assert.ok([302, 400, 401].includes(answer.status), `${path} answers ${answer.status}`);
        if (answer.status === 302) assert.ok(!answer.headers.get("location").startsWith(`${url()}/private`));
        assert.doesNotMatch(await answer.text(), /For members/);
      }
      const onward = await fetch(`${url()}/callback?logout=https%3A%2F%2Fevil.example%2F`, { redirect: "manual" });
      assert.doesNotMatch(onward.headers.get("location") ?? "", /evil/);
    });
  });
}

export function describeServices(world) {
  for (const [name, title] of [["service-python", "Python service"], ["service-go", "Go service"]]) {
    const relay = () => world.relays[name];
    const service = (calls, secret = world.secrets[name]) =>
      runService(name, {
        ISSUER: world.issuer,
        API: `${relay().origin}/orders`,
        CLIENT_ID: name,
        CLIENT_SECRET: secret,
        CALLS: String(calls),
      });

    describe(title, () => {
      test("one token serves many calls", async () => {
        const since = relay().seen.length;
        const { status, stdout, stderr } = await service(3);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, "1 order\n".repeat(3));
        const { calls, tokens } = tokensOf(relay(), since);
        assert.deepEqual([calls, tokens.length], [3, 1]);
      });

      test("a token is renewed before it expires", async () => {
        const since = relay().seen.length;
        world.brief = true;
        try {
          const { status, stderr } = await service(5);
          assert.equal(status, 0, stderr);
        } finally {
          world.brief = false;
        }
        const { calls, tokens } = tokensOf(relay(), since);
        assert.equal(calls, 5);
        // Tokens for 12 seconds, renewed 10 seconds early: each serves the calls of 2 seconds.
        assert.ok(tokens.length >= 2 && tokens.length < 5, `${tokens.length} tokens`);
      });

      test("a token that the API refuses is replaced", async () => {
        const since = relay().seen.length;
        refuseOnce(relay());
        const { status, stderr } = await service(2);
        assert.equal(status, 0, stderr);
        const { calls, tokens } = tokensOf(relay(), since);
        assert.deepEqual([calls, tokens.length], [3, 2]);
      });

      test("a refusal is told as Signet words it, and no secret is printed", async () => {
        const { status, stdout, stderr } = await service(1, "a-wrong-secret");
        assert.equal(status, 1);
        assert.match(stderr, /invalid_client/);
        assert.doesNotMatch(stdout + stderr, /a-wrong-secret|eyJ/);
      });
    });
  }
}
