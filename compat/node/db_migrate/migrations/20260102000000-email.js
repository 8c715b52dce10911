exports.up = (db) => db.addColumn("account", "email", { type: "text" });
exports._meta = { version: 1 };
