const { readFileSync } = require("node:fs");
const { Migration } = require("@mikro-orm/migrations");

class Migration20260103 extends Migration {
  up() {
    this.addSql(readFileSync("sql/3.sql", "utf8"));
  }
}
exports.Migration20260103 = Migration20260103;
