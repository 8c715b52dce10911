const { readFileSync, readdirSync } = require("node:fs");
const { Sequelize } = require("sequelize");
const { SequelizeStorage, Umzug } = require("umzug");

(async () => {
  const sequelize = new Sequelize(process.env.DATABASE_URL, { logging: false });
  const umzug = new Umzug({
    migrations: readdirSync("sql")
      .sort()
      .map((name) => ({ name, up: () => sequelize.query(readFileSync(`sql/${name}`, "utf8")) })),
    storage: new SequelizeStorage({ sequelize }),
    logger: undefined,
  });
  await umzug.up();
  await sequelize.close();
})();
