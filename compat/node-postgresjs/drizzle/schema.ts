import { index, integer, pgTable, text } from "drizzle-orm/pg-core";

export const account = pgTable(
  "account",
  { id: integer("id").primaryKey(), name: text("name"), email: text("email") },
  (table) => [index("account_name").on(table.name)],
);
