"""What the views answer: the rows, with the tenant whose they are."""

from django.http import JsonResponse

from .models import Invoice

PAGE = 20


def invoices_of(tenant):
    """A page of one tenant's invoices."""
    return Invoice.objects.filter(tenant_id=tenant).order_by("id")[:PAGE]


def listing(rows):
    """A list of rows as JSON."""
    return JsonResponse({"rows": [{"id": row.id, "tenant": row.tenant_id} for row in rows]})


def refused(reason, status=403):
    """An answer without rows."""
    return JsonResponse({"error": reason}, status=status)
