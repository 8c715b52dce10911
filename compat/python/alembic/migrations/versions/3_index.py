from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.create_index("account_name", "account", ["name"])
