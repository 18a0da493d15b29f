"""Guards an ASGI application by the policies of a Gatewright.

    guard = Guard("https://iam.example.com", client_id, client_secret, account="xx11111-ovh")
    app = Middleware(app, guard, required)

`required` maps a request to the permissions that it requires: a list of `Permission`, all of which
must be granted; an empty list for what is public; None for what is denied to everybody. The guard
verifies tokens by the published keys, evaluates access in batches, caches each decision for a second,
and fails closed. Its service account needs account:apiovh:iam/authorization/evaluate on its own
account.
"""

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
import jwt

ALGORITHMS = ("ES256", "EdDSA", "RS256")
# Maximum number of entries of a cache; beyond it, the cache is cleared.
CACHE_CAPACITY = 100_000
# Maximum number of evaluations in one request.
BATCH_SIZE = 500
# Lifetime of the published keys, and minimum interval between two requests for them when tokens name
# unknown ones, in seconds.
KEYS_LIFETIME, KEYS_RETRY_INTERVAL = 300.0, 2.0


class Permission(NamedTuple):
    """An action, and the type and the name of the resource."""

    action: str
    type: str
    name: str


@dataclasses.dataclass(frozen=True)
class Identity:
    """The owner of a token."""

    urn: str
    account: str
    token_id: str


class AccessError(Exception):
    """The reason why a request is denied: 401 for an invalid token, 403 for a missing permission, 503
    if Gatewright cannot be reached."""

    def __init__(self, status: int, message: str, missing: Sequence[str] = ()):
        super().__init__(message)
        self.status, self.missing = status, missing

    def body(self) -> bytes:
        """Returns the body of the response, in the format of Gatewright's own errors."""
        classes = {401: "Client::Unauthorized", 403: "Client::Forbidden"}
        error = {"class": classes.get(self.status, "Server::ServiceUnavailable"), "message": str(self)}
        if self.missing:
            error["details"] = {"unauthorizedActionsByIAM": ",".join(self.missing)}
        return json.dumps(error).encode()


UNAUTHENTICATED = "This credential is not valid"
UNAVAILABLE = "The authorization service cannot be reached: try again"


class Guard:
    """Verifies tokens and checks permissions. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        account: str | None = None,
        *,
        issuer: str | None = None,
        decision_lifetime: float = 1.0,
        timeout: float = 2.0,
    ):
        """Creates a guard. `account` owns all unregistered resources; a decision is cached for
        `decision_lifetime` seconds; `issuer` is the public URL if that differs from `url`."""
        self._url, self._issuer = url.rstrip("/"), (issuer or url).rstrip("/")
        self._credentials, self._account = (client_id, client_secret), account
        self._decision_lifetime = decision_lifetime
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._access_token: tuple[str, float] = ("", 0.0)
        self._identities: dict[str, tuple[Identity, float]] = {}
        self._decisions: dict[tuple, tuple[bool, float]] = {}
        self._queue: list[tuple[dict, asyncio.Future]] = []
        self._evaluating: asyncio.Task | None = None

    async def check(
        self, token: str | None, required: Sequence[Permission], ip: str | None
    ) -> Identity:
        """Verifies a token, and checks that its owner has all required permissions; raises
        `AccessError`. If none are required, everybody is denied."""
        if not token:
            raise AccessError(401, "You must login first")
        identity = await self.authenticate(token)
        decisions = await asyncio.gather(*(self._is_allowed(token, one, ip) for one in required))
        missing = [one.action for one, allowed in zip(required, decisions) if not allowed]
        if missing or not required:
            raise AccessError(403, "This call needs rights that you do not have", missing)
        return identity

    async def authenticate(self, token: str) -> Identity:
        """Verifies the signature and the claims of a token; raises `AccessError`."""
        cached = self._identities.get(token)
        if cached and cached[1] > time.time() and self._keys_at + KEYS_LIFETIME > time.monotonic():
            return cached[0]
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or header.get("alg") not in ALGORITHMS:
                raise AccessError(401, UNAUTHENTICATED)
            key = await self._key(str(header.get("kid")))
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._issuer,
                options={"require": ["exp", "iss", "aud", "sub", "jti"]},
            )
            account = claims["sub"].split(":", 5)[5].partition("/")[0]
            identity = Identity(claims["sub"], account, claims["jti"])
        except (jwt.PyJWTError, IndexError, AttributeError) as error:
            raise AccessError(401, UNAUTHENTICATED) from error
        _cache(self._identities, token, (identity, claims["exp"]))
        return identity

    async def _key(self, kid: str) -> jwt.PyJWK:
        async with self._fetching:
            age = time.monotonic() - self._keys_at
            if age > KEYS_LIFETIME or (kid not in self._keys and age > KEYS_RETRY_INTERVAL):
                answer = await self._send("GET", "/auth/oauth2/jwks")
                keys = jwt.PyJWKSet.from_dict(answer).keys
                self._keys = {key.key_id: key for key in keys if key.key_id}
                self._keys_at = time.monotonic()
                self._identities.clear()
        if kid not in self._keys:
            raise AccessError(401, UNAUTHENTICATED)
        return self._keys[kid]

    async def _is_allowed(self, token: str, permission: Permission, ip: str | None) -> bool:
        cached = self._decisions.get((token, permission, ip))
        if cached and cached[1] > time.monotonic():
            return cached[0]
        resource = {"type": permission.type, "id": permission.name}
        if self._account:
            resource["properties"] = {"account": self._account}
        evaluation = {
            "subject": {"type": "token", "id": token},
            "action": {"name": permission.action},
            "resource": resource,
            "context": {"ip": ip} if ip else {},
        }
        # The lifetime begins with the request, not with the response.
        until = time.monotonic() + self._decision_lifetime
        answer = asyncio.get_running_loop().create_future()
        self._queue.append((evaluation, answer))
        if self._evaluating is None or self._evaluating.done():
            self._evaluating = asyncio.create_task(self._evaluate_queue())
        allowed = await answer
        _cache(self._decisions, (token, permission, ip), (allowed, until))
        return allowed

    async def _evaluate_queue(self) -> None:
        """Evaluates the queued decisions in batches; those that arrive meanwhile go into the next batch."""
        while self._queue:
            batch, self._queue = self._queue[:BATCH_SIZE], self._queue[BATCH_SIZE:]
            try:
                decisions = await self._evaluate([evaluation for evaluation, _ in batch])
                for (_, answer), decision in zip(batch, decisions, strict=True):
                    if not answer.done():
                        answer.set_result(decision.get("decision") is True)
            except Exception:  # any error denies access
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(AccessError(503, UNAVAILABLE))

    async def _evaluate(self, evaluations: list[dict]) -> list[dict]:
        token, until = self._access_token
        if until < time.monotonic():
            form = {"grant_type": "client_credentials", "scope": "all"}
            path = "/auth/oauth2/token"
            answer = await self._send("POST", path, data=form, auth=self._credentials)
            token, until = answer["access_token"], time.monotonic() + answer["expires_in"] - 60
            self._access_token = (token, until)
        headers = {"authorization": f"Bearer {token}"}
        body = {"evaluations": evaluations}
        try:
            answer = await self._send("POST", "/access/v1/evaluations", json=body, headers=headers)
        except AccessError:
            # Its own token may have been revoked.
            self._access_token = ("", 0.0)
            raise
        return answer["evaluations"]

    async def _send(self, method: str, path: str, **more) -> dict:
        try:
            answer = await self._http.request(method, self._url + path, **more)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise AccessError(503, UNAVAILABLE) from error


def _cache(cache: dict, key, value) -> None:
    if len(cache) >= CACHE_CAPACITY:
        cache.clear()
    cache[key] = value


class Middleware:
    """Guards an application. The caller of an allowed request is in the scope's `gatewright`; None
    if the request is public."""

    def __init__(self, app, guard: Guard, required: Callable[[dict], Sequence[Permission] | None]):
        self.app, self.guard, self.required = app, guard, required

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        try:
            identity = await self._identity(scope)
        except AccessError as error:
            return await _deny(scope, send, error)
        await self.app({**scope, "gatewright": identity}, receive, send)

    async def _identity(self, scope) -> Identity | None:
        required = self.required(scope)
        if required is not None and len(required) == 0:
            return None
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = (values[0] if len(values) == 1 else b"").decode("latin-1").partition(" ")
        ip = scope["client"][0] if scope.get("client") else None
        token = token.strip() if scheme.lower() == "bearer" else None
        return await self.guard.check(token, required or (), ip)


async def _deny(scope, send, error: AccessError) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": str(error)})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    start = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": error.body()})
