// node-postgres: the extended protocol with unnamed statements, simple without values; named ones, cursors, COPY and its mode that pipelines.
"use strict";
const { Client } = require("pg");
const Cursor = require("pg-cursor");
const copy = require("pg-copy-streams");
const { Readable } = require("stream");
const { pipeline } = require("stream/promises");
const sqlm = require("../common/sqlm.js");

const config = {
  host: sqlm.transport === "unix" ? sqlm.socket : sqlm.host,
  port: sqlm.port,
  user: sqlm.user,
  password: sqlm.password,
  database: sqlm.database,
  ssl: sqlm.transport === "tls" ? { rejectUnauthorized: false } : false,
};

let client;
let queued = [];
const prepared = {};

async function run(sql, args, more) {
  await client.query({ text: sql, values: args.length ? sqlm.values(args) : undefined, ...more });
}

sqlm.main({
  many: "pg has no batch",
  async open() {
    client = new Client(config);
    await client.connect();
  },
  async query(sql, ...args) {
    await run(sql, args);
  },
  async binary(sql, ...args) {
    await run(sql, args, { binary: true });
  },
  async prepare(name, sql) {
    prepared[name] = sql; // pg prepares with the first execution
    return 0;
  },
  async execute(name, ...args) {
    await run(prepared[name], args, { name });
  },
  async begin() {
    await client.query("BEGIN");
    return 0;
  },
  async commit() {
    await client.query("COMMIT");
    return 0;
  },
  async rollback() {
    await client.query("ROLLBACK");
    return 0;
  },
  async fail(sql, ...args) {
    await sqlm.fails(() => run(sql, args));
  },
  async copyin(sql, data) {
    await pipeline(Readable.from([data]), client.query(copy.from(sql)));
  },
  async copyout(sql) {
    const stream = client.query(copy.to(sql));
    for await (const _ of stream);
  },
  async cursor(n, sql, ...args) {
    const cursor = client.query(new Cursor(sql, sqlm.values(args)));
    while ((await cursor.read(Number(n))).length > 0);
    await cursor.close();
  },
  async pipe(sql, ...args) {
    queued.push({ text: sql, values: sqlm.values(args) });
  },
  async sync() { // the mode is a connection's
    const own = new Client({ ...config, pipeline: true });
    await own.connect();
    await Promise.all(queued.map((query) => own.query(query)));
    await own.end();
    queued = [];
    return 0;
  },
  async script(sql) {
    await client.query(sql);
    return sqlm.comments(sql);
  },
  async notify(channel, listen, notify) {
    const told = new Promise((resolve) => client.once("notification", resolve));
    await client.query(listen);
    await client.query(notify);
    await told;
    return 2;
  },
  async close() {
    await client.end();
  },
});
