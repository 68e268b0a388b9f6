// What every API of the examples must do with a request: RFC 6750 §3 says how it answers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { apis, audience, foreignKey, forge, personTokens, post, read, serviceToken } from "./world.mjs";

/** Asks an API for its orders; answers the status, the challenge and the body. */
export async function ask(url, token, scheme = "Bearer") {
  const answer = await fetch(url, { headers: token === undefined ? {} : { authorization: `${scheme} ${token}` } });
  const challenge = answer.headers.get("www-authenticate");
  return { status: answer.status, challenge, body: await answer.text() };
}

async function refuses(url, token) {
  const { status, challenge } = await ask(url, token);
  assert.equal(status, 401);
  assert.match(challenge ?? "", /^Bearer\b.*error="invalid_token"/);
}

/** The tokens of all tests. */
export async function makeTokens(world) {
  const signedIn = await personTokens(world, "portal", "openid profile offline_access orders:read");
  return {
    good: await serviceToken(world, "caller", "orders:read orders:write"),
    personal: signedIn.access_token,
    refresh: signedIn.refresh_token,
    poor: await serviceToken(world, "caller", "orders:write"),
    elsewhere: await serviceToken(world, "caller", "invoices:read"),
    identity: (await personTokens(world, audience, "openid profile")).id_token,
  };
}

export function describeApi(name, world) {
  const { title, own } = apis[name];
  const url = () => world.urls[name];
  const tokens = () => world.tokens;

  describe(title, () => {
    test("without a token the answer is 401 and names the scheme, without an error", async () => {
      for (const [token, scheme] of [[undefined], ["YTpi", "Basic"]]) {
        const { status, challenge } = await ask(url(), token, scheme);
        assert.equal(status, 401);
        assert.match(challenge, /^Bearer\b/);
        assert.doesNotMatch(challenge, /error/);
      }
    });

    test("a service's token and a person's open it", async () => {
      for (const token of [tokens().good, tokens().personal]) {
        const { status, body } = await ask(url(), token);
        assert.equal(status, 200);
        assert.deepEqual(JSON.parse(body).orders, [{ id: 1, item: "tea" }]);
        assert.equal(JSON.parse(body).for, read(token)[1].sub);
      }
    });

    test("the scheme may be written in any case", async () => {
      assert.equal((await ask(url(), tokens().good, "bearer")).status, 200);
    });

    test("a token in the query or in a body is none", async () => {
      const answer = await fetch(`${url()}?access_token=${tokens().good}`);
      assert.equal(answer.status, 401);
    });

    test("garbage is an invalid token", async () => {
      const [head, claims, signature] = tokens().good.split(".");
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
      const other = (signature[9] === "A" ? "B" : "A");
      const tampered = `${head}.${claims}.${signature.slice(0, 9)}${other}${signature.slice(10)}`;
      for (const garbage of ["x", "a.b.c", "..", `${none}.${claims}.`, `${head}.${claims}.`, tampered]) {
        await refuses(url(), garbage);
      }
    });

    test("a token for another API is an invalid token", () => refuses(url(), tokens().elsewhere));

    test("an ID token that names this API as its audience is no access token", async () => {
      const [header, claims] = read(tokens().identity);
      assert.deepEqual([claims.aud].flat(), [audience]);
      assert.notEqual(header.typ, "at+jwt");
      await refuses(url(), tokens().identity);
    });

    test("a refresh token is no access token", () => refuses(url(), tokens().refresh));

    test("a token that a foreign key signed is an invalid token, whatever its header says", async () => {
      const [header, claims] = read(tokens().good);
      await refuses(url(), forge(header, claims));
      await refuses(url(), forge({ ...header, kid: "somebody-elses" }, claims));
      await refuses(url(), forge({ ...header, kid: undefined }, claims));
      await refuses(url(), forge({ ...header, jwk: foreignKey }, claims));
      await refuses(url(), forge({ ...header, alg: "HS256" }, claims));
    });

    test("an expired token is an invalid token, and so is one with another issuer, type or no end", async () => {
      const [header, claims] = read(tokens().good);
      const { kid, privateKey } = world.genuine;
      const now = Math.floor(Date.now() / 1000);
      const signed = (changed, typ = header.typ) =>
        forge({ ...header, kid, typ }, { ...claims, iat: now - 900, exp: now + 60, ...changed }, privateKey);
      // The key is one of Signet's, so that nothing else is wrong with the tokens below.
      if (own) assert.equal((await ask(url(), signed({}))).status, 200);
      await refuses(url(), signed({ exp: now - 61 }));
      await refuses(url(), signed({ exp: undefined }));
      await refuses(url(), signed({ iss: `${claims.iss}/` }));
      await refuses(url(), signed({ aud: `${audience}/` }));
      await refuses(url(), signed({}, "JWT"));
      await refuses(url(), signed({}, null));
    });

    test("a token without the scope is told which one it lacks", async () => {
      const { status, challenge } = await ask(url(), tokens().poor);
      assert.equal(status, 403);
      assert.match(challenge, /^Bearer\b.*error="insufficient_scope"/);
      assert.match(challenge, /\bscope="orders:read"/);
    });

    if (!own) {
      test("a revoked token is an invalid token at once", async () => {
        const token = await serviceToken(world, "caller", "orders:read");
        assert.equal((await ask(url(), token)).status, 200);
        await post(world, "/revoke", "caller", { token });
        await refuses(url(), token);
      });
    }
  });
}

/** Keeps asking every API while something happens, with older tokens and new ones in turn. */
export async function underLoad(world, deed) {
  const old = [world.tokens.good, world.tokens.personal];
  const outcome = Object.fromEntries(Object.keys(world.urls).map((name) => [name, { asked: 0, refused: [] }]));
  const kids = new Set();
  let fresh = await serviceToken(world, "caller", "orders:read");
  let going = true;
  const issuing = (async () => {
    while (going) {
      fresh = await serviceToken(world, "caller", "orders:read");
      kids.add(read(fresh)[0].kid);
      await pause(20);
    }
  })();
  const asking = Object.entries(world.urls).map(async ([name, url]) => {
    for (let turn = 0; going; turn += 1) {
      const token = turn % 3 === 2 ? old[(turn / 3) & 1] : fresh;
      const { status, challenge } = await ask(url, token);
      outcome[name].asked += 1;
      if (status !== 200) outcome[name].refused.push({ status, challenge, kid: read(token)[0].kid });
    }
  });
  try {
    await deed(kids);
  } finally {
    going = false;
    await Promise.all([issuing, ...asking]);
  }
  return { outcome, kids };
}

/** Waits until tokens are signed with this key; servers follow the command line within two seconds. */
async function signs(kids, kid) {
  for (const until = Date.now() + 10_000; !kids.has(kid); await pause(50)) {
    assert.ok(Date.now() < until, `tokens are signed with ${kid}`);
  }
}

export function describeRotation(world, report) {
  describe("Rotation", () => {
    test("no API refuses a valid token while keys rotate, one after the other", async () => {
      const rotations = 50;
      const { outcome, kids } = await underLoad(world, async (kids) => {
        for (let turn = 0; turn < rotations; turn += 1) {
          await pause(100);
          const rotation = await world.signet("key", "rotate");
          assert.equal(rotation.in_force, true, JSON.stringify(rotation));
          await signs(kids, rotation.kid);
        }
        await pause(1500);
      });
      assert.equal(kids.size, rotations + 1);
      report(`${rotations} rotations`, outcome);
    });

    test("no API refuses a valid token when a key takes over that was announced a moment ago", async () => {
      // Signet promises this for verifiers whose last fetch is more than their 30 seconds past.
      const last = () => world.door.seen.findLast(({ path }) => path === "/jwks").at;
      await pause(Math.max(0, last() + 31_000 - Date.now()));
      const { outcome } = await underLoad(world, async (kids) => {
        const { kid } = await world.signet("key", "rotate", "--now");
        await signs(kids, kid);
        await pause(1500);
      });
      report("an emergency rotation", outcome);
    });
  });
}

export function describeTrouble(world, startApi) {
  const own = Object.keys(apis).filter((name) => apis[name].own);

  describe("Trouble", () => {
    for (const name of own) {
      test(`${apis[name].title}: a flood of made-up kids is refused, and does not reach Signet`, async () => {
        const [header, claims] = read(world.tokens.good);
        const before = world.door.count("/jwks");
        const flood = Array.from({ length: 200 }, () =>
          ask(world.urls[name], forge({ ...header, kid: randomBytes(8).toString("hex") }, claims)));
        for (const { status } of await Promise.all(flood)) assert.equal(status, 401);
        assert.equal((await ask(world.urls[name], world.tokens.good)).status, 200);
        const fetched = world.door.count("/jwks") - before;
        assert.ok(fetched <= 2, `the key set was fetched ${fetched} times`);
      });
    }

    test("while Signet is away, tokens are verified all the same, or nobody is to blame", async () => {
      world.door.intercept = () => "hang up";
      try {
        for (const [name, url] of Object.entries(world.urls)) {
          const { status } = await ask(url, world.tokens.good);
          assert.equal(status, apis[name].own ? 200 : 503, name);
        }
      } finally {
        world.door.intercept = () => undefined;
      }
      assert.equal((await ask(world.urls.nginx, world.tokens.good)).status, 200);
    });

    for (const name of own) {
      test(`${apis[name].title}: started while Signet is away, it blames no token, and works when it is back`, async () => {
        world.door.intercept = () => "hang up";
        let url;
        try {
          url = await startApi(name);
          const { status, challenge } = await ask(url, world.tokens.good);
          assert.ok(status >= 500, `the answer is ${status}`);
          assert.equal(challenge, null);
        } finally {
          world.door.intercept = () => undefined;
        }
        assert.equal((await ask(url, world.tokens.good)).status, 200);
      });
    }
  });
}
