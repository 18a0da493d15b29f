"""A shop on FastAPI that lets nobody in without a right.

Usage: GATEWRIGHT_URL=… GATEWRIGHT_ID=… GATEWRIGHT_SECRET=… uvicorn shop:app
"""

import os

from fastapi import FastAPI, Request
from gatewright import Guard, Middleware, Need
from starlette.routing import Match

ACCOUNT = "xx11111-ovh"
shop = FastAPI()


def needs(action: str, kind: str, name: str):
    """Says beside a handler what it needs; the name may hold parameters of the path."""

    def mark(handler):
        handler.needs = [*getattr(handler, "needs", []), (action, kind, name)]
        return handler

    return mark


def public(handler):
    handler.needs = []
    return handler


@shop.get("/health")
@public
async def health():
    return {"open": True}


@shop.get("/orders")
@needs("account:shop:orders/get", "account", ACCOUNT)
async def orders():
    return {"orders": ["7", "8"]}


@shop.get("/orders/{order}")
@needs("order:shop:get", "order", "{order}")
async def order(order: str, request: Request):
    return {"order": order, "identity": request.scope["gatewright"].urn}


@shop.delete("/orders/{order}")
@needs("order:shop:delete", "order", "{order}")
async def cancel(order: str):
    return {"cancelled": order}


@shop.get("/forgotten")
async def forgotten():
    return {"secret": "nobody said who may"}


def what_it_needs(scope):
    """Asks the application's own router, so that both mean the same handler."""
    for route in shop.router.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            said = getattr(getattr(route, "endpoint", None), "needs", None)
            params = found.get("path_params", {})
            return said and [Need(a, kind, name.format(**params)) for a, kind, name in said] or said
    return None


guard = Guard(
    os.environ["GATEWRIGHT_URL"],
    os.environ["GATEWRIGHT_ID"],
    os.environ["GATEWRIGHT_SECRET"],
    account=ACCOUNT,
)
app = Middleware(shop, guard, what_it_needs)
