const url = new URL(process.env.DATABASE_URL);
module.exports = {
  "migration-pattern": "migrations/*",
  driver: "pg",
  host: url.hostname,
  port: Number(url.port),
  database: url.pathname.slice(1),
  username: url.username,
  password: "",
};
