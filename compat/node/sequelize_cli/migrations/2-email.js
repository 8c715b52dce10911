module.exports = { up: (queries, { TEXT }) => queries.addColumn("account", "email", TEXT) };
