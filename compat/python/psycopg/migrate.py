import os
from pathlib import Path

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    for path in sorted(Path("sql").iterdir()):
        connection.execute(path.read_text())
