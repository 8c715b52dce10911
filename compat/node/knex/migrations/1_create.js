exports.up = (knex) =>
  knex.schema.createTable("account", (table) => {
    table.integer("id").primary();
    table.text("name");
  });
exports.down = (knex) => knex.schema.dropTable("account");
