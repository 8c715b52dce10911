exports.up = (db) => db.addIndex("account", "account_name", ["name"]);
exports._meta = { version: 1 };
