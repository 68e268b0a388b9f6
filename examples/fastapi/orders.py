"""An API in FastAPI that verifies access tokens offline, with PyJWT."""

import os
import re
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

ISSUER = os.environ.get("ISSUER", "http://localhost:8080")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example.com")

# Kept for five minutes, as the server's Cache-Control says. A kid that is not in the set has it fetched
# anew, but at most every 30 seconds: made-up kids must not become requests. Keys are not cached one by
# one (`cache_keys`), since that cache never forgets a key that was revoked.
keys = jwt.PyJWKClient(f"{ISSUER}/jwks", lifespan=300, cooldown_duration=30, timeout=5)


def refused(status: int, challenge: str) -> HTTPException:
    return HTTPException(status, headers={"WWW-Authenticate": challenge})


def verify(token: str) -> dict:
    """The claims of an access token for this API."""
    try:
        header = jwt.get_unverified_header(token)
        # An ID token is no access token.
        if str(header.get("typ", "")).lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")
        return jwt.decode(
            token,
            keys.get_signing_key(header.get("kid")),
            algorithms=["RS256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iss", "aud", "sub", "client_id"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        # That the keys cannot be fetched says nothing about the token.
        raise HTTPException(503) from error
    except jwt.PyJWTError as error:
        raise refused(401, 'Bearer error="invalid_token"') from error


def requires(scope: str):
    """A dependency that lets a request pass that brings an access token with this scope.

    It is no coroutine: fetching the keys blocks, and FastAPI runs it on a thread of its own.
    """

    def check(request: Request) -> dict:
        bearer = re.fullmatch(r"(?i:bearer) +(\S+)", request.headers.get("authorization", ""))
        if not bearer:
            raise refused(401, "Bearer")
        claims = verify(bearer[1])
        if scope not in claims.get("scope", "").split(" "):
            raise refused(403, f'Bearer error="insufficient_scope", scope="{scope}"')
        return claims

    return Depends(check)


app = FastAPI()


@app.get("/orders")
def orders(token: Annotated[dict, requires("orders:read")]):
    return {"orders": [{"id": 1, "item": "tea"}], "for": token["sub"]}
