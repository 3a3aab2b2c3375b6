// The replication peer of bench_replication.py: a PouchDB station or its server. Runs where `npm install` put its modules.
//
//   node pouch_peer.js server FOLDER             says {"port"}; CouchDB's replication protocol over HTTP
//   node pouch_peer.js station FOLDER URL        says what it is told to say, one JSON line each:
//     {"edit": n}       n documents put one after the other; says {"edited": [[id, ms]…]}
//     {"replicate": 1}  live replication both ways, from now on
//     {"expect": n}     says {"arrived": [[id, ms]…]} as soon as n documents that were not put here came
// Times are milliseconds on the clock of the computer.
const path = require("path");
const readline = require("readline");
const PouchDB = require("pouchdb");

const [role, folder, url] = process.argv.slice(2);
const say = (told) => process.stdout.write(JSON.stringify(told) + "\n");
const now = () => performance.timeOrigin + performance.now();

function serve() {
  const express = require("express");
  const Shelf = PouchDB.defaults({ prefix: folder + path.sep });
  const app = express();
  app.use("/", require("express-pouchdb")(Shelf, { mode: "minimumForPouchDB", inMemoryConfig: true, logPath: path.join(folder, "log.txt") }));
  const listening = app.listen(0, "127.0.0.1", () => say({ port: listening.address().port }));
}

function work() {
  const db = new PouchDB(path.join(folder, "station"));
  let arrived = [];
  const own = new Set();
  let expected = Infinity;
  let number = 0;
  db.changes({ live: true, since: "now" }).on("change", (change) => {
    if (own.has(change.id)) return;
    arrived.push([change.id, now()]);
    if (arrived.length >= expected) {
      say({ arrived });
      expected = Infinity;
      arrived = [];
    }
  });
  const document = (id) => ({
    _id: id, number: "WO-" + number, product: "FRAME-M", quantity: 60, priority: 3, customer: "Customer 7", note: "",
    planned_start: "2026-04-15T12:00:00Z", planned_end: "2026-04-20T12:00:00Z", status: "planned",
    stages: ["Cut", "Weld", "Paint", "Inspect", "Pack"].map((name) => ({ name, status: "planned", minutes: 60 })),
  });
  const acts = {
    async edit(count) {
      const edited = [];
      for (let n = 0; n < count; n++) {
        const id = `${folder.length}-${process.pid}-${++number}`;
        own.add(id);
        await db.put(document(id));
        edited.push([id, now()]);
      }
      say({ edited });
    },
    replicate() {
      db.sync(url, { live: true, retry: true }).on("error", (error) => { throw error; });
    },
    expect(count) {
      arrived = [];
      expected = count;
    },
  };
  let queue = Promise.resolve();
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    for (const [act, value] of Object.entries(JSON.parse(line))) queue = queue.then(() => acts[act](value));
  }).on("close", () => process.exit(0));
  say({ ready: true });
}

role === "server" ? serve() : work();
