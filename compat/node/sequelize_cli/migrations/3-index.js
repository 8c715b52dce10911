module.exports = { up: (queries) => queries.addIndex("account", ["name"], { name: "account_name" }) };
