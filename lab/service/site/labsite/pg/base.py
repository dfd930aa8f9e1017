"""Django's PostgreSQL backend, which also counts the BEGIN and COMMIT that psycopg2 sends by itself."""

from django.db.backends.postgresql import base
from psycopg2.extensions import STATUS_IN_TRANSACTION


class DatabaseWrapper(base.DatabaseWrapper):
    """Counts in `lab_statements`; one instance belongs to one thread."""

    lab_statements = 0

    def _count_transaction(self):
        if self.connection is not None and self.connection.status == STATUS_IN_TRANSACTION:
            self.lab_statements += 2

    def _commit(self):
        self._count_transaction()
        return super()._commit()

    def _rollback(self):
        self._count_transaction()
        return super()._rollback()
