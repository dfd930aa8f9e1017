"""Ground truth for the harness: which request each statement belongs to, and how many there were."""

import os
import re

from django.db import connection

SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


class GroundTruthMiddleware:
    """Appends the request's id to its SQL as a comment, and counts its statements."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        label = request.headers.get("X-Request-ID", "")
        comment = f" /* gt={label} */" if SAFE_ID.fullmatch(label) else ""

        def tag_and_count(execute, sql, params, many, context):
            connection.lab_statements += sum(1 for part in sql.split(";") if part.strip())
            return execute(sql + comment, params, many, context)

        connection.lab_statements = 0
        with connection.execute_wrapper(tag_and_count):
            response = self.get_response(request)
        response["X-Statement-Count"] = connection.lab_statements
        response["X-Worker-Pid"] = os.getpid()
        return response
