"""What belongs to no tenant, and what operators may see of all."""

from django.db import connection
from django.http import HttpResponse, JsonResponse

from .answers import listing, refused
from .models import Invoice, Plan, Tenant


def ping(request):
    """Is the service up? No statement, no identity."""
    return HttpResponse("pong")


def healthz(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok")


def pool_check(request):
    """What a connection pool's check sends: an empty transaction."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("COMMIT")
    return HttpResponse("ok")


def plans(request):
    """Shared look-ups: plans, and the tenant directory."""
    names = [plan.name for plan in Plan.objects.order_by("id")]
    mine = Tenant.objects.select_related("plan").get(cert_cn=request.tenant.cert_cn)
    return JsonResponse({"plans": names, "mine": mine.plan.name})


def ops_invoices(request):
    """The operators' list, as an admin site shows it: all tenants."""
    if not request.operator:
        return refused("operators only")
    return listing(Invoice.objects.order_by("tenant_id", "id"))
