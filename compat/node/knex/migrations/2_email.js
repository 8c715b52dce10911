exports.up = (knex) => knex.schema.alterTable("account", (table) => table.text("email"));
exports.down = (knex) => knex.schema.alterTable("account", (table) => table.dropColumn("email"));
