// What the tests of the examples lean on: a Signet with keys, clients and people of its own behind a
// relay, and every example of ../../examples as its README runs it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { chmodSync, cpSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { authorizationRequest } from "../browser/support.mjs";
import { Browser } from "../clients/node/browser.mjs";
import { Relay } from "./relay.mjs";

const program = process.env.EXAMPLES_SIGNET;
const built = process.env.EXAMPLES_BUILT;
const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const run = promisify(execFile);
const outside = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("SIGNET_")),
);

/** The API's address. It is a client's id too, so that an ID token can be meant for it. */
export const audience = "urn:example:orders";
export const person = { username: "alice", password: "correct horse battery staple", name: "Alice Example" };
/** How long callers are told that tokens are valid while `world.brief` is set, in seconds. */
export const briefly = 12;
/** How many keys are announced before anybody has fetched the key set, beside the first two. */
const announced = 49;

export const work = mkdtempSync(join(tmpdir(), "signet-examples-"));
chmodSync(work, 0o711); // Apache reads its pages as www-data
const running = [];
const relays = [];

/** Ends everything that was started. */
export async function stopAll() {
  await Promise.all(running.map((process) => process.stop()));
  await Promise.all(relays.map((relay) => relay.stop()));
  rmSync(work, { recursive: true, force: true });
}

export async function relay(port) {
  const started = await Relay.start(port);
  relays.push(started);
  return started;
}

export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Starts a program and waits until its address answers. */
export async function start(name, [file, ...words], { cwd, env = {}, ready, patience = 180 }) {
  const log = join(work, `${name}.log`);
  const child = spawn(file, words, { cwd, env: { ...outside, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const output = createWriteStream(log);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  let gone = false;
  const end = new Promise((resolve) => child.once("exit", resolve).once("error", resolve)).then(() => (gone = true));
  const started = {
    log: () => readFileSync(log, "utf8"),
    async stop() {
      if (gone) return;
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await end;
      clearTimeout(kill);
    },
  };
  running.push(started);
  for (const until = Date.now() + patience * 1000; ; await pause(100)) {
    if (gone || Date.now() > until) throw new Error(`${name} did not start:\n${started.log()}`);
    if (await answers(ready)) return started;
  }
}

async function answers(url) {
  try {
    await (await fetch(url, { redirect: "manual" })).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Puts into the world a Signet behind a relay, and ways to use its command line. */
export async function startSignet(world) {
  const settings = { SIGNET_DATABASE_URL: `sqlite:${work}/signet.db`, SIGNET_KEYS_DIR: `${work}/keys` };
  const command = (...words) => run(program, [...words, "--json"], { cwd: work, env: { ...outside, ...settings } });
  Object.assign(world, { brief: false, secrets: {} });
  world.signet = async (...words) => JSON.parse((await command(...words)).stdout);
  world.client = async (id, ...words) => {
    const made = await world.signet("client", "create", "--client-id", id, ...words);
    world.secrets[id] = made.client_secret;
  };
  world.person = async ({ username, password, name }) => {
    const made = command("user", "create", "--username", username, "--name", name, "--password-stdin");
    made.child.stdin.end(password);
    await made;
  };

  world.genuine = await announceKeys(world.signet);
  const port = await freePort();
  world.door = await relay(port);
  world.door.rewrite = ({ path }) => {
    if (!world.brief || path !== "/token") return undefined;
    return (body) => JSON.stringify({ ...JSON.parse(body), expires_in: briefly });
  };
  world.issuer = world.door.origin;
  await start("signet", [program, "serve"], {
    cwd: work,
    env: { ...settings, SIGNET_ISSUER: world.issuer, SIGNET_LISTEN: `127.0.0.1:${port}` },
    ready: `http://127.0.0.1:${port}/readyz`,
  });
}

/** Announces more keys than the first two, so that several rotations in a row wait for nobody's cache:
 * in the database six minutes pass before the server starts and the first verifier asks. Answers the
 * last of them, which is Signet's and which the tests can sign with as well. */
async function announceKeys(signet) {
  let genuine;
  for (let made = 0; made < announced; made += 1) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const file = join(work, "key.pem");
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    genuine = { privateKey, ...(await signet("key", "import", "--file", file)) };
    rmSync(file);
  }
  const later = "update signing_keys set announced_at = announced_at - 360";
  const script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()";
  await run("python3", ["-c", script, join(work, "signet.db"), later]);
  return genuine;
}

/** Posts a form to Signet as a client that authenticates with its secret (RFC 6749 §2.3.1). */
export function post(world, path, id, form) {
  const pair = [id, world.secrets[id]].map(encodeURIComponent).join(":");
  return fetch(world.issuer + path, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
    body: new URLSearchParams(form),
  });
}

async function tokensFor(world, id, form) {
  const answer = await post(world, "/token", id, form);
  const tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  return tokens;
}

/** A token for a service, by client credentials. */
export async function serviceToken(world, id, scope) {
  return (await tokensFor(world, id, { grant_type: "client_credentials", scope })).access_token;
}

/** What a person gets who signs in at a confidential client. */
export async function personTokens(world, id, scope) {
  const redirect_uri = "http://localhost:9/callback";
  const verifier = "a-verifier-of-a-test-need-not-be-random-at-all";
  const browser = new Browser(world.issuer);
  await browser.visit(authorizationRequest(world.issuer, {
    client_id: id,
    redirect_uri,
    scope,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  }));
  await browser.signIn(person.username, person.password);
  if (browser.has("allow")) await browser.click("allow");
  const code = browser.url.searchParams.get("code");
  assert.ok(code, `back with a code, not at ${browser.url}`);
  return tokensFor(world, id, { grant_type: "authorization_code", code, redirect_uri, code_verifier: verifier });
}

const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The header and the claims of a token. */
export function read(token) {
  return token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
}

/** A token with this header and these claims, signed with a key that is not Signet's unless one is given. */
export function forge(header, claims, key = foreign.privateKey) {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = sign("sha256", Buffer.from(parts.join(".")), key);
  return [...parts, signature.toString("base64url")].join(".");
}

/** The public key that `forge` signs with, as an attacker would put it into a header. */
export const foreignKey = foreign.publicKey.export({ format: "jwk" });

const at = (name) => join(examples, name);
const venv = (name) => join(built, name, "bin");

/** The examples that are APIs, each by what its README says. `own` says that it verifies offline. */
export const apis = {
  express: { title: "Express", own: true, command: () => ["node", "server.mjs"] },
  fastify: { title: "Fastify", own: true, command: () => ["node", "server.mjs"] },
  fastapi: {
    title: "FastAPI",
    own: true,
    command: (port) => [join(venv("fastapi"), "uvicorn"), "orders:app", "--port", String(port), "--no-access-log"],
  },
  spring: {
    title: "Spring Security",
    own: true,
    command: () => ["java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar", "target/orders.jar"],
  },
  "go-api": { title: "Go", own: true, command: () => [join(built, "go-api")] },
  nginx: { title: "nginx", own: false },
};

/** Starts one API; answers where its orders are. */
export async function startApi(world, name, env = {}, suffix = "") {
  if (name === "nginx") return startNginx(world);
  const port = await freePort();
  const url = `http://localhost:${port}/orders`;
  await start(name + suffix, apis[name].command(port), {
    cwd: at(name),
    env: { ISSUER: world.issuer, AUDIENCE: audience, PORT: String(port), ...env },
    ready: url,
  });
  return url;
}

/** nginx.conf is written for the ports of its README: these take their place, and nothing else changes. */
async function startNginx(world) {
  const port = await freePort();
  const directory = join(work, "nginx");
  cpSync(at("nginx"), directory, { recursive: true });
  const file = join(directory, "nginx.conf");
  const conf = readFileSync(file, "utf8")
    .replaceAll("localhost:8080", new URL(world.issuer).host)
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${world.door.port}`)
    .replaceAll("127.0.0.1:9006", `127.0.0.1:${port}`)
    .replaceAll("https://orders.example.com", audience)
    .replaceAll("127.0.0.1:9016", `127.0.0.1:${await freePort()}`)
    .replaceAll("/tmp/", `${directory}/`);
  writeFileSync(file, conf);
  const url = `http://localhost:${port}/orders`;
  await start("nginx", ["nginx", "-p", directory, "-c", file], {
    cwd: directory,
    env: { CLIENT_ID: "gateway", CLIENT_SECRET: world.secrets.gateway },
    ready: url,
  });
  return url;
}

/** Apache with the site of its example. */
export async function startApache(world, port) {
  const directory = join(work, "apache");
  mkdirSync(directory);
  cpSync(at("apache"), directory, { recursive: true });
  await start("apache", ["apache2", "-DFOREGROUND", "-d", directory, "-f", join(directory, "apache.conf")], {
    cwd: directory,
    env: {
      ISSUER: world.issuer,
      SITE: `http://localhost:${port}`,
      PORT: String(port),
      RUN: directory,
      DOCUMENTS: join(directory, "site"),
      CLIENT_ID: "apache",
      CLIENT_SECRET: world.secrets.apache,
      PASSPHRASE: "a passphrase for the tests alone",
    },
    ready: `http://localhost:${port}/`,
  });
}

/** Starts an example for people on a port that its client was registered with. */
export function startApp(name, port, env) {
  return start(name, ["node", "server.mjs"], {
    cwd: at(name),
    env: { PORT: String(port), ...env },
    ready: `http://localhost:${port}/`,
  });
}

/** Runs a service to its end: its status and what it printed. */
export async function runService(name, env) {
  const [file, ...words] =
    name === "service-go" ? [join(built, "service-go")] : [join(venv(name), "python"), "-B", "service.py"];
  try {
    const { stdout, stderr } = await run(file, words, { cwd: at(name), env: { ...outside, ...env } });
    return { status: 0, stdout, stderr };
  } catch ({ code, stdout, stderr }) {
    return { status: code, stdout, stderr };
  }
}
