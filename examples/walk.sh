#!/bin/sh
# The banks API with curl alone.
#
#   TABIR_URL=http://127.0.0.1:8080 TABIR_API_KEY=… sh examples/walk.sh
#
# The key needs the scopes signals:write, match and feed.
set -eu
url="${TABIR_URL:-http://127.0.0.1:8080}"
# A busy server says 429 or 503 and when to come back; curl waits for that by itself.
ask() { curl --retry 5 --silent --show-error --fail-with-body -H "Authorization: Bearer $TABIR_API_KEY" "$@"; }
json='Content-Type: application/json'

hash="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"

echo '1. a bank'
ask "$url/v1/banks" -H "$json" -d '{"name":"walk-sh"}'; echo

echo '2. a file of hashes'
printf 'pdq %s\n' "$hash" | ask "$url/v1/banks/walk-sh/imports" -H 'Content-Type: text/plain' --data-binary @-; echo

echo '3. a question'
found="$(ask "$url/v1/match" -H "$json" -d "{\"queries\":[{\"signals\":[{\"type\":\"pdq\",\"hash\":\"$hash\"}]}]}")"
echo "$found"
echo "$found" | grep -q '"distanceBand":"0"'

echo '4. all of it back'
ask "$url/v1/banks/walk-sh/exports" -H "$json" -d '{"format":"lines","plain":true}' | grep -c "pdq $hash"
