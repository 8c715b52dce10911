const { readFileSync } = require("node:fs");
const { Migration } = require("@mikro-orm/migrations");

class Migration20260102 extends Migration {
  up() {
    this.addSql(readFileSync("sql/2.sql", "utf8"));
  }
}
exports.Migration20260102 = Migration20260102;
