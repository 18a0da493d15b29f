"""Guards an ASGI application by the policies of a Gatewright.

    guard = Guard("https://iam.example.com", client_id, client_secret, account="xx11111-ovh")
    app = Middleware(app, guard, needs)

`needs` says what a request needs: a list of `Need`, of which all must be allowed; an empty list for
what everybody may; None for what nobody may. The guard checks tokens by the published keys, asks for
decisions in batches, remembers each for a second, and lets nothing pass that it cannot ask about.
Its service account needs account:apiovh:iam/authorization/evaluate on its own account.
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
# How much is remembered; beyond, everything is forgotten.
MOST_REMEMBERED = 100_000
# How many questions go into one request.
MOST_ASKED = 500
# Keys are fetched anew after so many seconds, and for an unknown one not more often than so.
KEYS_FRESH, KEYS_PAUSE = 300.0, 2.0


class Need(NamedTuple):
    """An action, and what it is done on: the type and the name of the resource."""

    action: str
    type: str
    name: str


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who a token belongs to."""

    urn: str
    account: str
    token_id: str


class Refused(Exception):
    """Why a request does not pass: 401 for a bad token, 403 for a missing right, 503 where nobody
    can be asked."""

    def __init__(self, status: int, message: str, missing: Sequence[str] = ()):
        super().__init__(message)
        self.status, self.missing = status, missing

    def body(self) -> bytes:
        kind = {401: "Client::Unauthorized", 403: "Client::Forbidden"}
        error = {"class": kind.get(self.status, "Server::ServiceUnavailable"), "message": str(self)}
        if self.missing:
            error["details"] = {"unauthorizedActionsByIAM": ",".join(self.missing)}
        return json.dumps(error).encode()


UNAUTHENTICATED = "This credential is not valid"
UNAVAILABLE = "Nobody can say now whether this is allowed: try again"


class Guard:
    """Checks tokens and rights. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        account: str | None = None,
        *,
        issuer: str | None = None,
        fresh: float = 1.0,
        timeout: float = 2.0,
    ):
        """`account` owns what no registrar has registered; a decision is remembered for `fresh`
        seconds; `issuer` is the public URL where `url` is another."""
        self._url, self._issuer = url.rstrip("/"), (issuer or url).rstrip("/")
        self._credentials, self._account = (client_id, client_secret), account
        self._fresh = fresh
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._own: tuple[str, float] = ("", 0.0)
        self._identities: dict[str, tuple[Identity, float]] = {}
        self._decisions: dict[tuple, tuple[bool, float]] = {}
        self._waiting: list[tuple[dict, asyncio.Future]] = []
        self._asking: asyncio.Task | None = None

    async def check(self, token: str | None, needs: Sequence[Need], ip: str | None) -> Identity:
        """Who the token belongs to, if they may do all that is needed; raises `Refused`. Where
        nothing is needed, nobody may."""
        if not token:
            raise Refused(401, "You must login first")
        identity = await self.identify(token)
        allowed = await asyncio.gather(*(self._may(token, need, ip) for need in needs))
        missing = [need.action for need, one in zip(needs, allowed) if not one]
        if missing or not needs:
            raise Refused(403, "This call needs rights that you do not have", missing)
        return identity

    async def identify(self, token: str) -> Identity:
        """Who a token belongs to, by its signature; raises `Refused`."""
        known = self._identities.get(token)
        if known and known[1] > time.time() and self._keys_at + KEYS_FRESH > time.monotonic():
            return known[0]
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != "at+jwt" or header.get("alg") not in ALGORITHMS:
                raise Refused(401, UNAUTHENTICATED)
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
            raise Refused(401, UNAUTHENTICATED) from error
        _remember(self._identities, token, (identity, claims["exp"]))
        return identity

    async def _key(self, kid: str) -> jwt.PyJWK:
        async with self._fetching:
            age = time.monotonic() - self._keys_at
            if age > KEYS_FRESH or (kid not in self._keys and age > KEYS_PAUSE):
                answer = await self._send("GET", "/auth/oauth2/jwks")
                keys = jwt.PyJWKSet.from_dict(answer).keys
                self._keys = {key.key_id: key for key in keys if key.key_id}
                self._keys_at = time.monotonic()
                self._identities.clear()
        if kid not in self._keys:
            raise Refused(401, UNAUTHENTICATED)
        return self._keys[kid]

    async def _may(self, token: str, need: Need, ip: str | None) -> bool:
        known = self._decisions.get((token, need, ip))
        if known and known[1] > time.monotonic():
            return known[0]
        resource = {"type": need.type, "id": need.name}
        if self._account:
            resource["properties"] = {"account": self._account}
        question = {
            "subject": {"type": "token", "id": token},
            "action": {"name": need.action},
            "resource": resource,
            "context": {"ip": ip} if ip else {},
        }
        # It is as fresh as when it was asked, not as when the answer came.
        until = time.monotonic() + self._fresh
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        allowed = await answer
        _remember(self._decisions, (token, need, ip), (allowed, until))
        return allowed

    async def _ask(self) -> None:
        """Asks what waits, and what has come meanwhile with the next request."""
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_ASKED], self._waiting[MOST_ASKED:]
            try:
                decisions = await self._evaluate([question for question, _ in batch])
                for (_, answer), decision in zip(batch, decisions, strict=True):
                    if not answer.done():
                        answer.set_result(decision.get("decision") is True)
            except Exception:  # whatever it is, nobody passes by it
                for _, answer in batch:
                    if not answer.done():
                        answer.set_exception(Refused(503, UNAVAILABLE))

    async def _evaluate(self, questions: list[dict]) -> list[dict]:
        token, until = self._own
        if until < time.monotonic():
            form = {"grant_type": "client_credentials", "scope": "all"}
            path = "/auth/oauth2/token"
            answer = await self._send("POST", path, data=form, auth=self._credentials)
            token, until = answer["access_token"], time.monotonic() + answer["expires_in"] - 60
            self._own = (token, until)
        headers = {"authorization": f"Bearer {token}"}
        body = {"evaluations": questions}
        try:
            answer = await self._send("POST", "/access/v1/evaluations", json=body, headers=headers)
        except Refused:
            # Perhaps its own token was taken back.
            self._own = ("", 0.0)
            raise
        return answer["evaluations"]

    async def _send(self, method: str, path: str, **more) -> dict:
        try:
            answer = await self._http.request(method, self._url + path, **more)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(503, UNAVAILABLE) from error


def _remember(memory: dict, key, value) -> None:
    if len(memory) >= MOST_REMEMBERED:
        memory.clear()
    memory[key] = value


class Middleware:
    """Lets a request reach the application once it is known to be allowed. Who asks is in the
    scope's `gatewright`; None where everybody may."""

    def __init__(self, app, guard: Guard, needs: Callable[[dict], Sequence[Need] | None]):
        self.app, self.guard, self.needs = app, guard, needs

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        try:
            identity = await self._identity(scope)
        except Refused as refused:
            return await _refuse(scope, send, refused)
        await self.app({**scope, "gatewright": identity}, receive, send)

    async def _identity(self, scope) -> Identity | None:
        needs = self.needs(scope)
        if needs is not None and len(needs) == 0:
            return None
        said = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = (said[0] if len(said) == 1 else b"").decode("latin-1").partition(" ")
        ip = scope["client"][0] if scope.get("client") else None
        token = token.strip() if scheme.lower() == "bearer" else None
        return await self.guard.check(token, needs or (), ip)


async def _refuse(scope, send, refused: Refused) -> None:
    if scope["type"] == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": str(refused)})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    start = {"type": "http.response.start", "status": refused.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": refused.body()})
