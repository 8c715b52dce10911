import type { Kysely } from "kysely";

export const up = (db: Kysely<unknown>) => db.schema.alterTable("account").addColumn("email", "text").execute();
