"""The correct twins: every statement is for the tenant of the certificate."""

import json
import threading
from functools import lru_cache

from django.db import connection, transaction
from django.http import Http404

from .answers import invoices_of, listing, refused
from .identity import needs_account
from .models import Invoice, LedgerEntry, User
from .rendezvous import Rendezvous

pairs = Rendezvous()
current = threading.local()


def by_path(request, tenant):
    """Refuses before it reads anything."""
    if tenant != request.tenant.name:
        return refused("not your tenant")
    return listing(invoices_of(request.tenant.name))


def header_override(request):
    if request.headers.get("X-Tenant-Id", request.tenant.name) != request.tenant.name:
        return refused("not your tenant")
    return listing(invoices_of(request.tenant.name))


def by_key(request, key):
    try:
        return listing([Invoice.objects.get(id=key, tenant_id=request.tenant.name)])
    except Invoice.DoesNotExist:
        raise Http404


def create(request):
    number = json.loads(request.body)["number"]
    return listing([Invoice.objects.create(tenant_id=request.tenant.name, number=number, amount=1)])


def pay(request, key):
    if not Invoice.objects.filter(id=key, tenant_id=request.tenant.name).update(amount=0):
        raise Http404
    return listing([])


def thread_local(request):
    pairs.before_write(request)
    current.tenant = request.tenant.name
    pairs.after_write(request)
    return listing(invoices_of(current.tenant))


def sticky(request):
    if "fail" in request.GET:
        return refused("bad form", status=400)
    return listing(invoices_of(request.tenant.name))


@lru_cache(maxsize=1024)
def _tenant_for(tenant, key):
    return tenant


def cached(request):
    return listing(invoices_of(_tenant_for(request.tenant.name, request.GET["key"])))


@needs_account
def profile(request):
    """The same look-ups, but the profile decides nothing."""
    user = User.objects.get(username=request.headers["X-User"])
    if user.profile.organisation.name != request.tenant.name:
        return refused("profile of another tenant")
    return listing(invoices_of(request.account.tenant_id))


def ledger(request):
    """BEGIN; SET LOCAL; SELECT without a predicate, scoped by row level security; COMMIT."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL app.tenant_id = %s", [request.tenant.name])
        rows = list(LedgerEntry.objects.order_by("id"))
    return listing(rows)


def ledger_batch(request):
    """The same four statements as one text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "BEGIN; SET LOCAL app.tenant_id = %s; SELECT id, tenant_id FROM ledger_entries ORDER BY id; COMMIT",
            [request.tenant.name],
        )
    return listing([])
