const { Migrator } = require("@mikro-orm/migrations");
const { EntitySchema, defineConfig } = require("@mikro-orm/postgresql");

module.exports = defineConfig({
  clientUrl: process.env.DATABASE_URL,
  entities: [new EntitySchema({ name: "Account", properties: { id: { type: "int", primary: true } } })],
  extensions: [Migrator],
  migrations: { path: "migrations", pathTs: "migrations", snapshot: false },
});
