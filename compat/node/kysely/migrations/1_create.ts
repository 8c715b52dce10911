import type { Kysely } from "kysely";

export const up = (db: Kysely<unknown>) =>
  db.schema
    .createTable("account")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("name", "text")
    .execute();
