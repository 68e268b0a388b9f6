"""Authlib, as its documentation shows it, against a running signet.

`../run` starts the server and describes it in the file that CLIENTS_SETUP names."""

import json
import os
import sys
import unittest
from pathlib import Path

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from browser import Browser
from joserfc import jwt
from joserfc.jwk import KeySet

SETUP = json.loads(Path(os.environ["CLIENTS_SETUP"]).read_text())
ISSUER = SETUP["issuer"]
REDIRECT = SETUP["redirect_uri"]


def get(url):
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return answer.json()


class Core(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.metadata = get(f"{ISSUER}/.well-known/openid-configuration")
        cls.keys = KeySet.import_key_set(get(cls.metadata["jwks_uri"]))

    def client(self, id, method, **options):
        client = OAuth2Session(
            id,
            SETUP["secrets"].get(id),
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            token_endpoint=self.metadata["token_endpoint"],
            default_timeout=30,
            **options,
        )
        self.addCleanup(client.close)
        return client

    def sign_in(self, id="web", method="none"):
        """From the authorization request to the tokens."""
        client = self.client(
            id,
            method,
            scope="openid profile email offline_access",
            redirect_uri=REDIRECT,
            code_challenge_method="S256",
        )
        verifier, nonce = generate_token(48), generate_token(20)
        url, state = client.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        browser = Browser(ISSUER).get(url).sign_in(SETUP["username"], SETUP["password"])
        if browser.page and browser.page.find("allow"):
            browser.click("allow")
        self.assertTrue(browser.url.startswith(REDIRECT), browser.url)
        token = client.fetch_token(
            authorization_response=browser.url, code_verifier=verifier, state=state
        )
        return client, token, nonce

    def test_the_id_token_is_valid(self):
        _, token, nonce = self.sign_in()
        decoded = jwt.decode(token["id_token"], self.keys, algorithms=["RS256"])
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": "web"}},
            {"nonce": nonce, "client_id": "web", "access_token": token["access_token"]},
        )
        claims.validate()

    def test_a_confidential_client_signs_in_with_its_secret(self):
        _, token, _ = self.sign_in("web-confidential", "client_secret_basic")
        self.assertIn("id_token", token)

    def test_userinfo_answers_for_the_scopes_that_were_granted(self):
        client, _, _ = self.sign_in()
        person = client.get(self.metadata["userinfo_endpoint"]).json()
        self.assertEqual(person["name"], SETUP["name"])
        self.assertEqual(person["email"], SETUP["email"])
        self.assertIs(person["email_verified"], True)

    def test_refreshing_gives_new_tokens(self):
        client, first, _ = self.sign_in()
        second = client.refresh_token(self.metadata["token_endpoint"], first["refresh_token"])
        self.assertNotEqual(second["access_token"], first["access_token"])
        self.assertNotEqual(second["refresh_token"], first["refresh_token"])
        client.get(self.metadata["userinfo_endpoint"]).raise_for_status()

    def test_an_unknown_code_is_refused_as_invalid_grant(self):
        client = self.client("web", "none", redirect_uri=REDIRECT)
        with self.assertRaises(OAuthError) as refused:
            client.fetch_token(code="unknown", code_verifier=generate_token(48))
        self.assertEqual(refused.exception.error, "invalid_grant")

    def test_services_get_tokens_with_their_secret(self):
        for id, method in (
            ("service-basic", "client_secret_basic"),
            ("service-post", "client_secret_post"),
        ):
            with self.subTest(method):
                client = self.client(id, method, scope="orders:read")
                token = client.fetch_token(grant_type="client_credentials")
                self.assertEqual(token["scope"], "orders:read")
                decoded = jwt.decode(token["access_token"], self.keys, algorithms=["RS256"])
                self.assertEqual(decoded.header["typ"], "at+jwt")
                self.assertEqual(decoded.claims["iss"], ISSUER)
                self.assertEqual(decoded.claims["client_id"], id)

    def test_a_revoked_token_is_no_longer_active(self):
        client = self.client("service-basic", "client_secret_basic", scope="orders:read")
        token = client.fetch_token(grant_type="client_credentials")["access_token"]
        introspection = self.metadata["introspection_endpoint"]
        self.assertIs(client.introspect_token(introspection, token).json()["active"], True)
        answer = client.revoke_token(self.metadata["revocation_endpoint"], token)
        self.assertEqual((answer.status_code, answer.content), (200, b""))
        self.assertEqual(client.introspect_token(introspection, token).json(), {"active": False})


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=2, argv=sys.argv[:1], warnings="ignore").result
    failed = len({id(case) for case, _ in outcome.failures + outcome.errors})
    print(f"{max(outcome.testsRun - failed, 0)} passed, {failed} failed")
    sys.exit(0 if outcome.wasSuccessful() else 1)
