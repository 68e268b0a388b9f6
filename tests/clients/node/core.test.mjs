// openid-client and jose, as their documentation shows them, against a running signet.
// `../run` starts the server and describes it in the file that CLIENTS_SETUP names.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { createRemoteJWKSet, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

const setup = JSON.parse(readFileSync(process.env.CLIENTS_SETUP, "utf8"));
const { issuer, redirect_uri, resource } = setup;
const scope = "openid profile email offline_access";
const program = promisify(execFile);

function discover(id, authentication, metadata = {}) {
  return client.discovery(new URL(issuer), id, metadata, authentication, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
}

const web = () => discover("web", client.None());
const basic = () =>
  discover("service-basic", client.ClientSecretBasic(setup.secrets["service-basic"]));
const post = () => discover("service-post", client.ClientSecretPost(setup.secrets["service-post"]));

async function assertion() {
  const key = await importJWK(setup.private_key, "ES256");
  return discover("service-key", client.PrivateKeyJwt({ key, kid: setup.private_key.kid }));
}

/** A sign-in from the authorization request to the tokens. */
async function signIn(config, parameters = {}, options = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    ...parameters,
  });
  const browser = new Browser(issuer);
  await browser.visit(url);
  await browser.signIn(setup.username, setup.password);
  if (browser.has("allow")) await browser.click("allow");
  assert.ok(browser.url.href.startsWith(redirect_uri), `back at the client, not at ${browser.url}`);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return client.authorizationCodeGrant(config, browser.url, checks, {}, options);
}

test("discovery tells what the other tests use", async () => {
  const metadata = (await web()).serverMetadata();
  assert.equal(metadata.issuer, issuer);
  assert.equal(metadata.supportsPKCE(), true);
  for (const method of ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]) {
    assert.ok(metadata.token_endpoint_auth_methods_supported.includes(method), method);
  }
});

test("a public client signs in with PKCE and gets a valid ID token", async () => {
  const tokens = await signIn(await web());
  const claims = tokens.claims();
  assert.equal(claims.iss, issuer);
  assert.deepEqual([claims.aud].flat(), ["web"]);
  assert.equal(tokens.token_type, "bearer");
  assert.ok(tokens.refresh_token);

  const { protectedHeader } = await jwtVerify(
    tokens.id_token,
    createRemoteJWKSet(new URL(`${issuer}/jwks`)),
    { issuer, audience: "web", algorithms: ["RS256"] },
  );
  assert.ok(protectedHeader.kid);
});

test("userinfo answers for the scopes that were granted", async () => {
  const config = await web();
  const tokens = await signIn(config);
  const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(person.name, setup.name);
  assert.equal(person.email, setup.email);
  assert.equal(person.email_verified, true);
});

test("refreshing gives new tokens for the same person", async () => {
  const config = await web();
  const first = await signIn(config);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  if (second.id_token) assert.equal(second.claims().sub, first.claims().sub);
  const third = await client.refreshTokenGrant(config, second.refresh_token, { scope: "openid" });
  assert.equal(third.scope, "openid");
});

test("tokens that are bound to a key are worthless without it", async () => {
  const config = await web();
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  const first = await signIn(config, { dpop_jkt: await DPoP.calculateThumbprint() }, { DPoP });
  assert.equal(first.token_type, "dpop");
  const { sub } = first.claims();
  const person = await client.fetchUserInfo(config, first.access_token, sub, { DPoP });
  assert.equal(person.email, setup.email);
  await assert.rejects(client.fetchUserInfo(config, first.access_token, sub), (error) => error.status === 401);

  const second = await client.refreshTokenGrant(config, first.refresh_token, {}, { DPoP });
  assert.equal(second.token_type, "dpop");
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  await assert.rejects(
    client.refreshTokenGrant(config, second.refresh_token, {}, { DPoP: other }),
    (error) => error.error === "invalid_grant",
  );
  await assert.rejects(
    client.refreshTokenGrant(config, second.refresh_token),
    (error) => error.error === "invalid_dpop_proof",
  );

  const service = await basic();
  const own = client.getDPoPHandle(service, await client.randomDPoPKeyPair("PS256"));
  const { access_token } = await client.clientCredentialsGrant(service, {}, { DPoP: own });
  const answer = await client.tokenIntrospection(service, access_token);
  assert.deepEqual(answer.cnf, { jkt: await own.calculateThumbprint() });
});

test("a confidential client signs in with its secret and PKCE", async () => {
  const secret = setup.secrets["web-confidential"];
  const config = await discover("web-confidential", client.ClientSecretBasic(secret));
  const tokens = await signIn(config);
  assert.deepEqual([tokens.claims().aud].flat(), ["web-confidential"]);
});

test("a person who cancels sends the client access_denied", async () => {
  const config = await web();
  const state = client.randomState();
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const browser = new Browser(issuer);
  await browser.visit(url);
  await browser.click("cancel");
  await assert.rejects(
    client.authorizationCodeGrant(config, browser.url, { expectedState: state, pkceCodeVerifier: verifier }),
    (error) => error.error === "access_denied",
  );
});

for (const [name, config] of Object.entries({
  client_secret_basic: basic,
  client_secret_post: post,
  private_key_jwt: assertion,
})) {
  test(`a service gets a token by ${name}`, async () => {
    const tokens = await client.clientCredentialsGrant(await config(), { scope: "orders:read" });
    assert.equal(tokens.scope, "orders:read");
    assert.equal(tokens.refresh_token, undefined);
    const { payload, protectedHeader } = await jwtVerify(
      tokens.access_token,
      createRemoteJWKSet(new URL(`${issuer}/jwks`)),
      { issuer, audience: resource, typ: "at+jwt" },
    );
    assert.equal(protectedHeader.alg, "RS256");
    assert.equal(payload.scope, "orders:read");
    assert.equal(payload.sub, payload.client_id);
  });
}

test("a service names the resource that it wants a token for", async () => {
  const tokens = await client.clientCredentialsGrant(await basic(), { scope: "orders:read", resource });
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const { payload } = await jwtVerify(tokens.access_token, keys, { issuer, audience: resource });
  assert.deepEqual([payload.aud].flat(), [resource]);
});

test("a wrong secret is refused as invalid_client", async () => {
  const config = await discover("service-basic", client.ClientSecretBasic("wrong"));
  const error = await client.clientCredentialsGrant(config, { scope: "orders:read" }).catch((error) => error);
  assert.ok(error instanceof client.WWWAuthenticateChallengeError, String(error));
  assert.equal(error.status, 401);
  assert.equal((await error.response.json()).error, "invalid_client");
});

test("the client and the API may introspect a token, others may not", async () => {
  const owner = await basic();
  const { access_token } = await client.clientCredentialsGrant(owner, { scope: "orders:read" });
  const mine = await client.tokenIntrospection(owner, access_token);
  assert.equal(mine.active, true);
  assert.equal(mine.client_id, "service-basic");
  assert.equal(mine.scope, "orders:read");

  const api = await discover("orders-api", client.ClientSecretBasic(setup.secrets["orders-api"]));
  assert.equal((await client.tokenIntrospection(api, access_token)).active, true);
  assert.deepEqual(await client.tokenIntrospection(await post(), access_token), { active: false });
});

test("a revoked access token is no longer active", async () => {
  const config = await basic();
  const { access_token } = await client.clientCredentialsGrant(config, { scope: "orders:read" });
  await client.tokenRevocation(config, access_token);
  assert.equal((await client.tokenIntrospection(config, access_token)).active, false);
});

test("a revoked refresh token ends its grant", async () => {
  const config = await web();
  const tokens = await signIn(config);
  await client.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(
    client.refreshTokenGrant(config, tokens.refresh_token),
    (error) => error.error === "invalid_grant",
  );
});

// Last, since it changes the keys under everyone.
test("a verifier that caches the key set accepts tokens before, during and after a rotation", async () => {
  const config = await basic();
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const token = async () =>
    (await client.clientCredentialsGrant(config, { scope: "orders:read" })).access_token;
  const verify = (jwt) => jwtVerify(jwt, keys, { issuer, audience: resource });

  const before = await token();
  await verify(before);
  const { stdout } = await program(setup.program, ["key", "rotate", "--json"]);
  JSON.parse(stdout);

  // The server follows the command line within two seconds; no token in between may fail.
  const kid = (jwt) => decodeProtectedHeader(jwt).kid;
  let last = before;
  for (let tries = 0; tries < 100 && kid(last) === kid(before); tries += 1) {
    last = await token();
    await verify(last);
    await pause(100);
  }
  assert.notEqual(kid(last), kid(before), "the announced key signs now");
  await verify(before);

  const published = await (await fetch(`${issuer}/jwks`)).json();
  const kids = published.keys.map((key) => key.kid);
  assert.ok(kids.includes(kid(before)) && kids.includes(kid(last)));
  assert.ok(kids.length >= 3, "the key after this one is announced already");
});
