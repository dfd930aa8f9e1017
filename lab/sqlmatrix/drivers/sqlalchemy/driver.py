"""SQLAlchemy: its ORM for what an ORM can say, else a connection's own SQL: driver.py URL, as postgresql+psycopg2. The values are the driver's to bind."""
import contextlib
import os
import sys

import sqlalchemy as sa
from sqlalchemy import orm

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
import sqlm  # noqa: E402

Base = orm.declarative_base()


class Plan(Base):
    __tablename__ = "plans"
    id = sa.Column(sa.BigInteger, primary_key=True)
    name = sa.Column(sa.String)


class Invoice(Base):
    __tablename__ = "invoices"
    id = sa.Column(sa.BigInteger, primary_key=True, autoincrement=False)
    tenant_id = sa.Column(sa.String)
    number = sa.Column(sa.String)
    amount = sa.Column(sa.Integer)
    plan_id = sa.Column(sa.BigInteger)
    note = sa.Column(sa.Text)
    items = orm.relationship("Item", primaryjoin="and_(Invoice.id == foreign(Item.invoice_id), Invoice.tenant_id == foreign(Item.tenant_id))", viewonly=True)


class Item(Base):
    __tablename__ = "items"
    id = sa.Column(sa.BigInteger, primary_key=True)
    tenant_id = sa.Column(sa.String)
    invoice_id = sa.Column(sa.BigInteger)
    what = sa.Column(sa.String)


class Meter(Base):
    __tablename__ = "meters"
    id = sa.Column(sa.BigInteger, primary_key=True)
    tenant_id = sa.Column(sa.BigInteger)
    reading = sa.Column(sa.BigInteger)


class Big(Base):
    __tablename__ = "big"
    id = sa.Column(sa.BigInteger, primary_key=True)
    tenant_id = sa.Column(sa.String)
    note = sa.Column(sa.Text)


def identifiers(operations):
    """The ids of the rows that a label inserts."""
    return [int(a[2:]) for f in operations for a in f[2:] if a.startswith("i:") and len(a) > 7]


class Player(sqlm.Player):
    missing = {o: "SQLAlchemy leaves it to the driver below" for o in ("binary", "prepare", "pipe", "script", "copyin", "copyout", "loadin", "notify")}

    def __init__(self):
        place = dict(host=sqlm.HOST, port=sqlm.PORT)
        options = {}
        if sys.argv[1].startswith("postgresql"):
            if sqlm.TRANSPORT == "unix":
                place["host"] = sqlm.SOCKET
            options["sslmode"] = "require" if sqlm.TRANSPORT == "tls" else "disable"
        elif sqlm.TRANSPORT == "unix":
            options["unix_socket"] = sqlm.SOCKET
        elif sqlm.TRANSPORT == "tls":
            options["ssl"] = {"ca": sqlm.CA}
        self.engine = sa.create_engine(sa.engine.URL.create(sys.argv[1], sqlm.USER, sqlm.PASSWORD, database=sqlm.DATABASE, **place), connect_args=options)
        self.marks = []
        self.marked = 0
        sa.event.listen(self.engine, "before_cursor_execute", self.mark, retval=True)
        self.connection = self.engine.connect()
        self.transaction = None

    def mark(self, connection, cursor, statement, parameters, context, many):
        """Puts the next comment behind the first word of what the ORM makes."""
        if self.marks:
            first, _, rest = statement.partition(" ")
            statement = "%s %s %s" % (first, self.marks.pop(0), rest)
            self.marked += len(parameters) if many else 1
        return statement, parameters

    @contextlib.contextmanager
    def session(self, operations):
        """A session whose statements get the label's comments in turn; all of them must be used."""
        self.marks, self.marked = sqlm.comments(operations), 0
        with orm.Session(self.engine) as session:
            yield session
            session.commit()
        if self.marks:
            sys.exit("not used: %s" % self.marks)

    def label_bind_text(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter(Invoice.tenant_id == "acme", Invoice.amount > 0).count()
            s.query(Invoice).filter(Invoice.amount > 0, Invoice.tenant_id == "beta").count()
        return self.marked

    def label_bind_int(self, operations):
        with self.session(operations) as s:
            s.query(Meter).filter_by(tenant_id=41).count()
            s.execute(sa.select(Meter.reading).where(Meter.tenant_id == 42, Meter.id > 0)).all()
        return self.marked

    def label_any_array(self, operations):
        with self.session(operations) as s:
            tenants, numbers = sa.literal(["acme", "gamma"], sa.ARRAY(sa.String)), sa.literal([41, 42], sa.ARRAY(sa.BigInteger))
            s.execute(sa.select(sa.func.count()).select_from(Invoice).where(Invoice.tenant_id == sa.any_(tenants))).all()
            s.execute(sa.select(sa.func.count()).select_from(Meter).where(Meter.tenant_id == sa.any_(numbers))).all()
        return self.marked

    def label_in_list(self, operations):
        with self.session(operations) as s:
            s.execute(sa.select(sa.func.count()).select_from(Invoice).where(Invoice.tenant_id.in_(["acme", "beta"]))).all()
            s.execute(sa.select(sa.func.count()).select_from(Invoice).where(Invoice.tenant_id.in_([sa.literal_column("'beta'"), sa.literal_column("'gamma'")]))).all()
        return self.marked

    def label_batch_insert(self, operations):
        with self.session(operations) as s:
            s.add_all(Invoice(id=i, tenant_id="acme", number="B", amount=1) for i in identifiers(operations))
        return self.inserted()

    def inserted(self):
        """psycopg2's execute_values and MySQL's drivers make one statement of the sets, of many rows."""
        return 1

    def label_insert_returning(self, operations):
        if self.engine.dialect.name != "postgresql":
            return self.raw(operations)
        with self.session(operations) as s:
            s.execute(sa.insert(Invoice).values(id=identifiers(operations)[0], tenant_id="beta", number="R", amount=5).returning(Invoice.id, Invoice.tenant_id)).all()
        return self.marked

    def label_update(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter_by(tenant_id="acme", id=1).update({Invoice.amount: Invoice.amount + 1}, synchronize_session=False)
            s.execute(sa.update(Invoice).where(Invoice.tenant_id == sa.literal_column("'beta'"), Invoice.id == 21).values(number="x"), execution_options={"synchronize_session": False})
        return self.marked

    def label_delete(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter_by(tenant_id="gamma", number="none").delete(synchronize_session=False)
        return self.marked

    def label_update_from(self, operations):
        if self.engine.dialect.name != "postgresql":
            return self.raw(operations)
        with self.session(operations) as s:
            s.execute(sa.update(Invoice).where(Plan.id == Invoice.plan_id, Invoice.tenant_id == "beta").values(amount=Invoice.amount + 1),
                      execution_options={"synchronize_session": False})
            s.execute(sa.delete(Item).where(Invoice.id == Item.invoice_id, Invoice.tenant_id == "beta", Item.tenant_id == "beta", Item.id < 0),
                      execution_options={"synchronize_session": False})
        return self.marked

    def label_join(self, operations):
        with self.session(operations) as s:
            s.execute(sa.select(Item.what).join(Invoice, sa.and_(Invoice.id == Item.invoice_id, Invoice.tenant_id == Item.tenant_id)).where(Invoice.tenant_id == "acme")).all()
        return self.marked

    def label_left_join(self, operations):
        with self.session(operations) as s:
            s.execute(sa.select(Invoice.number, Item.what).outerjoin(Item, sa.and_(Item.invoice_id == Invoice.id, Item.tenant_id == "beta")).where(Invoice.tenant_id == "beta")).all()
        return self.marked

    def label_cte(self, operations):
        with self.session(operations) as s:
            mine = sa.select(Invoice.id, Invoice.amount).where(Invoice.tenant_id == "acme").cte("mine")
            s.execute(sa.select(sa.func.sum(mine.c.amount)).where(mine.c.id > 0)).all()
        return self.marked

    def label_sub_select(self, operations):
        with self.session(operations) as s:
            s.execute(sa.select(Item.what).where(Item.tenant_id == "gamma", Item.invoice_id.in_(sa.select(Invoice.id).where(Invoice.tenant_id == "gamma")))).all()
            counted = sa.select(sa.func.count().label("n")).select_from(Invoice).where(Invoice.tenant_id == "beta").subquery()
            s.execute(sa.select(counted.c.n)).all()
        return self.marked

    def label_union(self, operations):
        with self.session(operations) as s:
            s.execute(sa.union_all(sa.select(Invoice.number).where(Invoice.tenant_id == "acme"), sa.select(Item.what).where(Item.tenant_id == "gamma"))).all()
        return self.marked

    def label_key_lookup(self, operations):
        with self.session(operations) as s:
            s.get(Invoice, 21)
            s.execute(sa.select(Invoice.tenant_id.label("owner"), Invoice.number).where(Invoice.id == 41)).all()
        return self.marked

    def label_select_star(self, operations):
        with self.session(operations) as s:
            s.get(Invoice, 1)
            s.query(Item).filter(Item.id == 2).one()
        return self.marked

    def label_mixed_rows(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter(Invoice.id.in_([1, 21])).all()
        return self.marked

    def label_cursor(self, operations):
        with self.session(operations) as s:
            for _ in s.execute(sa.select(Invoice.id, Invoice.tenant_id).where(Invoice.tenant_id == "acme", Invoice.id < 41).execution_options(yield_per=2)).partitions(2):
                pass
            for _ in s.execute(sa.select(Invoice.id, Invoice.tenant_id).where(Invoice.id > 20, Invoice.id < 41).execution_options(yield_per=7)).partitions(7):
                pass
        return self.marked

    def label_transaction(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter_by(tenant_id="acme", id=4).update({Invoice.amount: 1}, synchronize_session=False)
            s.execute(sa.select(Invoice.tenant_id).where(Invoice.id == 4)).all()
        return self.marked

    def label_no_tenant(self, operations):
        with self.session(operations) as s:
            s.execute(sa.select(sa.literal_column("1"))).all()
            s.get(Plan, 1)
            s.query(Plan).filter_by(name="acme").all()
        return self.marked

    def label_large_row(self, operations):
        with self.session(operations) as s:
            s.get(Big, 1)
            s.query(Big).order_by(Big.id).all()
        return self.marked

    def label_unicode(self, operations):
        with self.session(operations) as s:
            s.query(Invoice).filter(Invoice.tenant_id == "münchen", Invoice.number != "ß€😀").count()
            s.execute(sa.select(Invoice.tenant_id.label("größe")).where(Invoice.id == 71)).all()
        return self.marked

    # What follows is SQL of the application's own, over a connection.

    def raw(self, operations):
        return sum(1 if n is None else n for n in (getattr(self, "do_" + f[0])(*f[1:]) for f in operations))

    def run(self, sql, args):
        values = tuple(str(v) if isinstance(v, sqlm.Json) or type(v).__name__ == "UUID" else v for v in sqlm.values(args))
        if self.transaction is None:
            with self.connection.begin():
                result = self.connection.exec_driver_sql(sql, values)
                return result.fetchall() if result.returns_rows else None
        result = self.connection.exec_driver_sql(sql, values)
        return result.fetchall() if result.returns_rows else None

    def do_query(self, sql, *args):
        self.run(sql, args)

    def do_many(self, sql, *args):
        with self.connection.begin():
            self.connection.exec_driver_sql(sql, [tuple(s) for s in sqlm.sets(args)])
        return len(sqlm.sets(args))

    def do_begin(self):
        self.transaction = self.connection.begin()
        return 0

    def do_commit(self):
        self.transaction.commit()
        self.transaction = None
        return 0

    def do_rollback(self):
        self.transaction.rollback()
        self.transaction = None
        return 0

    def do_fail(self, sql, *args):
        try:
            self.run(sql, args)
        except sa.exc.DBAPIError:
            return
        sys.exit("no error: " + sql)

    def close(self):
        self.connection.close()
        self.engine.dispose()


sqlm.play(Player)
