import os
from pathlib import Path

import psycopg2

connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for path in sorted(Path("sql").iterdir()):
    connection.cursor().execute(path.read_text())
connection.close()
