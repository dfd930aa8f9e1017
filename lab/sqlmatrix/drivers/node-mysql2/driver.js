// mysql2 of Node: query() puts values into the text, execute() prepares on the server and binds in the binary protocol.
"use strict";
const mysql = require("mysql2/promise");
const { Readable } = require("stream");
const sqlm = require("../common/sqlm.js");

let connection;
const prepared = {};

sqlm.main({
  many: "mysql2 has no batch",
  pipe: "mysql2 waits for each answer",
  async open() {
    connection = await mysql.createConnection({
      ...(sqlm.transport === "unix" ? { socketPath: sqlm.socket } : { host: sqlm.host, port: sqlm.port }),
      user: sqlm.user,
      password: sqlm.password,
      database: sqlm.database,
      multipleStatements: true,
      ssl: sqlm.transport === "tls" ? { rejectUnauthorized: false } : undefined,
    });
  },
  async query(sql, ...args) {
    await connection.query(sql, sqlm.values(args));
  },
  async binary(sql, ...args) {
    await connection.execute(sql, sqlm.values(args));
  },
  async prepare(name, sql) {
    prepared[name] = await connection.prepare(sql);
    return 0;
  },
  async execute(name, ...args) {
    await prepared[name].execute(sqlm.values(args));
  },
  async begin() {
    await connection.beginTransaction();
    return 0;
  },
  async commit() {
    await connection.commit();
    return 0;
  },
  async rollback() {
    await connection.rollback();
    return 0;
  },
  async fail(sql, ...args) {
    await sqlm.fails(() => connection.query(sql, sqlm.values(args)));
  },
  async loadin(sql, data) {
    await connection.query({ sql, infileStreamFactory: () => Readable.from([Buffer.from(data)]) });
  },
  async cursor(n, sql, ...args) {
    const stream = connection.connection.query(sql, sqlm.values(args)).stream({ highWaterMark: Number(n) });
    for await (const _ of stream);
  },
  async script(sql) {
    await connection.query(sql);
    return sqlm.comments(sql);
  },
  async close() {
    await connection.end();
  },
});
