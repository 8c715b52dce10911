"""Who changed this schema, and who let it through: the answer, kept inside the database itself."""

__version__ = "0.2.0"
