"""Django: its ORM for what an ORM can say, else a cursor's own SQL. The engine is SQLM_ENGINE's; the values are the driver's to bind (psycopg2, mysqlclient)."""
import contextlib
import os
import sys

import django
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, F, Q
from django.db.utils import Error

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402

POSTGRES = sqlm.ENGINE == "postgres"


def database():
    place = dict(HOST=sqlm.HOST, PORT=sqlm.PORT)
    options = {}
    if POSTGRES:
        options["sslmode"] = "require" if sqlm.TRANSPORT == "tls" else "disable"
    else:
        options["charset"] = "utf8mb4"
        if sqlm.TRANSPORT == "tls":
            options["ssl"] = {"ca": sqlm.CA}
    if sqlm.TRANSPORT == "unix":
        place["HOST"] = sqlm.SOCKET
    return dict(ENGINE="django.db.backends.postgresql" if POSTGRES else "django.db.backends.mysql", NAME=sqlm.DATABASE, USER=sqlm.USER, PASSWORD=sqlm.PASSWORD,
                OPTIONS=options, **place)


settings.configure(DATABASES={"default": database()}, INSTALLED_APPS=[], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()


class Plan(models.Model):
    id = models.BigIntegerField(primary_key=True)
    name = models.TextField()

    class Meta:
        app_label, db_table = "matrix", "plans"


class Invoice(models.Model):
    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.TextField(null=True)
    number = models.TextField()
    amount = models.IntegerField()
    plan = models.ForeignKey(Plan, models.DO_NOTHING, null=True)
    note = models.TextField(null=True)

    class Meta:
        app_label, db_table = "matrix", "invoices"


class Item(models.Model):
    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.TextField()
    invoice = models.ForeignKey(Invoice, models.DO_NOTHING)
    what = models.TextField()

    class Meta:
        app_label, db_table = "matrix", "items"


class Meter(models.Model):
    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.BigIntegerField()
    reading = models.BigIntegerField()

    class Meta:
        app_label, db_table = "matrix", "meters"


class Paper(models.Model):
    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.UUIDField()
    title = models.TextField()

    class Meta:
        app_label, db_table = "matrix", "papers"


class Big(models.Model):
    id = models.BigIntegerField(primary_key=True)
    tenant_id = models.TextField()
    note = models.TextField()

    class Meta:
        app_label, db_table = "matrix", "big"


def identifiers(operations):
    """The ids of the rows that a label inserts."""
    return [int(a[2:]) for f in operations for a in f[2:] if a.startswith("i:") and len(a) > 7]


class Player(sqlm.Player):
    missing = {o: "Django leaves it to the driver below" for o in ("binary", "prepare", "pipe", "copyin", "copyout", "loadin", "notify")}
    if not POSTGRES:
        missing["script"] = "Django's connection to MySQL takes no multi statements"

    def __init__(self):
        self.marks = []
        self.marked = 0
        self.transaction = None
        connection.ensure_connection()

    def mark(self, execute, sql, params, many, context):
        """Puts the next comment behind the first word of what the ORM makes."""
        if self.marks and not sql.startswith(("SAVEPOINT", "RELEASE")):
            first, _, rest = sql.partition(" ")
            sql = "%s %s %s" % (first, self.marks.pop(0), rest)
            self.marked += 1
        return execute(sql, params, many, context)

    @contextlib.contextmanager
    def marks_of(self, operations):
        """Statements get the label's comments in turn; all of them must be used."""
        self.marks, self.marked = sqlm.comments(operations), 0
        with connection.execute_wrapper(self.mark):
            yield
        if self.marks:
            sys.exit("not used: %s" % self.marks)

    def label_bind_text(self, operations):
        with self.marks_of(operations):
            Invoice.objects.filter(tenant_id="acme", amount__gt=0).count()
            Invoice.objects.filter(amount__gt=0).filter(tenant_id="beta").count()
        return self.marked

    def label_bind_int(self, operations):
        with self.marks_of(operations):
            Meter.objects.filter(tenant_id=41).count()
            list(Meter.objects.filter(tenant_id=42, id__gt=0).values_list("reading"))
        return self.marked

    def label_in_list(self, operations):
        with self.marks_of(operations):
            Invoice.objects.filter(tenant_id__in=["acme", "beta"]).count()
            Invoice.objects.filter(tenant_id__in=["beta", "gamma"]).aggregate(Count("id"))
        return self.marked

    def label_batch_insert(self, operations):
        with self.marks_of(operations):
            Invoice.objects.bulk_create(Invoice(id=i, tenant_id="acme", number="B", amount=1) for i in identifiers(operations))
        return self.marked

    def label_update(self, operations):
        with self.marks_of(operations):
            Invoice.objects.filter(tenant_id="acme", id=1).update(amount=F("amount") + 1)
            Invoice.objects.filter(tenant_id="beta", id=21).update(number="x")
        return self.marked

    def label_delete(self, operations):
        with self.marks_of(operations):
            Invoice.objects.filter(tenant_id="gamma", number="none")._raw_delete("default")
        return self.marked

    def label_join(self, operations):
        with self.marks_of(operations):
            list(Item.objects.filter(invoice__tenant_id="acme", tenant_id=F("invoice__tenant_id")).values_list("what"))
        return self.marked

    def label_sub_select(self, operations):
        with self.marks_of(operations):
            list(Item.objects.filter(tenant_id="gamma", invoice__in=Invoice.objects.filter(tenant_id="gamma")).values_list("what"))
            Invoice.objects.filter(tenant_id="beta").distinct().count()
        return self.marked

    def label_union(self, operations):
        with self.marks_of(operations):
            list(Invoice.objects.filter(tenant_id="acme").values_list("number").union(Item.objects.filter(tenant_id="gamma").values_list("what"), all=True))
        return self.marked

    def label_key_lookup(self, operations):
        with self.marks_of(operations):
            Invoice.objects.get(id=21)
            list(Invoice.objects.filter(id=41).annotate(owner=F("tenant_id")).values_list("owner", "number"))
        return self.marked

    def label_select_star(self, operations):
        with self.marks_of(operations):
            Invoice.objects.get(pk=1)
            Item.objects.get(pk=2)
        return self.marked

    def label_mixed_rows(self, operations):
        with self.marks_of(operations):
            list(Invoice.objects.filter(id__in=[1, 21]))
        return self.marked

    def label_cursor(self, operations):
        with self.marks_of(operations), transaction.atomic():
            list(Invoice.objects.filter(tenant_id="acme", id__lt=41).iterator(chunk_size=2))
            list(Invoice.objects.filter(id__gt=20, id__lt=41).iterator(chunk_size=7))
        return self.marked

    def label_transaction(self, operations):
        with self.marks_of(operations), transaction.atomic():
            Invoice.objects.filter(tenant_id="acme", id=4).update(amount=1)
            Invoice.objects.filter(id=4).values_list("tenant_id").get()
        return self.marked

    def label_no_tenant(self, operations):
        with self.marks_of(operations):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            Plan.objects.get(id=1)
            list(Plan.objects.filter(name="acme"))
        return self.marked

    def label_unscoped(self, operations):
        with self.marks_of(operations):
            Invoice.objects.count()
            list(Invoice.objects.filter(id=21).values_list("number"))
            Invoice.objects.exclude(tenant_id="acme").count()
            Invoice.objects.filter(Q(tenant_id="acme") | Q(amount=3)).count()
        return self.marked

    def label_large_row(self, operations):
        with self.marks_of(operations):
            Big.objects.get(id=1)
            list(Big.objects.order_by("id"))
        return self.marked

    def label_unicode(self, operations):
        with self.marks_of(operations):
            Invoice.objects.filter(tenant_id="münchen").exclude(number="ß€😀").count()
            list(Invoice.objects.filter(id=71).annotate(größe=F("tenant_id")).values_list("größe"))
        return self.marked

    def label_bind_uuid(self, operations):
        if not POSTGRES:  # Django keeps UUIDs there as text without hyphens
            return sum(1 if n is None else n for n in (self.do_query(*f[1:]) for f in operations))
        with self.marks_of(operations):
            for f in operations:
                list(Paper.objects.filter(tenant_id=f[2][2:]).values_list("title"))
        return self.marked

    # What follows is SQL of the application's own.

    def run(self, sql, args):
        values = [str(v) if isinstance(v, sqlm.Json) or type(v).__name__ == "UUID" else v for v in sqlm.values(args)]
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else None

    def do_query(self, sql, *args):
        self.run(sql, args)

    def do_script(self, sql):
        self.run(sql, ())
        return sql.count("/*")

    def do_many(self, sql, *args):
        with connection.cursor() as cursor:
            cursor.executemany(sql, sqlm.sets(args))
        return len(sqlm.sets(args))

    def do_begin(self):
        transaction.set_autocommit(False)
        return 0

    def do_commit(self):
        transaction.commit()
        transaction.set_autocommit(True)
        return 0

    def do_rollback(self):
        transaction.rollback()
        transaction.set_autocommit(True)
        return 0

    def do_fail(self, sql, *args):
        try:
            self.run(sql, args)
        except Error:
            return
        sys.exit("no error: " + sql)

    def close(self):
        connection.close()


sqlm.play(Player)
