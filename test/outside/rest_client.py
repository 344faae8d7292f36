"""A client of the tenant-scoped REST shape, as a back end has it: create a key, list keys, use the key, revoke it.

Takes the admin URL and the URL of what the key opens, and the admin key in ADMIN_KEY. Prints what it saw as JSON.
"""

import json
import os
import sys

import requests

admin_url, gateway_url = sys.argv[1:3]
api_keys = f"{admin_url}/api/v1/tenant/acme/api-keys"

admin = requests.Session()
admin.headers["Authorization"] = f"Bearer {os.environ['ADMIN_KEY']}"


def use(secret):
    answer = requests.get(gateway_url, headers={"Authorization": f"Bearer {secret}"}, timeout=10)
    return [answer.status_code, answer.headers.get("x-keyward-reason")]


created = admin.post(
    f"{api_keys}/create",
    json={"name": "billing", "scopes": ["api:read"], "expires_in_days": 30, "format": sys.argv[3]},
    timeout=10,
)
created.raise_for_status()
key = created.json()

listed = admin.get(f"{api_keys}/list", timeout=10)
listed.raise_for_status()

before = use(key["api_key"])
revoked = admin.post(f"{api_keys}/{key['id']}/revoke", timeout=10)
revoked.raise_for_status()

wrong = admin.post(f"{api_keys}/create", json={"name": "billing", "expires_in_days": -1}, timeout=10)

json.dump(
    {
        "listed": [one["name"] for one in listed.json()["api_keys"] if one["id"] == key["id"]],
        "told": key["api_key"] in listed.text,
        "lifetime": key["expires_at"] - key["created_at"],
        "before": before,
        "revoked": revoked.json()["success"],
        "after": use(key["api_key"]),
        "wrong": [wrong.status_code, wrong.json()["message"]],
    },
    sys.stdout,
)
