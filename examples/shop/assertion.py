"""Verifies the identity assertion of a request, for an API that demands one.

Usage: GATEWRIGHT_URL=… python3 assertion.py METHOD PATH ASSERTION [name=value …]
It needs the package pyjwt[crypto].
"""

import json
import os
import sys

import jwt

ISSUER = os.environ.get("GATEWRIGHT_URL", "http://127.0.0.1:8080")
AUDIENCE = f"{ISSUER}/v2/iam/api/shop"  # this API, and no other
PREFIX = ""  # what the proxy strips from the path
KEYS = jwt.PyJWKClient(f"{ISSUER}/auth/oauth2/jwks", lifespan=300)


def verify(assertion, method, path, headers):
    """Returns the claims of the caller; raises jwt.PyJWTError if the request must be refused.

    headers has lower-case names, and no name twice.
    """
    if jwt.get_unverified_header(assertion).get("typ") != "assertion+jwt":
        raise jwt.InvalidTokenError("this is no assertion")
    claims = jwt.decode(
        assertion,
        KEYS.get_signing_key_from_jwt(assertion).key,
        algorithms=["ES256"],  # the server's --algorithm
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=10,  # seconds, for clocks that differ
        options={"require": ["iss", "aud", "sub", "iat", "exp", "method", "path"]},
    )
    if (claims["method"], claims["path"]) != (method, PREFIX + path):
        raise jwt.InvalidTokenError("the assertion is for another request")
    for name, value in claims.get("headers", {}).items():
        if headers.get(name) != value:
            raise jwt.InvalidTokenError(f"the assertion is for another {name}")
    return claims


if __name__ == "__main__":
    try:
        method, path, assertion, *rest = sys.argv[1:]
        headers = dict(pair.split("=", 1) for pair in rest)
        print(json.dumps(verify(assertion, method, path, headers)))
    except jwt.PyJWTError as error:
        sys.exit(f"the assertion is refused: {error}")
