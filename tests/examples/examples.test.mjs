// Every example of ../../examples, used for what it is there for. `../../examples/run` installs what
// they need, and says where the program and the built examples are.
import { after, before } from "node:test";
import { startBrowser } from "../browser/support.mjs";
import { describeApi, describeRotation, describeTrouble, makeTokens } from "./apis.mjs";
import { describeApps, describeServices } from "./callers.mjs";
import { register } from "./register.mjs";
import { apis, freePort, relay, startApache, startApi, startApp, startSignet, stopAll } from "./world.mjs";

const world = {};
const figures = [];

before(async () => {
  try {
    await begin();
  } catch (error) {
    // Without them there is nothing to test, and no test should say so once more.
    console.error(error);
    await stopAll();
    process.exit(1);
  }
});

async function begin() {
  await startSignet(world);
  world.apps = {};
  for (const name of ["spa", "webapp", "apache"]) world.apps[name] = `http://localhost:${await freePort()}`;
  await register(world);

  const tokens = makeTokens(world);
  const started = Object.keys(apis).map(async (name) => {
    const env = name === "express" ? { APP_ORIGIN: world.apps.spa } : {};
    return [name, await startApi(world, name, env)];
  });
  world.urls = Object.fromEntries(await Promise.all(started));
  world.tokens = await tokens;

  // Each caller calls another API, through a relay that sees which tokens it sends.
  world.relays = {};
  const called = { spa: "express", webapp: "fastify", "service-python": "fastapi", "service-go": "go-api" };
  for (const [caller, api] of Object.entries(called)) {
    const { port } = new URL(world.urls[api]);
    world.relays[caller] = await relay(Number(port));
  }
  const port = (name) => Number(new URL(world.apps[name]).port);
  const api = (name) => `${world.relays[name].origin}/orders`;
  await Promise.all([
    startApp("spa", port("spa"), { ISSUER: world.issuer, CLIENT_ID: "spa", API: api("spa") }),
    startApp("webapp", port("webapp"), {
      ISSUER: world.issuer,
      CLIENT_ID: "webapp",
      CLIENT_SECRET: world.secrets.webapp,
      ORIGIN: world.apps.webapp,
      API: api("webapp"),
    }),
    startApache(world, port("apache")),
  ]);
  world.browser = await startBrowser();
}

after(async () => {
  await world.browser?.close();
  await stopAll();
  for (const figure of figures) console.log(figure);
});

for (const name of Object.keys(apis)) describeApi(name, world);
describeServices(world);
describeApps(world);
describeRotation(world, report);
describeTrouble(world, (name) => startApi(world, name, {}, "-late"));

/** Keeps what a rotation cost, to be printed at the end, and fails if it cost anybody anything. */
function report(what, outcome) {
  const counts = Object.entries(outcome).map(([name, { asked, refused }]) => {
    return `${apis[name].title} ${asked - refused.length} of ${asked}`;
  });
  figures.push(`${what}: valid tokens accepted: ${counts.join(", ")}`);
  const refused = Object.entries(outcome).filter(([, { refused }]) => refused.length > 0);
  if (refused.length > 0) throw new Error(JSON.stringify(Object.fromEntries(refused.map(([name, of]) => [name, of.refused.slice(0, 3)]))));
  if (Object.values(outcome).some(({ asked }) => asked < 5)) throw new Error(`too few requests: ${counts}`);
}
