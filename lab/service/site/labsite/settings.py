"""Settings of the lab's service; everything that varies comes from the environment."""

import os

SECRET_KEY = os.environ["LAB_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "labsite.urls"
WSGI_APPLICATION = "labsite.wsgi.application"
INSTALLED_APPS = ["invoicing"]
MIDDLEWARE = [
    "invoicing.groundtruth.GroundTruthMiddleware",
    "invoicing.identity.IdentityMiddleware",
    "invoicing.identity.AccountMiddleware",
]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
TIME_ZONE = "UTC"  # as the server's: Django then sends no SET on connect

DATABASES = {
    "default": {
        "ENGINE": "labsite.pg",
        "NAME": "lab",
        "USER": "lab_app",
        "PASSWORD": os.environ["LAB_DB_PASSWORD"],
        "HOST": os.environ["LAB_DB_HOST"],  # an address, or the directory of a unix socket
        "PORT": os.environ["LAB_DB_PORT"],
        "CONN_MAX_AGE": int(os.environ["LAB_CONN_MAX_AGE"]),
        "OPTIONS": {
            "sslmode": os.environ["LAB_DB_SSLMODE"],
            "application_name": os.environ["LAB_NAME"],
        },
    }
}

# The tenant of a request without a certificate; empty: none, and it is refused.
DEFAULT_TENANT = os.environ.get("LAB_DEFAULT_TENANT", "")

LOGGING_CONFIG = None
