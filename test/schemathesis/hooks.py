"""What schemathesis can't know of this API: how to log in, which calls end the login that they are made with, and
which values mean nothing although their schema takes them."""

import datetime
import json
import os
import re
import secrets
import urllib.request
import zoneinfo

import schemathesis

BASE = os.environ["API_URL"]
PASSWORD = "correct horse battery staple"
ZONES = zoneinfo.available_timezones()
# Each of these gets its own account, so that the other calls stay logged in.
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
        # Tokens last 15 minutes; a run is shorter.
        BearerToken.shared = BearerToken.shared or log_in_anew()
        return BearerToken.shared

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what is well-formed but means nothing; the project's own tests try each of these."""
    query = case.query if isinstance(case.query, dict) else {}
    body = case.body if isinstance(case.body, dict) else {}
    return not (
        # Only the API can create a cursor.
        "cursor" in query
        or is_odd_sort(query)
        or is_odd_range(query)
        or is_unknown_zone(query.get("timezone"))
        or is_unknown_zone(body.get("timezone"))
        or has_made_up_etag(case)
        or has_invisible_line(case.body)
    )


# Default_Ignorable_Code_Point above U+FFFF, which the schema's patterns can't name for every validator.
INVISIBLE = re.compile("[\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]")


def has_invisible_line(value):
    """Holds a title, name or tag that shows nothing, or might: those characters are rare elsewhere."""
    if isinstance(value, dict):
        return any(map(has_invisible_line, value.values()))
    if isinstance(value, list):
        return any(map(has_invisible_line, value))
    return isinstance(value, str) and INVISIBLE.search(value) is not None


def has_made_up_etag(case):
    """For a header with a pattern, schemathesis 4.32 sends `0` as a value that fits it."""
    headers = case.headers or {}
    return "0" in (headers.get("If-Match"), headers.get("If-None-Match"))


def is_odd_sort(query):
    """Names a key twice, or relevance without words to be relevant to."""
    keys = [key.lstrip("-") for key in str(query.get("sort", "")).split(",")]
    return len(set(keys)) < len(keys) or ("relevance" in keys and "q" not in query)


def is_odd_range(query):
    """Ends before it begins, or spans more than a year."""
    try:
        first, last = (datetime.date.fromisoformat(query[name]) for name in ("from", "to"))
    except (KeyError, TypeError, ValueError):
        return False
    return not 0 <= (last - first).days < 366


def is_unknown_zone(name):
    return isinstance(name, str) and (name not in ZONES or ("/" not in name and name != "UTC"))


@schemathesis.hook
def before_call(context, case, **kwargs):
    """The same key for another request is a mistake (422), which schemathesis makes by drawing short keys again. And what it
    takes for a new password is easy to guess, or holds characters that RFC 8265 does not allow (422)."""
    body = case.body if isinstance(case.body, dict) else {}
    for name in ("password", "new_password"):
        if isinstance(body.get(name), str) and 12 <= len(body[name]) <= 128:
            body[name] = f"{PASSWORD} {secrets.token_hex(4)}"
    headers = case.headers or {}
    if re.fullmatch(r"[!-~]{1,200}", str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] += secrets.token_hex(8)
