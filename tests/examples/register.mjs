// The API, the clients and the person of the tests, made with the command line as ../../examples/README.md
// makes them.
import { audience, person } from "./world.mjs";

export async function register(world) {
  const { client, signet, apps } = world;
  const service = ["--grant", "client_credentials", "--scope"];
  const people = ["--grant", "authorization_code", "--grant", "refresh_token"];
  const app = ["--scope", "openid profile offline_access orders:read", "--first-party"];

  await client("gateway", "--grant", "client_credentials");
  await signet("resource", "create", "--id", audience, "--name", "Orders",
    "--scope", "orders:read", "--scope", "orders:write", "--client", "gateway");
  await signet("resource", "create", "--id", "https://invoices.example.com", "--scope", "invoices:read");
  await client("caller", ...service, "orders:read orders:write invoices:read");
  await client("service-python", ...service, "orders:read");
  await client("service-go", ...service, "orders:read");

  await client("spa", "--public", ...people, ...app,
    "--redirect-uri", `${apps.spa}/`, "--post-logout-redirect-uri", `${apps.spa}/`);
  await client("webapp", ...people, ...app,
    "--redirect-uri", `${apps.webapp}/callback`, "--post-logout-redirect-uri", `${apps.webapp}/`);
  await client("apache", "--name", "A site", "--grant", "authorization_code", "--scope", "openid profile email",
    "--redirect-uri", `${apps.apache}/callback`, "--post-logout-redirect-uri", `${apps.apache}/`);

  // Two for the tests alone: one whose access tokens people have, one whose ID tokens are meant for the API.
  const back = ["--redirect-uri", "http://localhost:9/callback"];
  await client("portal", ...people, ...app, ...back);
  await client(audience, "--grant", "authorization_code", "--scope", "openid profile", ...back);
  await world.person(person);
}
