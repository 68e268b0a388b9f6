// The pages and the demo in a real browser, and an app that uses oidc-client-ts on another origin.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import {
  authorizationRequest,
  look,
  openPage,
  signIn,
  startApp,
  startBrowser,
  startSignet,
  toAnotherPage,
} from "./support.mjs";

let signet;
let app;
let browser;

before(async () => {
  signet = await startSignet();
  app = await startApp();
  browser = await startBrowser();
  const people = ["--public", "--grant", "authorization_code", "--grant", "refresh_token"];
  const client = (id, name, ...words) =>
    signet.command("client", "create", "--client-id", id, "--name", name, ...people, ...words);
  await client("shop", "Corner Shop", "--scope", "openid profile email",
    "--redirect-uri", `${app.origin}/callback`);
  await client("spa", "Single-page app", "--scope", "openid profile email offline_access",
    "--redirect-uri", `${app.origin}/`, "--post-logout-redirect-uri", `${app.origin}/`, "--first-party");
});

after(async () => {
  await browser?.close();
  await app?.stop();
  await signet?.stop();
});

/** A request of the shop, which is not first party. */
function shopRequest(parameters = {}) {
  return authorizationRequest(signet.issuer, {
    client_id: "shop",
    redirect_uri: `${app.origin}/callback`,
    ...parameters,
  });
}

/** Where the browser has been sent back to, as the client reads it. */
async function answerOf(page) {
  await page.waitForURL(`${app.origin}/**`);
  return Object.fromEntries(new URL(page.url()).searchParams);
}

const path = (page) => new URL(page.url()).pathname;

test("the demo signs in, uses its tokens, refreshes them and signs out", async () => {
  const page = await openPage(browser);
  await page.goto(signet.demo);
  await look(page, "demo");
  await page.click("#sign-in");
  await page.waitForURL("**/login*");
  await signIn(page, signet.username, signet.password);

  await page.waitForURL((url) => url.href.startsWith(signet.demo));
  await page.waitForFunction(() => document.querySelector("#claims")?.innerText.includes('"sub"'));
  await look(page, "demo-signed-in");

  const [userinfo] = await Promise.all([
    page.waitForResponse((response) => new URL(response.url()).pathname.endsWith("/userinfo")),
    page.click("#userinfo"),
  ]);
  assert.equal(userinfo.status(), 200);
  assert.ok((await userinfo.json()).sub);

  await page.click("#refresh");
  await page.getByText("Refreshed").and(page.locator("#status")).waitFor();

  await toAnotherPage(page, () => page.click("#sign-out"));
  if (path(page) === "/logout") await toAnotherPage(page, () => page.click("#logout"));
  assert.ok(page.url().startsWith(signet.demo), page.url());
  await page.getByText("Signed out").and(page.locator("#status")).waitFor();

  await page.click("#sign-in");
  await page.waitForURL("**/login*");
  await page.leave();
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 375, height: 667 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
})) {
  test(`the sign-in page has what automation and password managers rely on: ${name}`, async () => {
    const page = await openPage(browser, options);
    await page.goto(shopRequest());
    assert.equal(path(page), "/login");
    await look(page, `login-${name}`);
    await page.waitForSelector("input#username[name=username][autocomplete~=username]");
    await page.waitForSelector("input#password[name=password][type=password][autocomplete=current-password]");
    await page.waitForSelector("button#login");
    await page.waitForSelector("button#cancel");
    await page.leave();
  });
}

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  "dark-phone": { colorScheme: "dark", viewport: { width: 375, height: 667 }, isMobile: true, hasTouch: true },
})) {
  test(`every page is in order: ${name}`, async () => {
    const page = await openPage(browser, options);
    const api = `https://orders.example/${name}`;
    await signet.command("resource", "create", "--id", api, "--name", "Order desk", "--scope", `orders:${name}`);
    await signet.command("client", "create", "--client-id", `desk-${name}`, "--name", "Café الطلبات", "--public",
      "--grant", "authorization_code", "--scope", `openid profile email offline_access orders:${name}`,
      "--redirect-uri", `${app.origin}/callback`, "--policy-uri", `${app.origin}/policy`);
    const request = (parameters) => shopRequest({ client_id: `desk-${name}`, ...parameters });

    await page.goto(request({ scope: "openid profile" }));
    await look(page, `walk-login-${name}`);
    await signIn(page, signet.username, "not the password");
    await look(page, `walk-login-refused-${name}`);
    await signIn(page, signet.username, signet.password);
    await page.waitForURL("**/consent*");
    await page.click("#allow");
    await answerOf(page);

    const claims = JSON.stringify({ userinfo: { email: null, email_verified: null } });
    await page.goto(request({ scope: `openid profile offline_access orders:${name}`, claims }));
    await look(page, `walk-consent-${name}`);
    assert.match(await page.innerText("main"), /Act for you at Order desk: orders:/);
    await page.goto(request({ prompt: "select_account" }));
    await look(page, `walk-select-account-${name}`);
    await page.goto(request({ prompt: "login" }));
    await look(page, `walk-login-again-${name}`);
    await page.goto(`${signet.issuer}/logout?client_id=shop`);
    await look(page, `walk-logout-${name}`);
    await page.click("#stay");
    await look(page, `walk-signed-in-${name}`);
    await page.goto(`${signet.issuer}/login`);
    await look(page, `walk-error-stale-${name}`);
    await page.goto(request({ redirect_uri: "https://elsewhere.example/" }));
    await look(page, `walk-error-${name}`);
    await page.leave();
  });
}

test("light and dark differ", async () => {
  const colours = [];
  for (const colorScheme of ["light", "dark"]) {
    const page = await openPage(browser, { colorScheme });
    await page.goto(shopRequest());
    colours.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    await page.leave();
  }
  assert.notEqual(colours[0], colours[1]);
});

test("a wrong password is said to be wrong, and the right one still works", async () => {
  const page = await openPage(browser);
  await page.goto(shopRequest());
  await signIn(page, signet.username, "not the password");
  await page.waitForSelector("[role=alert]:visible");
  assert.equal(path(page), "/login");
  await look(page, "login-refused");
  await signIn(page, signet.username, signet.password);
  await page.waitForURL("**/consent*");
  await page.leave();
});

test("consent names the client, and is remembered", async () => {
  const page = await openPage(browser);
  await page.goto(shopRequest());
  await signIn(page, signet.username, signet.password);
  await page.waitForURL("**/consent*");
  assert.match(await page.innerText("main"), /Corner Shop/);
  await look(page, "consent");
  await page.setViewportSize({ width: 375, height: 667 });
  await look(page, "consent-phone");
  await page.click("#allow");
  const answer = await answerOf(page);
  assert.ok(answer.code);
  assert.equal(answer.iss, signet.issuer);

  await page.goto(shopRequest());
  assert.ok((await answerOf(page)).code);
  await page.leave();
});

test("an app that listens on the IPv6 loopback gets its answer, and the page says where it goes", async () => {
  const listener = createServer((request, response) => response.end("back"));
  await new Promise((resolve) => listener.listen(0, "::1", resolve));
  const { port } = listener.address();
  await signet.command("client", "create", "--client-id", "native", "--public", "--scope", "openid",
    "--grant", "authorization_code", "--redirect-uri", "http://[::1]/cb");
  const page = await openPage(browser);
  await page.goto(authorizationRequest(signet.issuer, {
    client_id: "native",
    scope: "openid",
    redirect_uri: `http://[::1]:${port}/cb`,
  }));
  await signIn(page, signet.username, signet.password);
  await page.waitForURL("**/consent*");
  const words = await page.innerText("main");
  assert.ok(words.includes(`[::1]:${port}`), words);
  assert.match(words, /runs on your own computer/);
  await page.click("#allow");
  await page.waitForURL(`http://[::1]:${port}/cb**`);
  assert.ok(new URL(page.url()).searchParams.get("code"));
  await page.leave();
  listener.closeAllConnections();
  await new Promise((resolve) => listener.close(resolve));
});

test("a person may refuse to sign in, and may refuse consent", async () => {
  const page = await openPage(browser);
  await page.goto(shopRequest());
  await page.click("#cancel");
  assert.equal((await answerOf(page)).error, "access_denied");

  await page.goto(shopRequest({ prompt: "consent" }));
  await signIn(page, signet.username, signet.password);
  await page.waitForURL("**/consent*");
  await page.click("#deny");
  assert.equal((await answerOf(page)).error, "access_denied");
  await page.leave();
});

test("signing in takes no script and no mouse", async () => {
  const page = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(shopRequest({ prompt: "consent" }));
  await page.focus("#username");
  await page.keyboard.type(signet.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(signet.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/consent*");
  await page.focus("#allow");
  await page.keyboard.press("Enter");
  assert.ok((await answerOf(page)).code);
  await page.leave();
});

test("response_mode=form_post posts the answer, by script and without", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await openPage(browser, { javaScriptEnabled });
    await page.goto(shopRequest({ response_mode: "form_post", prompt: "consent", state: "to-and-fro" }));
    await signIn(page, signet.username, signet.password);
    await page.waitForURL("**/consent*");
    await page.click("#allow");
    if (!javaScriptEnabled) await page.click("#continue");
    await page.waitForURL(`${app.origin}/callback`);
    const answer = app.posted.pop();
    assert.ok(answer.code);
    assert.equal(answer.state, "to-and-fro");
    assert.equal(answer.iss, signet.issuer);
    await page.leave();
  }
});

test("signing out is confirmed, and ends the session", async () => {
  const page = await openPage(browser);
  await page.goto(authorizationRequest(signet.issuer, { client_id: "spa", redirect_uri: `${app.origin}/` }));
  await signIn(page, signet.username, signet.password);
  assert.ok((await answerOf(page)).code);

  await page.goto(`${signet.issuer}/logout`);
  await page.waitForSelector("button#stay");
  await look(page, "logout");
  await page.click("#logout");
  await page.getByText(/you are signed out/i).first().waitFor();
  await look(page, "signed-out");

  await page.goto(
    authorizationRequest(signet.issuer, { client_id: "spa", redirect_uri: `${app.origin}/`, prompt: "none" }),
  );
  assert.equal((await answerOf(page)).error, "login_required");
  await page.leave();
});

test("a device is let in on another screen, by script or without, or kept out", async () => {
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  await signet.command("client", "create", "--client-id", "tv", "--name", "Living room", "--public",
    "--grant", grant, "--grant", "refresh_token", "--scope", "openid profile offline_access");
  const ask = async (endpoint, form) => {
    const body = new URLSearchParams({ client_id: "tv", ...form });
    return (await fetch(`${signet.issuer}${endpoint}`, { method: "POST", body })).json();
  };
  const visits = [
    { button: "allow", end: "allowed", options: {} },
    { button: "deny", end: "denied", options: { javaScriptEnabled: false } },
  ];
  for (const { button, end, options } of visits) {
    const device = await ask("/device_authorization", { scope: "openid profile offline_access" });
    const poll = () => ask("/token", { grant_type: grant, device_code: device.device_code });
    assert.equal((await poll()).error, "authorization_pending");

    const page = await openPage(browser, options);
    const scripted = options.javaScriptEnabled !== false;
    await page.goto(device.verification_uri);
    if (scripted) await look(page, "device");
    await page.waitForSelector("input#user_code[name=user_code]");
    await page.fill("#user_code", "no code");
    await page.click("#continue");
    await page.waitForSelector("[role=alert]:visible");
    if (scripted) await look(page, "device-refused");
    await page.fill("#user_code", device.user_code.toLowerCase().replace("-", " "));
    await page.click("#continue");
    await page.waitForURL("**/login*");
    if (scripted) await look(page, "device-login");
    await signIn(page, signet.username, signet.password);
    await page.waitForURL("**/device?*");
    const words = await page.innerText("main");
    for (const word of [device.user_code, "Living room", "127.0.0.1", "Keep access while you are away"]) {
      assert.ok(words.includes(word), words);
    }
    if (scripted) {
      await look(page, "device-confirm");
      await page.setViewportSize({ width: 375, height: 667 });
      await look(page, "device-confirm-phone");
    }
    await page.focus(`#${button}`);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/device/${end}`);
    if (scripted) await look(page, `device-${end}`);
    const answer = await poll();
    assert.ok(button === "allow" ? answer.id_token : answer.error === "access_denied", answer.error);

    await page.goto(device.verification_uri_complete);
    assert.equal(await page.inputValue("#user_code"), device.user_code);
    await page.leave();
  }
});

test("an error page says the cause and the request, and goes nowhere", async () => {
  const page = await openPage(browser);
  for (const [name, parameters] of Object.entries({
    "error-client": { client_id: "nobody" },
    "error-redirect-uri": { redirect_uri: `${app.origin}/elsewhere` },
  })) {
    const response = await page.goto(shopRequest(parameters));
    assert.ok(response.status() >= 400, String(response.status()));
    assert.equal(new URL(page.url()).origin, signet.issuer);
    assert.ok((await page.innerText("#error")).trim());
    assert.ok((await page.innerText("#request-id")).trim());
    await look(page, name);
  }
  await page.leave();
});

test("oidc-client-ts signs in from another origin, renews by refresh token and signs out", async () => {
  const page = await openPage(browser);
  /** Runs a piece of the app's own code, with its UserManager at hand. */
  const inApp = async (work) => {
    await page.waitForFunction(() => globalThis.oidc !== undefined);
    return page.evaluate(
      ([authority, source]) => {
        globalThis.manager ??= new globalThis.oidc.UserManager({
          authority,
          client_id: "spa",
          redirect_uri: `${location.origin}/`,
          post_logout_redirect_uri: `${location.origin}/`,
          response_type: "code",
          scope: "openid profile email offline_access",
          loadUserInfo: true,
          automaticSilentRenew: false,
        });
        return new Function("manager", `return (${source})(manager)`)(globalThis.manager);
      },
      [signet.issuer, work.toString()],
    );
  };

  await page.goto(`${app.origin}/`);
  await Promise.all([
    page.waitForURL("**/login*"),
    inApp((manager) => void manager.signinRedirect({ prompt: "consent" })),
  ]);
  await signIn(page, signet.username, signet.password);
  await page.waitForURL((url) => url.pathname === "/consent" || url.origin === app.origin);
  if (path(page) === "/consent") await page.click("#allow");
  await page.waitForURL(`${app.origin}/?*`);

  const user = await inApp(async (manager) => {
    const user = await manager.signinRedirectCallback();
    history.replaceState(null, "", "/");
    return { profile: user.profile, token: user.access_token, refresh: user.refresh_token };
  });
  assert.equal(user.profile.iss, signet.issuer);
  assert.ok(user.profile.name, "userinfo was read across origins");
  assert.ok(user.refresh);

  const renewed = await inApp(async (manager) => {
    const user = await manager.signinSilent();
    return { token: user.access_token, refresh: user.refresh_token, sub: user.profile.sub };
  });
  assert.equal(renewed.sub, user.profile.sub);
  assert.notEqual(renewed.token, user.token);
  assert.notEqual(renewed.refresh, user.refresh);

  await inApp((manager) => manager.revokeTokens(["refresh_token"]));
  await toAnotherPage(page, () => inApp((manager) => void manager.signoutRedirect({ state: "bye" })));
  if (path(page) === "/logout") await toAnotherPage(page, () => page.click("#logout"));
  assert.ok(page.url().startsWith(`${app.origin}/?`), page.url());
  const left = await inApp(async (manager) => {
    await manager.signoutRedirectCallback();
    await manager.removeUser();
    return manager.getUser();
  });
  assert.equal(left, null);
  await page.leave();
});

test("oidc-client-ts signs in through a window of its own", async () => {
  const page = await openPage(browser);
  await page.goto(`${app.origin}/`);
  const settings = { authority: signet.issuer, client_id: "spa", redirect_uri: `${app.origin}/`, scope: "openid" };
  const opened = page.waitForEvent("popup");
  const signedIn = page.evaluate(async (settings) => {
    const manager = new globalThis.oidc.UserManager(settings);
    return (await manager.signinPopup()).profile.sub;
  }, settings);

  const popup = await opened;
  await popup.waitForURL("**/login*");
  await signIn(popup, signet.username, signet.password);
  await popup.waitForURL(`${app.origin}/?*`);
  await popup.waitForFunction(() => globalThis.oidc !== undefined);
  await popup
    .evaluate((settings) => void new globalThis.oidc.UserManager(settings).signinPopupCallback(), settings)
    .catch(() => {}); // It closes its own window.
  assert.ok(await signedIn);
  await page.leave();
});
