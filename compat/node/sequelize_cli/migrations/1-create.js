module.exports = {
  up: (queries, { INTEGER, TEXT }) =>
    queries.createTable("account", { id: { type: INTEGER, primaryKey: true }, name: TEXT }),
};
