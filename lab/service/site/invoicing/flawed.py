"""The faults: each view trusts something else than the identity that the middleware has checked."""

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
active = threading.local()
current_tenant = None  # one for all threads
sticky_tenant = None  # one for all requests of the process


def by_path(request, tenant):
    """The path says which tenant; nobody compares it with the certificate."""
    return listing(invoices_of(tenant))


def header_override(request):
    """A header meant for support staff works for everybody."""
    return listing(invoices_of(request.headers.get("X-Tenant-Id", request.tenant.name)))


def by_key(request, key):
    """A primary key is taken for a permission."""
    try:
        return listing([Invoice.objects.get(id=key)])
    except Invoice.DoesNotExist:
        raise Http404


def create(request):
    """The body says whose the new invoice is."""
    body = json.loads(request.body)
    row = Invoice.objects.create(tenant_id=body["tenant"], number=body["number"], amount=1)
    return listing([row])


def pay(request, key):
    """The body says whose invoice is changed."""
    tenant = json.loads(request.body)["tenant"]
    if not Invoice.objects.filter(id=key, tenant_id=tenant).update(amount=0):
        raise Http404
    return listing([])


def pay_by_key(request, key):
    """Changes by primary key alone: wrong, but no tenant is to be seen on the wire."""
    Invoice.objects.filter(id=key).update(amount=0)
    return listing([])


def module_global(request):
    """The current tenant lives in the module: another thread's request replaces it."""
    global current_tenant
    pairs.before_write(request)
    current_tenant = request.tenant.name
    pairs.after_write(request)
    return listing(invoices_of(current_tenant))


def sticky_global(request):
    """The current tenant lives in the module, and an early return forgets to reset it."""
    global sticky_tenant
    if sticky_tenant is None:
        sticky_tenant = request.tenant.name
    if "fail" in request.GET:
        return refused("bad form", status=400)
    rows = list(invoices_of(sticky_tenant))
    sticky_tenant = None
    return listing(rows)


@lru_cache(maxsize=1024)
def _tenant_for(key):
    return active.tenant


def cached(request):
    """A cached function finds the tenant in the thread's context, so the cache's key lacks it."""
    active.tenant = request.tenant.name
    return listing(invoices_of(_tenant_for(request.GET["key"])))


@needs_account
def profile(request):
    """The middleware has checked one tenant; the view uses the one of the user's profile."""
    user = User.objects.get(username=request.headers["X-User"])
    return listing(invoices_of(user.profile.organisation.name))


def ledger(request):
    """A parameter says which tenant row level security lets through."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL app.tenant_id = %s", [request.GET["tenant"]])
        rows = list(LedgerEntry.objects.order_by("id"))
    return listing(rows)
