"""One settings file, driven by the environment, that fails loudly. Every variable stands in `.env.example`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env

from clinic_crm.content_policy import POLICY

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules
env = Env()
if not TESTING:  # the suite stands on its own, whatever a developer keeps in .env
    env.read_env(str(BASE_DIR / ".env"), recurse=False)
VAR_DIR = Path(env.str("VAR_DIR", "") or BASE_DIR / "var")


def secret(name: str, default: str | None = None) -> str:
    """The variable, or the contents of the file that `NAME_FILE` names (container secrets)."""
    file = env.str(f"{name}_FILE", "")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return env.str(name) if default is None else env.str(name, default)


# --- Core -----------------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
DEMO = env.bool("DEMO", TESTING)
SECRET_KEY = secret("SECRET_KEY", "test-only-key-" + "0" * 40) if TESTING else secret("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES: frozenset[str] = frozenset(env.list("TRUSTED_PROXIES", []))
ROOT_URLCONF = "clinic_crm.urls"
WSGI_APPLICATION = "clinic_crm.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "template_partials",
    "csp",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "staff",
    "patients",
    "messaging",
    "funnel",
    "loyalty",
    "analytics",
    "followup",
    "reception",
    "mis",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",  # before WhiteNoise: files of /static/ carry the policy too
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "staff.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "staff.middleware.StaffMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "staff.context.shell",
            ],
            "builtins": ["core.templatetags.look"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database and broker --------------------------------------------------------------------------------------------
SQLITE_OPTIONS = {
    # Defaults gave "database is locked" under 8 writers: writers queue for the lock at BEGIN instead of failing late.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-65536;",
}
DATABASE_URL = secret("DATABASE_URL", "")
if DATABASE_URL:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=600, conn_health_checks=True)}
else:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    DATABASES = {"default": dj_database_url.parse(f"sqlite:///{VAR_DIR / 'clinic.sqlite3'}", conn_max_age=600)}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:  # compiling our long statements (jit) costs half a second each and saves milliseconds
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")

REDIS_URL = secret("REDIS_URL", "")
BROKER_DIR = VAR_DIR / "broker"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": 3600}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    for name in ("queue", "control"):
        (BROKER_DIR / name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "embedded://localhost"  # core.broker
    # Over this broker forked children share one lock: a child that is killed takes it along, and the worker stands still.
    CELERY_WORKER_POOL, CELERY_WORKER_CONCURRENCY = "threads", 4
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "store_processed": False,
    }
    # A cache per process would give every web process its own throttle counters.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

TICK_SECONDS = env.float("TICK_SECONDS", 60.0)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- Sending --------------------------------------------------------------------------------------------------------
EMAIL_URL = secret("EMAIL_URL", "")
EMAIL_FROM = env.str("EMAIL_FROM", "clinic@localhost")
SMS_GATEWAY_URL = secret("SMS_GATEWAY_URL", "").rstrip("/")
SMS_SCHEMES = ("http", "https", "smsc+http", "smsc+https", "smpp", "smpps")  # which contract the provider speaks
if SMS_GATEWAY_URL and SMS_GATEWAY_URL.partition("://")[0] not in SMS_SCHEMES:
    raise ImproperlyConfigured(f"SMS_GATEWAY_URL must begin with one of {', '.join(SMS_SCHEMES)}")
SMS_GATEWAY_SECRET = secret("SMS_GATEWAY_SECRET", "")
SMS_SENDER = env.str("SMS_SENDER", "CLINIC")
SMS_GATEWAY_DEDUPE = env.str("SMS_GATEWAY_DEDUPE", "key")  # key, lookup, window or none: what the provider honours
SMS_GATEWAY_KEY_SECONDS = env.int("SMS_GATEWAY_KEY_SECONDS", 3600)  # how long it remembers an idempotency key
SMS_GATEWAY_SETTLE_SECONDS = env.int("SMS_GATEWAY_SETTLE_SECONDS", 30)  # its own processing time, before a look-up
EMAIL_RETURN_PATH = env.str("EMAIL_RETURN_PATH", "")  # where bounces go; empty = to EMAIL_FROM
BOUNCES_URL = secret("BOUNCES_URL", "")
TELEGRAM_BOT_TOKEN = secret("TELEGRAM_BOT_TOKEN", "")
TELEGRAM_BOT_NAME = env.str("TELEGRAM_BOT_NAME", "").lstrip("@")
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", "https://api.telegram.org").rstrip("/")
TELEGRAM_WEBHOOK_SECRET = secret("TELEGRAM_WEBHOOK_SECRET", "")
SENDING_LEASE_SECONDS = env.int("SENDING_LEASE_SECONDS", 120)
SENDING_BATCH = env.int("SENDING_BATCH", 500)  # messages under one lease
BOOKING_WEBHOOK_URL, BOOKING_WEBHOOK_SECRET = secret("BOOKING_WEBHOOK_URL", ""), secret("BOOKING_WEBHOOK_SECRET", "")

# --- Access ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
REQUIRE_TOTP = env.bool("REQUIRE_TOTP", not (DEMO or TESTING))
IDLE_LOCK_SECONDS = env.int("IDLE_LOCK_SECONDS", 15 * 60)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # by name alone, anyone could lock out the chief doctor
AXES_USERNAME_FORM_FIELD = "username"  # else axes looks for "login", finds nothing and locks whole addresses
AXES_CLIENT_IP_CALLABLE = "staff.middleware.axes_ip"
AXES_LOCKOUT_CALLABLE = "staff.views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]
SILENCED_SYSTEM_CHECKS = ["models.W040"]  # covering columns are PostgreSQL's; SQLite ignores them

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_FAILURE_VIEW = "staff.views.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$", r"^api/"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = POLICY
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
IMPORT_MAX_BYTES = 200 * 1024 * 1024

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "staff.authentication.ApiKeyAuthentication",
        "staff.authentication.StaffSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["staff.authentication.HasDeed"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["staff.api.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["staff.authentication.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {"key": env.str("API_RATE", "6000/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "staff.api.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Clinic CRM",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["staff.api.schema.add_components"],
}

# --- Language, time, static -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", "") or BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING or DEBUG or DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or DEMO  # the demo runs without collectstatic

# --- Logs: nothing personal ever --------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "core.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": []},  # Django's own would print every line a second time, unmasked
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
        "kombu": {"level": "WARNING"},
    },
}

if TESTING:
    CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = "memory://", {}  # no test wakes somebody else's workers
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    SPECTACULAR_SETTINGS["DISABLE_ERRORS_AND_WARNINGS"] = False
