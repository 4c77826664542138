"""What schemathesis can't know of this API: how to log in, and which calls end the login that they are made with."""

import json
import os
import secrets
import urllib.request

import schemathesis

BASE = os.environ["API_URL"]
PASSWORD = "correct horse battery staple"
# Each of these gets an account of its own, so that the other calls stay logged in.
ENDS_THE_LOGIN = {
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/logout-all"),
    ("POST", "/v1/auth/password/change"),
    ("DELETE", "/v1/auth/sessions/{id}"),
    ("DELETE", "/v1/users/me"),
}


def post(path, body):
    request = urllib.request.Request(
        BASE + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def log_in_anew():
    email = f"schemathesis.{secrets.token_hex(8)}@example.com"
    post("/v1/auth/register", {"email": email, "password": PASSWORD, "name": "Schemathesis"})
    return post("/v1/auth/login", {"email": email, "password": PASSWORD})["access_token"]


@schemathesis.auth(refresh_interval=None)
class BearerToken:
    shared = None

    def get(self, case, context):
        if (case.operation.method.upper(), case.operation.path) in ENDS_THE_LOGIN:
            return log_in_anew()
        # Tokens last 15 minutes, a run takes less.
        BearerToken.shared = BearerToken.shared or log_in_anew()
        return BearerToken.shared

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"
