// A single-page app that signs a person in: the authorization code flow with PKCE, and no library.
// Read it from top to bottom; every step that protects the person says what it protects against.
"use strict";

const $ = (id) => document.getElementById(id);

const { issuer, clientId, scope } = $("demo").dataset;
const redirectUri = issuer + "/demo";

// Tokens live in this variable alone. Nothing that outlives the page holds them, so a script that
// gets in later finds none. The price: after a reload the app is signed out, and "Sign in" passes
// straight through, because the authorization server still knows the person by its own session.
let session = null;

// ---- 1. Discovery: every address comes from the issuer -------------------------------------

async function discover() {
  const metadata = await json(await fetch(issuer + "/.well-known/openid-configuration"));
  check(metadata.issuer === issuer, "the metadata belongs to another issuer");
  return metadata;
}

// ---- 2. Sign in: leave for the authorization server ----------------------------------------

async function signIn() {
  const { authorization_endpoint } = await discover();

  const verifier = random(); // proves later that whoever redeems the code is whoever asked for it
  const state = random(); // ties the answer to this tab: nobody else can make us accept theirs
  const nonce = random(); // ties the ID token to this request: an old one cannot be replayed

  // Only these three must survive the redirect, and only once.
  sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state, nonce }));

  location.assign(withQuery(authorization_endpoint, {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await s256(verifier),
    code_challenge_method: "S256",
  }));
}

// ---- 3. Come back: check the answer, then trade the code for tokens ------------------------

async function finishSignIn(answer) {
  const pending = take("sign-in");
  check(pending && answer.get("state") === pending.state, "this is not the answer to our request");
  check(answer.get("iss") === issuer, "another issuer answered"); // RFC 9207, the mix-up attack
  if (answer.has("error")) {
    throw new Error(answer.get("error_description") ?? answer.get("error"));
  }

  const metadata = await discover();
  const tokens = await json(await post(metadata.token_endpoint, {
    grant_type: "authorization_code",
    code: answer.get("code"),
    redirect_uri: redirectUri,
    client_id: clientId, // a public client: it has a name, but no secret
    code_verifier: pending.verifier,
  }));
  const claims = await verifyIdToken(tokens.id_token, metadata);
  check(claims.nonce === pending.nonce, "the ID token answers another request");

  session = { metadata, tokens, claims };
  show("Signed in");
}

// ---- 4. The ID token: signature first, claims second ---------------------------------------

async function verifyIdToken(idToken, metadata) {
  const [header, payload, signature] = idToken.split(".");
  const { alg, kid } = decode(header);
  check(alg === "RS256", "the ID token has an algorithm that we did not expect");

  const { keys } = await json(await fetch(metadata.jwks_uri));
  const jwk = keys.find((key) => key.kid === kid && key.kty === "RSA");
  check(jwk, "the ID token was signed by an unknown key");

  const rs256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", jwk, rs256, false, ["verify"]);
  const signed = new TextEncoder().encode(header + "." + payload);
  const genuine = await crypto.subtle.verify(rs256.name, key, bytes(signature), signed);
  check(genuine, "the ID token's signature is wrong");

  const claims = decode(payload);
  check(claims.iss === issuer, "the ID token is from another issuer");
  check([claims.aud].flat().includes(clientId), "the ID token is for another client");
  check(claims.exp > Date.now() / 1000, "the ID token has expired");
  return claims;
}

// ---- 5. Use the tokens ---------------------------------------------------------------------

async function callUserinfo() {
  const { metadata, tokens, claims } = session;
  const person = await json(await fetch(metadata.userinfo_endpoint, {
    headers: { authorization: "Bearer " + tokens.access_token },
  }));
  check(person.sub === claims.sub, "the userinfo is about somebody else");

  $("userinfo-result").textContent = pretty(person);
  $("userinfo-answer").hidden = false;
}

async function refresh() {
  const { metadata, tokens, claims } = session;
  const fresh = await json(await post(metadata.token_endpoint, {
    grant_type: "refresh_token",
    refresh_token: tokens.refresh_token,
    client_id: clientId,
  }));

  // Refresh tokens rotate: keep the new one at once, the old one is spent.
  session.tokens = { ...tokens, ...fresh };
  if (fresh.id_token) {
    const renewed = await verifyIdToken(fresh.id_token, metadata);
    check(renewed.sub === claims.sub, "the new ID token is about somebody else");
    session.claims = renewed;
  }
  show("Refreshed");
}

// ---- 6. Sign out: here, and at the authorization server ------------------------------------

async function signOut() {
  const { metadata, tokens } = session;
  const token = tokens.refresh_token ?? tokens.access_token;
  await post(metadata.revocation_endpoint, { token, client_id: clientId });

  const state = random();
  sessionStorage.setItem("sign-out", JSON.stringify({ state }));
  session = null;
  show("Signed out");

  location.assign(withQuery(metadata.end_session_endpoint, {
    id_token_hint: tokens.id_token, // names the session to end, so nobody needs to be asked
    post_logout_redirect_uri: redirectUri,
    client_id: clientId,
    state,
  }));
}

function finishSignOut(answer) {
  const pending = take("sign-out");
  check(pending && answer.get("state") === pending.state, "this is not the answer to our request");
}

// ---- The page ------------------------------------------------------------------------------

// Data reaches the page as text, never as HTML.
function show(status) {
  const signedIn = session !== null;
  $("status").textContent = status;
  $("sign-in").hidden = signedIn;
  $("userinfo").hidden = !signedIn;
  $("refresh").hidden = !session?.tokens.refresh_token;
  $("sign-out").hidden = !signedIn;
  $("session").hidden = !signedIn;
  $("claims").textContent = signedIn ? pretty(session.claims) : "";
  $("access-token").textContent = signedIn ? pretty(decode(session.tokens.access_token.split(".")[1])) : "";
  if (!signedIn) {
    $("userinfo-answer").hidden = true;
    $("userinfo-result").textContent = "";
  }
}

// Runs one step at a time, and says what went wrong.
async function run(step) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  $("problem").hidden = true;
  try {
    await step();
  } catch (problem) {
    $("problem").textContent = problem.message;
    $("problem").hidden = false;
  }
  buttons.forEach((button) => (button.disabled = false));
}

function start() {
  // 127.0.0.1 and localhost are different origins: begin where the answer will arrive.
  if (location.origin !== new URL(issuer).origin) {
    location.replace(redirectUri);
    return;
  }

  $("sign-in").addEventListener("click", () => run(signIn));
  $("userinfo").addEventListener("click", () => run(callUserinfo));
  $("refresh").addEventListener("click", () => run(refresh));
  $("sign-out").addEventListener("click", () => run(signOut));

  const answer = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname); // the code stays out of the history
  if (answer.has("code") || answer.has("error")) {
    run(() => finishSignIn(answer));
  } else if (answer.has("state")) {
    run(() => finishSignOut(answer));
  }
}

// ---- Small tools ---------------------------------------------------------------------------

function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function s256(text) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

function base64url(array) {
  return btoa(String.fromCharCode(...array)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function decode(part) {
  return JSON.parse(new TextDecoder().decode(bytes(part)));
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

// Reads what was kept for the redirect, and forgets it: it is good for one answer.
function take(name) {
  const kept = sessionStorage.getItem(name);
  sessionStorage.removeItem(name);
  return JSON.parse(kept);
}

function withQuery(address, parameters) {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

function post(address, parameters) {
  return fetch(address, { method: "POST", body: new URLSearchParams(parameters) });
}

// The body of a good answer; a refusal becomes an Error in the server's own words.
async function json(response) {
  if (response.ok) return response.json();
  const refusal = await response.json().catch(() => ({}));
  throw new Error(refusal.error_description ?? refusal.error ?? "the server answered " + response.status);
}

start();
