// A web application with a server: the browser has a cookie, and the tokens stay here.
import { randomBytes } from "node:crypto";
import express from "express";
import session from "express-session";
import * as oidc from "openid-client";

const issuer = new URL(process.env.ISSUER ?? "http://localhost:8080");
const client_id = process.env.CLIENT_ID ?? "webapp";
const origin = process.env.ORIGIN ?? "http://localhost:9009";
const api = process.env.API ?? "http://localhost:9002/orders";
const redirect_uri = `${origin}/callback`;

let found;
/** What Signet says of itself, asked once, and again if that failed. */
function signet() {
  const execute = [oidc.enableNonRepudiationChecks]; // verify the ID token's signature too
  if (issuer.protocol === "http:") execute.push(oidc.allowInsecureRequests); // on this machine only
  found ??= oidc
    .discovery(issuer, client_id, undefined, oidc.ClientSecretBasic(process.env.CLIENT_SECRET), { execute })
    .catch((error) => {
      found = undefined;
      throw error;
    });
  return found;
}

const app = express();
app.disable("x-powered-by");
app.use(session({
  // Sessions are in memory: several processes, or a restart, need a store such as connect-redis.
  secret: process.env.SESSION_SECRET ?? randomBytes(32).toString("hex"),
  name: "session",
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: "lax", secure: origin.startsWith("https:") },
}));

app.get("/", async (request, response) => {
  if (!request.session.name) return response.send(page('<a id="sign-in" href="/sign-in">Sign in</a>'));
  const orders = await ask(request);
  if (!orders) return response.redirect("/sign-in");
  const items = orders.map((order) => `<li>${escape(order.item)}</li>`).join("");
  response.send(page(`<p id="name">${escape(request.session.name)}</p><ul id="orders">${items}</ul>
    <form method="post" action="/sign-out"><button id="sign-out">Sign out</button></form>`));
});

app.get("/sign-in", async (request, response) => {
  const pending = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
  };
  request.session.pending = pending;
  response.redirect(oidc.buildAuthorizationUrl(await signet(), {
    redirect_uri,
    scope: "openid profile offline_access orders:read",
    state: pending.expectedState,
    nonce: pending.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
    code_challenge_method: "S256",
  }).href);
});

app.get("/callback", async (request, response) => {
  const { pending } = request.session;
  if (!pending) return response.status(400).send(page("This sign-in was not begun here."));
  delete request.session.pending;
  try {
    const url = new URL(request.originalUrl, origin);
    const config = await signet();
    const tokens = await oidc.authorizationCodeGrant(config, url, { ...pending, idTokenExpected: true });
    const { sub, name } = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    // Another session id than before the sign-in, so that nobody can have set it.
    await new Promise((done, failed) => request.session.regenerate((error) => (error ? failed(error) : done())));
    request.session.name = name ?? sub;
    keep(request.session, tokens);
    response.redirect("/");
  } catch (error) {
    if (error.error === "access_denied") return response.status(403).send(page("You did not sign in."));
    console.error(error);
    response.status(400).send(page("Signing in failed: try again."));
  }
});

app.post("/sign-out", async (request, response) => {
  const { tokens } = request.session;
  await new Promise((done) => request.session.destroy(done));
  if (!tokens) return response.redirect("/");
  await oidc.tokenRevocation(await signet(), tokens.refresh_token).catch(console.error);
  response.redirect(oidc.buildEndSessionUrl(await signet(), {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: `${origin}/`,
  }).href);
});

/** The orders of the person who is signed in; nothing if they must sign in again. */
async function ask(request) {
  for (const refused of [false, true]) {
    const token = await accessToken(request, refused);
    if (!token) return null;
    const answer = await fetch(api, { headers: { authorization: `Bearer ${token}` } });
    if (answer.ok) return (await answer.json()).orders;
    if (answer.status !== 401) throw new Error(`the API answered ${answer.status}`);
  }
  return null;
}

const renewals = new Map();
/** An access token that is good for ten more seconds at least; another one if this one was refused. */
async function accessToken({ session, sessionID }, refused) {
  if (!refused && Date.now() < session.tokens.expires_at - 10_000) return session.tokens.access_token;
  // A refresh token is good once: requests of one session that come together share the renewal.
  if (!renewals.has(sessionID)) {
    const renewal = signet().then((config) => oidc.refreshTokenGrant(config, session.tokens.refresh_token));
    renewals.set(sessionID, renewal);
    renewal.catch(() => {}).finally(() => renewals.delete(sessionID));
  }
  try {
    keep(session, await renewals.get(sessionID));
    return session.tokens.access_token;
  } catch (error) {
    if (error.error === "invalid_grant") return null; // revoked, or expired
    throw error;
  }
}

function keep(session, { access_token, refresh_token, id_token, expires_in }) {
  const { tokens } = session;
  session.tokens = {
    access_token,
    refresh_token: refresh_token ?? tokens.refresh_token,
    id_token: id_token ?? tokens.id_token,
    expires_at: Date.now() + expires_in * 1000,
  };
}

const escape = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Orders</title>
  <link rel="icon" href="data:,"><h1>Orders</h1>${body}</html>`;

app.use((error, request, response, next) => {
  console.error(error);
  response.status(502).send(page("This does not work just now."));
});
app.listen(Number(new URL(origin).port), "127.0.0.1");
