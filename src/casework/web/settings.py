"""Django's settings, made from the unit's configuration; without a key this module does not load."""

from __future__ import annotations

from pathlib import Path

import casework
from casework.lib import directory
from casework.lib.configuration import read_configuration
from casework.lib.logs import logging_settings

_configuration = read_configuration()

KEY_RING = _configuration.key_ring()
SECRET_KEY = KEY_RING.current("django secret").secret.hex()
SECRET_KEY_FALLBACKS = [key.secret.hex() for key in KEY_RING.all("django secret")[1:]]

UNIT_NAME = _configuration.unit_name
CHECK_ADDRESS = _configuration.check_address()
SIGNING_CERTIFICATE = _configuration.signing_certificate
SIGNING_PASSPHRASE_FILE = _configuration.signing_passphrase_path()
SIGNING_ROOTS = _configuration.signing_roots
TIMESTAMP_URL = _configuration.timestamp_url
INSTANCE = _configuration.instance
IDLE_MINUTES = _configuration.idle_minutes
SESSION_HOURS = _configuration.session_hours
# In tests a failure of a job is raised as well as recorded.
JOBS_STRICT = False
TIMESTAMP_AUTHORITIES = _configuration.timestamp_authorities
API_PER_MINUTE = _configuration.api_per_minute

DEBUG = False
ALLOWED_HOSTS = list(_configuration.hosts)

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "casework.lib",
    "casework.audit",
    "casework.accounts",
    "casework.jobs",
    "casework.law",
    "casework.papers",
    "casework.people",
    "casework.cases",
    "casework.exhibits",
    "casework.web",
    "casework.unit",
]

MIDDLEWARE = [
    "casework.lib.middleware.HeaderMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "casework.lib.middleware.WholePageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "casework.accounts.middleware.OwnLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "casework.accounts.middleware.SessionLimits",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "casework.lib.middleware.ErrorMiddleware",
]

ROOT_URLCONF = "casework.web.urls"
WSGI_APPLICATION = "casework.web.wsgi.application"
CSRF_FAILURE_VIEW = "casework.lib.pages.csrf_failure"
FORM_RENDERER = "casework.lib.forms.UnitRenderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "casework.web.navigation.navigation",
            ]
        },
    }
]

DATABASES = {"default": _configuration.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Account"
LOGIN_URL = "accounts:sign_in"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
if _configuration.ldap_url:
    # After ours: who has a password here is asked for that one only.
    AUTHENTICATION_BACKENDS.append(directory.BACKEND)
globals().update(directory.describe(_configuration))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 14}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "casework.accounts.passwords.GuessingValidator"},
]

SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _configuration.https
SECURE_HSTS_SECONDS = 31536000 if _configuration.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
# The unit's name may share a domain with machines that are not ours, and stands on no public list.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if _configuration.https:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

USE_TZ = True
TIME_ZONE = "Asia/Kolkata"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hi", "Hindi"), ("ml", "Malayalam")]
LOCALE_PATHS = [Path(casework.__file__).parent / "locale"]
FORMAT_MODULE_PATH = ["casework.lib.formats"]
# A year, a register number, a row are no amounts: what is one is written with the filter ``grouped``.
USE_THOUSAND_SEPARATOR = False
USE_I18N = True
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _configuration.https

STATIC_URL = "/static/"
# Served out of the packages themselves: nothing to collect, nothing to forget after an upgrade.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 60

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_settings()
