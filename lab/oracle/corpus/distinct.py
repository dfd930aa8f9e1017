"""Reads a server's log and prints each statement about rows or settings once, as a JSON string. Usage: distinct.py postgresql|mysql"""

import json
import re
import sys

skipped = re.compile(r"\s*(CREATE|ALTER|(RELEASE |ROLLBACK TO )?SAVEPOINT|DROP|GRANT|COMMENT|SHOW|TRUNCATE TABLE mysql|select json_quote|SELECT\s+(c\.relname|conname|.*pg_catalog|.*information_schema))", re.I | re.S)
seen = set()
for line in sys.stdin:
    try:
        statement = json.loads(line)
    except ValueError:
        continue
    if sys.argv[1] == "postgresql":
        message = statement.get("message", "")
        kind, _, statement = message.partition(": ")
        if kind != "statement" and not kind.startswith("execute"):
            continue
    if statement not in seen and not skipped.match(statement) and len(statement) < 6000:
        seen.add(statement)
        print(json.dumps(statement))
