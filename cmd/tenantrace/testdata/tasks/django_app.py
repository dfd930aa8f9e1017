"""Django's ASGI: sync views run in threads (asgiref), async views on the loop."""
import asyncio

import django
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

import kinds


def sync(request):
    gt = request.headers["x-request-id"]
    kinds.blocking(gt, "sync_view")
    kinds.blocking(gt, "sync_view")
    async_to_sync(nested)(gt)
    return HttpResponse("ok")


async def nested(gt):
    await sync_to_async(kinds.blocking)(gt, "async_to_sync")


async def asynchronous(request):
    gt = request.headers["x-request-id"]
    await sync_to_async(kinds.blocking)(gt, "sync_to_async")
    await sync_to_async(kinds.blocking, thread_sensitive=False)(gt, "sync_to_async_pool")
    await kinds.work(gt)
    return HttpResponse("ok")


settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False)
django.setup()
urlpatterns = [path("sync", sync), path("async", asynchronous)]
app = get_asgi_application()
