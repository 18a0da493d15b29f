"""Uses Gatewright through OVHcloud's own client, and checks what comes back."""

import sys

import ovh
import ovh.client
import ovh.exceptions as errors

url, client_id, client_secret = sys.argv[1:]
ovh.client.ENDPOINTS["gatewright"] = url + "/1.0"
ovh.client.OAUTH2_TOKEN_URLS["gatewright"] = url + "/auth/oauth2/token"


def connect(identifier, secret):
    return ovh.Client(endpoint="gatewright", client_id=identifier, client_secret=secret)


def refused(error, call, *arguments, **fields):
    try:
        call(*arguments, **fields)
    except error as caught:
        assert caught.query_id.startswith("EU.ext-"), caught.query_id
        return caught
    raise AssertionError(f"{arguments} was not refused with {error}")


admin = connect(client_id, client_secret)
assert admin.time_delta is not None
details = admin.get("/auth/details")
account = details["account"]
assert admin.get("/me")["nichandle"] == account

# Service accounts.
made = admin.post(
    "/me/api/oauth2/client",
    name="python",
    description="made by the real client",
    flow="CLIENT_CREDENTIALS",
    callbackUrls=[],
)
path = "/me/api/oauth2/client/" + made["clientId"]
assert made["clientId"] in admin.get("/me/api/oauth2/client")
read = admin.get(path)
assert read["name"] == "python"
admin.put(path, name="renamed", description=read["description"])
assert admin.get(path)["name"] == "renamed"

# The new service account has no permissions, and the error names the missing action.
robot = connect(made["clientId"], made["clientSecret"])
error = refused(errors.Forbidden, robot.get, "/v2/iam/policy")
missing = error.response.json()["details"]["unauthorizedActionsByIAM"]
assert missing == "account:apiovh:iam/policy/get", missing

# Policies.
policy = {
    "name": "python",
    "description": "A policy, made by the real client",
    "identities": [read["identity"]],
    "resources": [{"urn": "urn:v1:eu:resource:account:" + account}],
    "permissions": {"allow": [{"action": "account:apiovh:iam/policy/*"}]},
}
created = admin.post("/v2/iam/policy", **policy)
for field in policy:
    assert created[field] == policy[field], field
assert [one["id"] for one in robot.get("/v2/iam/policy", identity=read["identity"])] == [created["id"]]
path_of_policy = "/v2/iam/policy/" + created["id"]
policy["description"] = "changed"
assert robot.put(path_of_policy, **policy)["description"] == "changed"
assert robot.get(path_of_policy)["description"] == "changed"

# Errors raise the package's own exceptions.
refused(errors.BadParametersError, admin.post, "/v2/iam/policy", name="a b")
refused(errors.ResourceConflictError, admin.post, "/v2/iam/policy", **policy)
refused(errors.ResourceNotFoundError, admin.get, "/v2/iam/policy/00000000-0000-0000-0000-000000000000")
refused(errors.ResourceNotFoundError, admin.get, "/no/such/call")

assert admin.delete(path_of_policy) is None
refused(errors.Forbidden, robot.get, "/v2/iam/policy")
refused(errors.ResourceNotFoundError, admin.get, path_of_policy)
assert admin.delete(path) is None
refused(errors.ResourceNotFoundError, admin.get, path)
refused(errors.APIError, robot.get, "/auth/details")
try:
    connect(made["clientId"], made["clientSecret"]).get("/auth/details")
    raise AssertionError("a deleted service account got a token")
except errors.OAuth2FailureError:
    pass
print("all done")
