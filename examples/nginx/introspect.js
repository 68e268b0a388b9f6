// Asks Signet what the token of a request is worth (RFC 7662), and answers nginx's auth_request.

async function check(r) {
  const scope = r.variables.required_scope;
  const bearer = /^Bearer +(\S+)$/i.exec(r.headersIn.Authorization || "");
  if (!bearer) return refuse(r, 401, "Bearer");

  const body = "token=" + encodeURIComponent(bearer[1]);
  const answer = await r.subrequest("/_introspect", { method: "POST", body });
  if (answer.status !== 200) {
    // Signet cannot be asked, or does not know this client: that says nothing about the token.
    r.error(`introspection answered ${answer.status}`);
    return r.return(503);
  }

  const token = JSON.parse(answer.responseText);
  // A client sees its own tokens too, so aud is checked here.
  const meant = [].concat(token.aud || []).includes(r.variables.audience);
  if (!token.active || !meant) return refuse(r, 401, 'Bearer error="invalid_token"');
  if (!(token.scope || "").split(" ").includes(scope)) {
    return refuse(r, 403, `Bearer error="insufficient_scope", scope="${scope}"`);
  }
  r.headersOut["X-Subject"] = token.sub;
  r.return(204);
}

function refuse(r, status, challenge) {
  r.headersOut["X-Challenge"] = challenge;
  r.return(status);
}

/** How this gateway proves to Signet who it is; the secret comes from the environment. */
function credentials() {
  const pair = process.env.CLIENT_ID + ":" + process.env.CLIENT_SECRET;
  return "Basic " + Buffer.from(pair).toString("base64");
}

export default { check, credentials };
