"""The load test's views: correct ones, each with another pattern of statements."""

from . import correct, shared


def _list(request):
    return correct.by_path(request, request.tenant.name)


KINDS = {
    "list": _list,
    "key": lambda request: correct.by_key(request, int(request.GET["key"])),
    "pay": lambda request: correct.pay(request, int(request.GET["key"])),
    "ledger": correct.ledger,
    "batch": correct.ledger_batch,
    "plans": shared.plans,
    "health": shared.healthz,
}


def mixed(request, what):
    """Dispatches by name."""
    return KINDS[what](request)
