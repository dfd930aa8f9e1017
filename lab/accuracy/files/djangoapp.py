"""The service on Django's ASGI: sync views run in threads (asgiref), async views on the loop. The sessions are Django's own."""
import contextlib
import os
import threading

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection as database
from django.db import transaction as transactions
from django.http import HttpResponse
from django.urls import path

import blocking
import truth

settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False,
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": "lab", "USER": "lab_app", "PASSWORD": os.environ["ACCURACY_PASSWORD"],
        "HOST": os.environ["ACCURACY_HOST"], "PORT": os.environ["ACCURACY_PORT"], "OPTIONS": {"sslmode": os.environ["ACCURACY_SSLMODE"]},
        "CONN_MAX_AGE": 600 if blocking.POOL == "application" else 0, "DISABLE_SERVER_SIDE_CURSORS": True,
    }},
)
django.setup()


@contextlib.contextmanager
def session():
    yield database


@contextlib.contextmanager
def transaction(connection):
    with transactions.atomic(), connection.cursor() as cursor:
        yield cursor


def work(ask):
    blocking.work(ask, session, transaction)


def respond(ask):
    if ask.after:
        threading.Thread(target=blocking.later, args=(ask,)).start()
    response = HttpResponse(ask.answer())
    for name, value in ask.fields():
        response[name] = value
    return response


def asked(request):
    return truth.Ask(request.META["QUERY_STRING"], lambda name: request.headers.get(name, ""))


def sync(request):
    ask = asked(request)
    work(ask)
    return respond(ask)


async def asynchronous(request):
    ask = asked(request)
    await sync_to_async(work)(ask)
    await sync_to_async(blocking.listing, thread_sensitive=False)(ask, 5, "sync_to_async")
    return respond(ask)


urlpatterns = [path("sync", sync), path("async", asynchronous)]
blocking.begin()
app = get_asgi_application()
