"""One address per flaw, next to its correct twin."""

from django.urls import path

from invoicing import correct, flawed, load, shared

urlpatterns = [
    path("ping", shared.ping),
    path("healthz", shared.healthz),
    path("pool", shared.pool_check),
    path("plans", shared.plans),
    path("ops/invoices", shared.ops_invoices),
    path("t/<str:tenant>/flawed/invoices", flawed.by_path),
    path("t/<str:tenant>/correct/invoices", correct.by_path),
    path("flawed/override", flawed.header_override),
    path("correct/override", correct.header_override),
    path("flawed/invoices", flawed.create),
    path("correct/invoices", correct.create),
    path("flawed/invoices/<int:key>", flawed.by_key),
    path("correct/invoices/<int:key>", correct.by_key),
    path("flawed/invoices/<int:key>/pay", flawed.pay),
    path("correct/invoices/<int:key>/pay", correct.pay),
    path("unscoped/invoices/<int:key>/pay", flawed.pay_by_key),
    path("flawed/global", flawed.module_global),
    path("correct/global", correct.thread_local),
    path("flawed/sticky", flawed.sticky_global),
    path("correct/sticky", correct.sticky),
    path("flawed/cached", flawed.cached),
    path("correct/cached", correct.cached),
    path("flawed/profile", flawed.profile),
    path("correct/profile", correct.profile),
    path("flawed/ledger", flawed.ledger),
    path("correct/ledger", correct.ledger),
    path("correct/ledger-batch", correct.ledger_batch),
    path("load/<str:what>", load.mixed),
]
