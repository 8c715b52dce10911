import os
from pathlib import Path
from urllib.parse import urlsplit

import pg8000.native

url = urlsplit(os.environ["DATABASE_URL"])
connection = pg8000.native.Connection(
    user=url.username or "", host=url.hostname or "", port=url.port or 5432, database=url.path[1:]
)
for path in sorted(Path("sql").iterdir()):
    connection.run(path.read_text())
connection.close()
