"""An NGO's walk through the banks API with Python's standard library alone.

TABIR_URL=http://127.0.0.1:8080 TABIR_API_KEY=… python3 examples/walk.py
The key needs the scopes signals:write, match and feed.
"""

import gzip
import json
import os
import secrets
import time
import urllib.error
import urllib.request

URL = os.environ.get("TABIR_URL", "http://127.0.0.1:8080")
KEY = os.environ["TABIR_API_KEY"]


def ask(method, path, body=None, content_type="application/json"):
    data = json.dumps(body).encode() if content_type == "application/json" and body is not None else body
    request = urllib.request.Request(URL + path, data=data, method=method)
    request.add_header("Authorization", "Bearer " + KEY)
    if data is not None:
        request.add_header("Content-Type", content_type)
    for tries in range(5):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                text = response.read().decode()
                return json.loads(text) if response.headers.get_content_type() == "application/json" else text
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            if error.code in (429, 503) and tries < 4:  # a busy server says when to come back
                time.sleep(float(error.headers.get("Retry-After", 1)))
                continue
            if problem["code"] == "bank-exists":
                return None
            raise SystemExit(f"{problem['status']} {problem['code']}: {problem['title']}")


# 1. A bank of our own.
ask("POST", "/v1/banks", {"name": "walk-py"})

# 2. A file of hashes, as other systems write them, packed. Random ones here; a line that is no hash is refused and stops nothing.
hashes = [secrets.token_hex(32) for _ in range(1000)]
lines = "\n".join(f"pdq {each}" for each in hashes) + "\nno hash\n"
report = ask("POST", "/v1/banks/walk-py/imports", gzip.compress(lines.encode()), "application/gzip")
print(f"taken {report['accepted']}, rejected {report['rejected']}: {report['rejectedFor']}")
assert report["accepted"] == 1000 and report["rejected"] == 1

# 3. What a platform asks: a copy that differs in a few bits is found all the same.
near = f"{int(hashes[0], 16) ^ 0b1011:064x}"
[result] = ask("POST", "/v1/match", {"queries": [{"signals": [{"type": "pdq", "hash": near}]}]})["results"]
print(f"found: {result['matches'][0]['grade']}, {result['matches'][0]['distanceBand']}")
assert result["matches"][0]["bank"] == "walk-py"

# 4. All of it back, in plain and on purpose; then one signal is taken away, and matches nothing from the answer on.
rows = [json.loads(row) for row in ask("POST", "/v1/banks/walk-py/exports", {"format": "ndjson", "plain": True}).splitlines()]
[first] = [row for row in rows if row.get("hash") == hashes[0]]
ask("DELETE", f"/v1/banks/walk-py/signals/{first['signalId']}")
[result] = ask("POST", "/v1/match", {"queries": [{"signals": [{"type": "pdq", "hash": hashes[0]}]}]})["results"]
assert result["matches"] == []
print("gone")
