"""What Django's ORM sends: the lab's models and some with more kinds of columns and relations, queried in many ways. Every choice is seeded.

Usage: django_orm.py postgresql|mysql SOCKET_DIRECTORY_OR_FILE LAB_SITE
"""

import datetime
import random
import sys

import django
from django.conf import settings

engine, where, site = sys.argv[1:4]
sys.path.insert(0, site)
options = {"HOST": where} if engine == "postgresql" else {"OPTIONS": {"unix_socket": where}}
settings.configure(
    INSTALLED_APPS=["invoicing", "django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends." + engine, "NAME": "orm", "USER": "postgres" if engine == "postgresql" else "root", **options}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
    DEFAULT_TENANT="",
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Sum, Value, When, Window  # noqa: E402
from django.db.models.functions import Coalesce, Concat, Lower, Rank, TruncMonth  # noqa: E402
from invoicing.models import Account, Invoice, LedgerEntry, Plan, Tenant  # noqa: E402


class Tag(models.Model):
    tenant_id = models.CharField(max_length=40)
    name = models.CharField(max_length=40)

    class Meta:
        app_label = "invoicing"
        unique_together = [("tenant_id", "name")]


class Customer(models.Model):
    tenant_id = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    data = models.JSONField(default=dict)
    since = models.DateField(default=datetime.date(2026, 1, 1))

    class Meta:
        app_label = "invoicing"


class Order(models.Model):
    tenant_id = models.CharField(max_length=40)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    state = models.CharField(max_length=10, default="new")
    tags = models.ManyToManyField(Tag)
    created = models.DateTimeField(default=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc))

    class Meta:
        app_label = "invoicing"


class Line(models.Model):
    tenant_id = models.CharField(max_length=40)
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    text = models.TextField(null=True)
    amount = models.IntegerField(default=1)

    class Meta:
        app_label = "invoicing"


def make_tables():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Plan, Tenant, Account, Invoice, LedgerEntry, Tag, Customer, Order, Line):
            editor.create_model(model)


rng = random.Random(7)
tenants = ["acme", "beta", "gamma", "O'Neil & Söhne", 'quo"te', "back\\slash", "100%", "x;y", "-- z", "d$$r"]
states = ["new", "paid", "void"]


def tenant():
    return rng.choice(tenants)


def q(model, depth=0):
    """A random condition."""
    choice = rng.randrange(14)
    if choice < 5:
        return Q(tenant_id=tenant())
    if choice == 5:
        return Q(tenant_id__in=rng.sample(tenants, rng.randrange(1, 4)))
    if choice == 6 and depth < 2:
        return q(model, depth + 1) | q(model, depth + 1)
    if choice == 7 and depth < 2:
        return ~q(model, depth + 1)
    if choice == 8 and depth < 3:
        return q(model, depth + 1) & q(model, depth + 1)
    if choice == 9:
        return Q(tenant_id__isnull=rng.random() < 0.5)
    if choice == 10:
        return rng.choice([Q(tenant_id__startswith="a"), Q(tenant_id__iexact="ACME"), Q(tenant_id__gt="b"), Q(tenant_id__regex="^a"), Q(tenant_id__contains="%")])
    if model is Order:
        return rng.choice([
            Q(customer__tenant_id=tenant()), Q(customer__tenant_id=F("tenant_id")), Q(lines__tenant_id=tenant()), Q(tags__name="x", tags__tenant_id=tenant()),
            Q(total__gt=5), Q(state__in=states[:2]), Q(customer__name__icontains="o'b"), Q(customer__data__tenant_id=tenant()), Q(created__year=2026), Q(pk__in=[]),
        ])
    if model is Line:
        return rng.choice([
            Q(order__tenant_id=F("tenant_id")), Q(order__customer__tenant_id=tenant()), Q(text__isnull=True), Q(text="it's \\ \n"), Q(amount__range=(1, 5)),
        ])
    return rng.choice([Q(pk=rng.randrange(1, 90)), Q(pk__in=[1, 2, 3]), ~Q(pk=4), Q(pk__lt=9)])


def run(queryset):
    list(queryset[: rng.randrange(1, 30)] if rng.random() < 0.5 else queryset)


def reads(model):
    base = model.objects.filter(q(model), q(model))
    choice = rng.randrange(20)
    if choice == 0:
        base.count()
    elif choice == 1:
        base.exists()
    elif choice == 2:
        base.first()
    elif choice == 3:
        base.aggregate(Max("pk"), n=Count("pk"), t=Min("tenant_id"))
    elif choice == 4:
        run(base.values("tenant_id").annotate(n=Count("pk")).filter(n__gt=1).order_by("-n"))
    elif choice == 5:
        run(base.exclude(q(model)).order_by("-pk"))
    elif choice == 6:
        run(base.distinct())
    elif choice == 7:
        run(base.union(model.objects.filter(q(model)), all=rng.random() < 0.5))
    elif choice == 8:
        run(base.filter(Exists(Customer.objects.filter(q(Customer), tenant_id=OuterRef("tenant_id")))))
    elif choice == 9:
        run(base.filter(pk__in=model.objects.filter(q(model)).values("pk")))
    elif choice == 10:
        run(base.filter(tenant_id__in=Tenant.objects.filter(name=tenant()).values("name")))
    elif choice == 11:
        run(base.annotate(last=Subquery(Order.objects.filter(tenant_id=OuterRef("tenant_id")).order_by("-pk").values("state")[:1])))
    elif choice == 12:
        run(base.annotate(r=Window(Rank(), partition_by=[F("tenant_id")], order_by=F("pk").desc())))
    elif choice == 13:
        run(base.annotate(k=Case(When(q(model), then=Value(1)), default=Value(0), output_field=models.IntegerField())).filter(k=1))
    elif choice == 14:
        run(base.annotate(low=Lower("tenant_id"), both=Concat("tenant_id", Value("/"), "tenant_id")).filter(low="acme"))
    elif choice == 15:
        with transaction.atomic():
            run(base.select_for_update())
    elif choice == 16:
        list(base.values_list("pk", "tenant_id").iterator(chunk_size=10))
    elif choice == 17 and model is Order:
        run(base.select_related("customer").prefetch_related("lines", "tags"))
    elif choice == 18 and model is Order:
        run(base.annotate(s=Coalesce(Sum("lines__amount", filter=Q(lines__tenant_id=tenant())), 0), m=TruncMonth("created")).filter(s__gte=0))
    elif choice == 19 and model is Line:
        run(base.select_related("order__customer"))
    else:
        run(base)


def writes(model):
    chosen = model.objects.filter(q(model))
    choice = rng.randrange(12)
    if choice == 0 and model in (Tag, Customer):
        model.objects.create(tenant_id=tenant(), name="n%d" % rng.randrange(10**6))
    elif choice == 1 and model in (Tag, Customer):
        model.objects.bulk_create([model(tenant_id=tenant(), name="b%d" % rng.randrange(10**9)) for _ in range(rng.randrange(1, 4))], ignore_conflicts=rng.random() < 0.5)
    elif choice == 2 and model is Tag:
        model.objects.get_or_create(tenant_id=tenant(), name=rng.choice("abc"))
    elif choice == 3 and model is Customer:
        one = model.objects.filter(tenant_id=tenant()).first()
        model.objects.update_or_create(pk=one.pk if one else None, tenant_id=tenant(), defaults={"name": "it's"})
    elif choice == 4 and model is Order:
        customer = Customer.objects.filter(tenant_id=tenant()).first()
        if customer:
            order = customer.orders.create(tenant_id=customer.tenant_id, total="5.20")
            order.lines.create(tenant_id=order.tenant_id, text="a 'b' \\ c")
            tag, _ = Tag.objects.get_or_create(tenant_id=order.tenant_id, name="x")
            order.tags.add(tag)
    elif choice == 5 and model is Line:
        chosen.update(amount=F("amount") + 1)
    elif choice == 6 and model is Order:
        chosen.update(state=rng.choice(states), total=Case(When(q(Order, 2), then=Value(1)), default=F("total")))
    elif choice == 7:
        some = list(chosen[:3])
        for one in some:
            one.tenant_id = tenant()
        if some:
            model.objects.bulk_update(some, ["tenant_id"])
    elif choice == 8:
        one = chosen.first()
        if one:
            one.save()
            one.refresh_from_db()
    elif choice == 9:
        chosen.filter(pk__lt=3).delete()
    elif choice == 10:
        chosen.filter(pk__gt=10**6).update(tenant_id=tenant())
    else:
        chosen._raw_delete("default") if model is Line and rng.random() < 0.2 else chosen.count()


def lab():
    """What the lab's service does."""
    with connection.cursor() as cursor:
        for name in tenants:
            found = Tenant.objects.select_related("plan").filter(cert_cn=name + "-client").first()
            list(Invoice.objects.filter(tenant_id=name).order_by("id")[:20])
            Invoice.objects.filter(tenant_id=name, pk=7).update(amount=F("amount") + 1)
            Invoice.objects.create(tenant_id=name, number="N-1", amount=5)
            Account.objects.filter(tenant_id=name).exists()
            list(LedgerEntry.objects.all())
            list(Invoice.objects.raw("SELECT * FROM invoices WHERE tenant_id = %s", [name]))
            if engine == "postgresql":
                cursor.execute("SELECT set_config('app.tenant_id', %s, false)", [name])
                cursor.execute("SET app.tenant_id = %s", [name])
                with transaction.atomic():
                    cursor.execute("SET LOCAL app.tenant_id = %s", [name])
            else:
                cursor.execute("SET @tenant_id = %s", [name])
                cursor.execute("SELECT * FROM invoices WHERE tenant_id = @tenant_id")
            del found
    User.objects.create_user("mia").groups.count()
    User.objects.filter(username="mia").delete()


make_tables()
plan = Plan.objects.create(name="free", monthly_cents=0)
for name in tenants:
    Tenant.objects.create(name=name, cert_cn=name + "-client", plan=plan)
    customer = Customer.objects.create(tenant_id=name, name="c", data={"tenant_id": name})
    order = Order.objects.create(tenant_id=name, customer=customer)
    Line.objects.create(tenant_id=name, order=order)
lab()
for _ in range(1400):
    model = rng.choice([Order, Order, Line, Customer, Tag, Invoice, Account])
    try:
        with transaction.atomic():
            reads(model) if rng.random() < 0.75 else writes(model)
    except (django.core.exceptions.FieldError, django.db.Error, django.core.exceptions.EmptyResultSet, TypeError, ValueError):
        pass  # a combination that the ORM or the server refuses
