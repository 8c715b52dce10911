import os

url = os.environ["DATABASE_URL"].replace("postgresql://", f"{os.environ['DRIVER']}://", 1)
TORTOISE_ORM = {
    "connections": {"default": url},
    "apps": {"models": {"models": ["aerich.models"], "default_connection": "default"}},
}
