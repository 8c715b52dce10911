const { readFileSync, readdirSync } = require("node:fs");
const postgres = require("postgres");

(async () => {
  const sql = postgres(process.env.DATABASE_URL, { max: 1, prepare: false });
  for (const name of readdirSync("sql").sort()) await sql.unsafe(readFileSync(`sql/${name}`, "utf8"));
  await sql.end();
})();
