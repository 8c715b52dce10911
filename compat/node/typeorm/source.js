const { readFileSync } = require("node:fs");
const { DataSource } = require("typeorm");

const step = (number, name) =>
  ({
    [name]: class {
      name = name;
      up = (runner) => runner.query(readFileSync(`sql/${number}.sql`, "utf8"));
      down = () => {};
    },
  })[name];

module.exports = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  migrations: [step(1, "Create1767225600001"), step(2, "Email1767225600002"), step(3, "Index1767225600003")],
});
