"""Serves a shop on FastAPI, guarded by policies.

Usage: GATEWRIGHT_URL=… GATEWRIGHT_ID=… GATEWRIGHT_SECRET=… uvicorn shop:app
"""

import os

from fastapi import FastAPI, Request
from gatewright import Guard, Middleware, Permission
from starlette.routing import Match

ACCOUNT = "xx11111-ovh"
shop = FastAPI()


def requires(action: str, resource_type: str, name: str):
    """Declares a permission that a handler requires; the name may hold parameters of the path."""

    def mark(handler):
        handler.required = [*getattr(handler, "required", []), (action, resource_type, name)]
        return handler

    return mark


def public(handler):
    """Declares that a handler requires nothing."""
    handler.required = []
    return handler


@shop.get("/health")
@public
async def health():
    return {"open": True}


@shop.get("/orders")
@requires("account:shop:orders/get", "account", ACCOUNT)
async def orders():
    return {"orders": ["7", "8"]}


@shop.get("/orders/{order}")
@requires("order:shop:get", "order", "{order}")
async def order(order: str, request: Request):
    return {"order": order, "identity": request.scope["gatewright"].urn}


@shop.delete("/orders/{order}")
@requires("order:shop:delete", "order", "{order}")
async def cancel(order: str):
    return {"cancelled": order}


@shop.get("/forgotten")
async def forgotten():
    return {"secret": "no permission is declared"}


def required(scope):
    """Finds a request's permissions by the application's own router, so that both mean the same
    handler."""
    for route in shop.router.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            declared = getattr(getattr(route, "endpoint", None), "required", None)
            if not declared:
                return declared
            params = found.get("path_params", {})
            return [Permission(action, type, name.format(**params)) for action, type, name in declared]
    return None


guard = Guard(
    os.environ["GATEWRIGHT_URL"],
    os.environ["GATEWRIGHT_ID"],
    os.environ["GATEWRIGHT_SECRET"],
    account=ACCOUNT,
)
app = Middleware(shop, guard, required)
