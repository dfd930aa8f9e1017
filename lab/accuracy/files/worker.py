"""A worker that does jobs in a process of its own, as task queues have it. A job is a file with the tenant's name."""
import os
import sys
import time

import blocking
import truth

jobs = sys.argv[1]
connection = blocking.connect()
with connection.cursor() as cursor:
    while True:
        for name in sorted(os.listdir(jobs)):
            path = os.path.join(jobs, name)
            with open(path) as file:
                tenant = file.read()
            if not tenant:
                continue  # it is being written
            os.unlink(path)
            cursor.execute(f"/* gt=background n=1 t={tenant} k=job */ {truth.LIST.replace('%s', truth.quote(tenant))}")
            cursor.fetchall()
        time.sleep(0.02)
