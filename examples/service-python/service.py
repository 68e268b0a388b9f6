"""A service that calls an API in its own name, with Authlib: one token for many calls."""

import os
import sys
import time

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from requests import RequestException

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
API = os.environ.get("API", "http://localhost:9003/orders")
CALLS = int(os.environ.get("CALLS", "3"))

# Authlib fetches another token ten seconds before this one expires.
session = OAuth2Session(
    os.environ.get("CLIENT_ID", "service"),
    os.environ["CLIENT_SECRET"],
    token_endpoint_auth_method="client_secret_basic",
    scope="orders:read",
    token_endpoint=f"{ISSUER}/token",
    grant_type="client_credentials",
    leeway=10,
)


def orders() -> list:
    """Asks the API, with a new token if it refuses the one that we have: it may have been revoked."""
    for refused in (False, True):
        if refused or not session.token:
            session.fetch_token(timeout=5)
        response = session.get(API, timeout=5)
        if response.status_code != 401:
            break
    response.raise_for_status()
    return response.json()["orders"]


try:
    for call in range(CALLS):
        if call:
            time.sleep(1)
        print(f"{len(orders())} order", flush=True)
except OAuthError as error:
    sys.exit(f"Signet gives no token: {error.error}: {error.description}")
except RequestException as error:
    sys.exit(f"the API cannot be asked: {error}")
