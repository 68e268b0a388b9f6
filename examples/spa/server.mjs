// Serves the app's three files and its settings. Any web server would do.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const issuer = process.env.ISSUER ?? "http://localhost:8080";
const client_id = process.env.CLIENT_ID ?? "spa";
const api = process.env.API ?? "http://localhost:9001/orders";

const file = (path) => readFileSync(new URL(path, import.meta.url));
const files = {
  "/": ["text/html", file("index.html")],
  "/app.js": ["text/javascript", file("app.js")],
  "/oidc-client-ts.js": [
    "text/javascript",
    file("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"),
  ],
  "/settings.json": ["application/json", JSON.stringify({ issuer, client_id, api })],
};

// Tokens live in this page, so that no script but ours may run in it, and none may send them elsewhere.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "img-src data:",
  `connect-src 'self' ${new URL(issuer).origin} ${new URL(api).origin}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

createServer((request, response) => {
  const [type, body] = files[request.url.split("?")[0]] ?? [];
  if (!body) return response.writeHead(404).end();
  response.writeHead(200, {
    "content-type": `${type}; charset=utf-8`,
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  });
  response.end(body);
}).listen(Number(process.env.PORT ?? 9008), "127.0.0.1");
