exports.up = (db) => db.createTable("account", { id: { type: "int", primaryKey: true }, name: "text" });
exports._meta = { version: 1 };
