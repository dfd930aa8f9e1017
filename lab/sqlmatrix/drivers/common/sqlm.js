// The loop of a driver program in Node: reads a job, lets a player do its operations, and says what was sent for each label.
"use strict";
const fs = require("fs");

const setting = (name) => process.env["SQLM_" + name];
exports.engine = setting("ENGINE");
exports.transport = setting("TRANSPORT");
exports.host = setting("HOST");
exports.port = Number(setting("PORT"));
exports.socket = setting("SOCKET");
exports.user = setting("USER");
exports.password = setting("PASSWORD");
exports.database = setting("DATABASE");

const unescape = (field) => field.replace(/\\(.)/g, (_, c) => ({ t: "\t", n: "\n" })[c] || c);

function value(arg) {
  const kind = arg[0];
  const text = arg.slice(2);
  switch (kind) {
    case "i":
    case "f":
      return Number(text);
    case "b":
      return text === "true";
    case "n":
      return null;
    case "T":
      return text.split(",");
    case "I":
      return text.split(",").map(Number);
    case "x":
      return Buffer.from(text, "hex");
    default:
      return text;
  }
}

exports.values = (args) => args.map(value);

// comments counts the statements of a script.
exports.comments = (sql) => sql.split("/*").length - 1;

// fails runs what must fail by an error of the server.
exports.fails = async (run) => {
  try {
    await run();
  } catch (error) {
    if (error.code) return;
    throw error;
  }
  throw new Error("no error");
};

// play plays the job. An operation is a method of the player, which gives the number of statements sent (undefined: one), or a text that says why the
// driver has none.
exports.play = async (player) => {
  process.stdout.write("ready\n");
  const lines = fs.readFileSync(0, "utf8").split("\n").map((line) => line.split("\t").map(unescape));
  await player.open();
  let label = "";
  let operations = [];
  for (const [operation, ...fields] of lines) {
    if (operation === "label") {
      [label] = fields;
      operations = [];
    } else if (operation === "end") {
      const missing = operations.find(([name]) => typeof player[name] !== "function");
      if (missing) {
        process.stdout.write(`na\t${label}\t${player[missing[0]] || "no API for " + missing[0]}\n`);
        continue;
      }
      let sent = 0;
      for (const [name, ...rest] of operations) {
        try {
          const n = await player[name](...rest);
          sent += n === undefined ? 1 : n;
        } catch (error) {
          throw new Error(`${label}: ${name} ${rest[0]}: ${error.message}`, { cause: error });
        }
      }
      process.stdout.write(`sent\t${label}\t${sent}\n`);
    } else if (operation) {
      operations.push([operation, ...fields]);
    }
  }
  await player.close();
};

// main plays and ends the process; what was not foreseen ends it with an error.
exports.main = (player) =>
  exports.play(player).then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
