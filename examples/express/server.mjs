// An API in Express that verifies access tokens offline, with jose.
import cors from "cors";
import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const issuer = process.env.ISSUER ?? "http://localhost:8080";
const audience = process.env.AUDIENCE ?? "https://orders.example.com";
const app_origin = process.env.APP_ORIGIN ?? "http://localhost:9008";

// Kept for five minutes, as the server's Cache-Control says. A kid that is not in the set has it
// fetched anew, but at most every 30 seconds: made-up kids must not become requests.
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
  cacheMaxAge: 300_000,
  cooldownDuration: 30_000,
});

/** Lets a request pass that brings an access token for this API with this scope. */
function requires(scope) {
  return async (request, response, next) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.get("authorization") ?? "") ?? [];
    if (!token) return refuse(response, 401, "Bearer");
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        typ: "at+jwt", // an ID token is no access token
        algorithms: ["RS256"],
        requiredClaims: ["exp", "sub", "client_id"],
      });
      request.token = payload;
    } catch (error) {
      // That the keys cannot be fetched says nothing about the token.
      if (!(error instanceof errors.JOSEError) || cannotFetch.has(error.code)) return next(error);
      return refuse(response, 401, 'Bearer error="invalid_token"');
    }
    if (!String(request.token.scope ?? "").split(" ").includes(scope)) {
      return refuse(response, 403, `Bearer error="insufficient_scope", scope="${scope}"`);
    }
    next();
  };
}

const cannotFetch = new Set(["ERR_JWKS_TIMEOUT", "ERR_JOSE_GENERIC"]);

function refuse(response, status, challenge) {
  response.status(status).set("WWW-Authenticate", challenge).end();
}

const app = express();
app.disable("x-powered-by");
// For the app in ../spa. Tokens travel in a header, so that no cookie is needed.
app.use(cors({ origin: app_origin, exposedHeaders: ["WWW-Authenticate"] }));

app.get("/orders", requires("orders:read"), (request, response) => {
  response.json({ orders: [{ id: 1, item: "tea" }], for: request.token.sub });
});

app.use((error, request, response, next) => {
  console.error(error);
  response.status(503).end();
});

app.listen(Number(process.env.PORT ?? 9001), "127.0.0.1");
