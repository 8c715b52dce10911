const { readFileSync, readdirSync } = require("node:fs");
const { Client } = require("pg");

(async () => {
  const client = new Client(process.env.DATABASE_URL);
  await client.connect();
  for (const name of readdirSync("sql").sort()) await client.query(readFileSync(`sql/${name}`, "utf8"));
  await client.end();
})();
