"""A private HTTP cache (CacheControl, by RFC 9111) between two users in turn and the API: nobody gets from it what is another
user's or what is outdated, and it is of use."""

import os
import secrets
import sys

import requests
from cachecontrol import CacheControl

BASE = os.environ["API_URL"]
PASSWORD = "correct horse battery staple"
checks = []


def check(holds, what):
    checks.append(holds)
    if not holds:
        print(f"HTTP cache, not so: {what}")


def call(method, path, token=None, through=requests, **options):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = through.request(method, BASE + path, headers=headers, timeout=20, **options)
    answer.raise_for_status()
    return answer


def new_user(name):
    email = f"{name}.{secrets.token_hex(8)}@example.com"
    call("POST", "/v1/auth/register", json={"email": email, "password": PASSWORD, "name": name})
    tokens = call("POST", "/v1/auth/login", json={"email": email, "password": PASSWORD}).json()
    task = call("POST", "/v1/tasks", tokens["access_token"], json={"title": f"Task of {name}"}).json()
    return {"name": name, "email": email, "token": tokens["access_token"], "task": task["id"]}


ada, bob = new_user("Ada"), new_user("Bob")
# One cache for both, as a browser has that two people use.
cached = CacheControl(requests.Session())
PATHS = ["/v1/users/me", "/v1/tasks", "/v1/tasks/{task}", "/v1/tasks/stats", "/v1/auth/sessions", "/v1/users/me/export"]
reused = set()

for path in PATHS:
    for user, other in [(ada, bob), (ada, bob), (bob, ada), (ada, bob), (bob, ada)]:
        own = path.format(**user)
        answer = call("GET", own, user["token"], through=cached)
        if answer.from_cache:
            reused.add(path)
        foreign = [other["email"], other["task"], f"Task of {other['name']}"]
        check(not any(text in answer.text for text in foreign), f"GET {path}: {user['name']} sees nothing of another user")
        check(answer.headers["Cache-Control"] in ("private, no-cache", "no-store"), f"GET {path}: is no shared cache's")

check({"/v1/users/me", "/v1/tasks/{task}"} <= reused, f"answers with an ETag come from the cache again: {sorted(reused)}")
call("PATCH", "/v1/users/me", ada["token"], json={"name": "Countess"})
call("PATCH", f"/v1/tasks/{ada['task']}", ada["token"], json={"title": "Changed"})
me = call("GET", "/v1/users/me", ada["token"], through=cached).json()
check(me["name"] == "Countess", "a changed profile is read as it is")
task = call("GET", f"/v1/tasks/{ada['task']}", ada["token"], through=cached).json()
check(task["title"] == "Changed", "a changed task is read as it is")
call("POST", "/v1/auth/logout", ada["token"])
refused = cached.get(BASE + "/v1/users/me", headers={"Authorization": f"Bearer {ada['token']}"}, timeout=20)
check(refused.status_code == 401, "after the logout the cache gives nothing away")

print(f"HTTP cache: {sum(checks)} checks passed, {checks.count(False)} failed", flush=True)
sys.exit(0 if all(checks) else 1)
