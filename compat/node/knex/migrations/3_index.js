exports.up = (knex) => knex.schema.alterTable("account", (table) => table.index("name", "account_name"));
exports.down = (knex) => knex.schema.alterTable("account", (table) => table.dropIndex("name", "account_name"));
