"""Who is asking: the client certificate, checked early, as services with mutual TLS do."""

from django.conf import settings
from django.http import JsonResponse

from .models import Account, Tenant


def common_name(environ):
    """Returns the subject's CN of the peer certificate, or "".

    gunicorn puts no certificate into the WSGI environment; its own extension "gunicorn.socket" is the connection's SSLSocket.
    """
    certificate = environ["gunicorn.socket"].getpeercert() or {}
    for rdn in certificate.get("subject", ()):
        for name, value in rdn:
            if name == "commonName":
                return value
    return ""


class IdentityMiddleware:
    """Sets request.tenant and request.operator, or refuses."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/ping":
            return self.get_response(request)
        name = common_name(request.environ)
        request.operator = name.startswith("ops-")
        if name:
            request.tenant = Tenant.objects.filter(cert_cn=name).first()
        else:
            request.tenant = Tenant.objects.filter(name=settings.DEFAULT_TENANT).first()
        if request.tenant is None and not request.operator:
            return JsonResponse({"error": "unknown certificate"}, status=403)
        return self.get_response(request)


class AccountMiddleware:
    """Loads the account of the certificate's tenant for the views that ask for it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if getattr(view, "needs_account", False):
            request.account = Account.objects.get(tenant_id=request.tenant.name)


def needs_account(view):
    """Marks a view for AccountMiddleware."""
    view.needs_account = True
    return view
