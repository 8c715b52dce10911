import dj_database_url

SECRET_KEY = "not used"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": dj_database_url.config()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
