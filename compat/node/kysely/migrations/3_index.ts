import type { Kysely } from "kysely";

export const up = (db: Kysely<unknown>) => db.schema.createIndex("account_name").on("account").column("name").execute();
