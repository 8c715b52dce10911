const { readFileSync } = require("node:fs");
const { Migration } = require("@mikro-orm/migrations");

class Migration20260101 extends Migration {
  up() {
    this.addSql(readFileSync("sql/1.sql", "utf8"));
  }
}
exports.Migration20260101 = Migration20260101;
