"""A Django site around Django OAuth Toolkit: settings, one page of its own, and a journal. Runs in a child process."""

from __future__ import annotations

import json
import os

import django
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import include, path

GIVEN = json.loads(os.environ["SETTINGS"])


def journal(get_response):
    """Write down what the token endpoint answered."""

    def noted(request):
        answer = get_response(request)
        if request.path == "/o/token/":
            body = json.loads(answer.content) if answer["Content-Type"].startswith("application/json") else {}
            line = {
                "event": "grant.success" if answer.status_code == 200 else "grant.error",
                "grant_type": request.POST.get("grant_type"),
                "client": request.POST.get("client_id"),
                "error": body.get("error"),
                "detail": body.get("error_description"),
            }
            with open(GIVEN["journal"], "a") as file:  # noqa: PTH123 - one short line at once, from several threads
                file.write(json.dumps(line) + "\n")
        return answer

    return noted


settings.configure(
    SECRET_KEY="not-a-secret",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGIN_URL="/admin/login/",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": GIVEN["database"],
            # Several threads write: each waits for its turn at the beginning of its transaction.
            "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.admin",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        f"{__name__}.journal",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    # The slowness of real passwords is not what is tested.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    OAUTH2_PROVIDER={
        "SCOPES": {"read": "read", "write": "write", "introspection": "introspect tokens"},
        "DEFAULT_SCOPES": ["read"],
        "PKCE_REQUIRED": True,
        "ACCESS_TOKEN_EXPIRE_SECONDS": GIVEN["lifetime"],
        "ROTATE_REFRESH_TOKEN": GIVEN["rotate"],
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": GIVEN["grace"],
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
    },
)
django.setup()

from oauth2_provider.decorators import protected_resource  # noqa: E402 - wants the settings
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.urls import metadata_urlpatterns  # noqa: E402


@protected_resource(scopes=["read"], advertise_metadata=True)
def me(request):
    """Say whose token this is; a client-credentials token is nobody's."""
    user = request.resource_owner
    return JsonResponse({"user": user.username if user else None})


urlpatterns = [
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("api/me", me),
    *metadata_urlpatterns,
]


def fill():
    """Make the tables, the user and the applications."""
    call_command("migrate", verbosity=0)
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = GIVEN["password"]
    call_command("createsuperuser", interactive=False, username=GIVEN["login"], email="ann@example.test", verbosity=0)
    grants = {"app": "authorization-code", "public": "authorization-code", "machine": "client-credentials"}
    for client, grant in grants.items():
        Application.objects.create(
            name=client,
            client_id=client,
            client_secret="" if client == "public" else GIVEN["secret"],
            client_type="public" if client == "public" else "confidential",
            authorization_grant_type=grant,
            redirect_uris=" ".join(GIVEN["callbacks"]) if grant == "authorization-code" else "",
        )


if __name__ == "__main__":
    import waitress

    fill()
    waitress.serve(get_wsgi_application(), listen=f"127.0.0.1:{GIVEN['port']}", threads=8)
