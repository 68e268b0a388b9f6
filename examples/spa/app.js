// An app in the browser: signs people in with code and PKCE, and calls an API with their token.
// The library is oidc-client-ts, which index.html loads as `oidc`.
const settings = await (await fetch("/settings.json")).json();
const element = (id) => document.getElementById(id);

const manager = new oidc.UserManager({
  authority: settings.issuer,
  client_id: settings.client_id,
  redirect_uri: `${location.origin}/`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: "openid profile offline_access orders:read",
  loadUserInfo: true, // the name is there, and not in the ID token
  // Renewed with the refresh token before it expires; kept while this tab is open, and in no other.
  automaticSilentRenew: true,
  userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
  stateStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
});
manager.events.addUserLoaded(show);
manager.events.addUserUnloaded(() => show(null));
// The session at Signet has ended, or somebody has taken the grant back.
manager.events.addSilentRenewError(() => manager.removeUser());

/** Asks the API, with a new token if it refuses the one that we have. */
async function orders() {
  let user = await manager.getUser();
  let response = await ask(user);
  if (response.status === 401) {
    user = await manager.signinSilent().catch(() => null);
    if (!user) return manager.signinRedirect();
    response = await ask(user);
  }
  if (response.status === 403) return say("You may not read orders.");
  if (!response.ok) return say("Orders cannot be read just now.");
  const items = (await response.json()).orders.map((order) => {
    return Object.assign(document.createElement("li"), { textContent: order.item });
  });
  element("orders").replaceChildren(...items);
}

function ask(user) {
  return fetch(settings.api, { headers: { authorization: `Bearer ${user.access_token}` } });
}

function show(user) {
  element("sign-in").hidden = Boolean(user);
  element("load").hidden = element("sign-out").hidden = !user;
  say(user ? `Hello, ${user.profile.name}.` : "You are not signed in.");
  if (!user) element("orders").replaceChildren();
}

function say(text) {
  element("status").textContent = text;
}

element("sign-in").onclick = () => manager.signinRedirect();
element("sign-out").onclick = () => manager.signoutRedirect();
element("load").onclick = () => orders().catch(() => say("Orders cannot be read just now."));

let refusal;
if (new URLSearchParams(location.search).has("state")) {
  // Back from Signet. The code is used once, so it goes from the address bar whatever comes.
  await manager.signinCallback().catch((error) => (refusal = error));
  history.replaceState(null, "", "/");
}
show(await manager.getUser());
if (refusal) say(refusal.error === "access_denied" ? "You did not sign in." : "Signing in failed: try again.");
