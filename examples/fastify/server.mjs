// An API in Fastify that verifies access tokens offline, with jose.
import Fastify from "fastify";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const issuer = process.env.ISSUER ?? "http://localhost:8080";
const audience = process.env.AUDIENCE ?? "https://orders.example.com";

// Kept for five minutes, as the server's Cache-Control says. A kid that is not in the set has it
// fetched anew, but at most every 30 seconds: made-up kids must not become requests.
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
  cacheMaxAge: 300_000,
  cooldownDuration: 30_000,
});

/** Why a request is not let in (RFC 6750 §3): the status, and what the caller is told. */
class Refused extends Error {
  constructor(statusCode, challenge) {
    super(challenge);
    Object.assign(this, { statusCode, challenge });
  }
}

/** The claims of an access token for this API. */
async function verify(token) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: "at+jwt", // an ID token is no access token
      algorithms: ["RS256"],
      requiredClaims: ["exp", "sub", "client_id"],
    });
    return payload;
  } catch (error) {
    // That the keys cannot be fetched says nothing about the token.
    if (!(error instanceof errors.JOSEError) || cannotFetch.has(error.code)) throw error;
    throw new Refused(401, 'Bearer error="invalid_token"');
  }
}

const cannotFetch = new Set(["ERR_JWKS_TIMEOUT", "ERR_JOSE_GENERIC"]);

/** Before the body is read: lets a request pass that brings an access token with this scope. */
function requires(scope) {
  return async (request) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (!token) throw new Refused(401, "Bearer");
    request.token = await verify(token);
    if (!String(request.token.scope ?? "").split(" ").includes(scope)) {
      throw new Refused(403, `Bearer error="insufficient_scope", scope="${scope}"`);
    }
  };
}

const app = Fastify();
app.decorateRequest("token", null);

app.setErrorHandler((error, request, reply) => {
  if (error instanceof Refused) {
    return reply.code(error.statusCode).header("www-authenticate", error.challenge).send();
  }
  console.error(error);
  return reply.code(error.statusCode ?? 503).send();
});

app.get("/orders", { onRequest: requires("orders:read") }, async (request) => {
  return { orders: [{ id: 1, item: "tea" }], for: request.token.sub };
});

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 9002) });
