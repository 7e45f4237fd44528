// Follow a running board from Node.js, exactly: `npm install zeromq`, then `node follow.cjs`.
const zmq = require("zeromq");

const { BELLBOARD_RUNTIME_DIR: named, XDG_RUNTIME_DIR, TMPDIR } = process.env;
const base = XDG_RUNTIME_DIR || (process.platform === "darwin" && TMPDIR);
const folder = named || (base ? `${base}/bellboard` : `/tmp/bellboard-${process.getuid()}`);
const events = new zmq.Subscriber();
const asking = new zmq.Dealer({ immediate: true, sendTimeout: 0 });
let board = null, epoch, seqs, heard = [], pages = [], request = 0, asked = 0;

function take(event) {
  if (!board) return void heard.push(event);
  const last = seqs[event.source] ?? 0, key = `${event.source} ${event.id}`;
  if (event.epoch === epoch && event.source_seq <= last) return; // the snapshot had it already
  if (event.epoch !== epoch || event.source_seq !== last + 1) return behind([event]);
  seqs[event.source] = event.source_seq;
  if (event.kind === "removed") board.delete(key);
  else if (event.kind !== "health") board.set(key, event.session);
  const now = event.kind === "health" ? event.health.status : `${event.id} ${event.session.activity}`;
  console.log(event.kind, event.source, now);
}

function behind(first) { // something was missed: ask again, not all subscribers at the same moment
  [board, heard, asked] = [null, first, Date.now() - 2000 + Math.random() * 1000];
}

function beat({ epoch: now, source_seqs }) { // each second; only now the subscription is known to work
  if (board && (now !== epoch || Object.entries(source_seqs).some(([each, n]) => n > (seqs[each] ?? 0)))) behind([]);
  if (board || Date.now() - asked < 2000) return;
  [pages, asked] = [[], Date.now()];
  asking.send(JSON.stringify({ request: ++request })).catch(() => {}); // not there yet: the next beat asks again
}

async function answers() {
  for await (const [data] of asking) {
    const page = JSON.parse(data);
    if (board || page.request !== request || pages.push(page) !== page.page + 1 || !page.last) continue;
    board = new Map(pages.flatMap((each) => each.sessions).map((each) => [`${each.source} ${each.id}`, each]));
    [epoch, seqs] = [page.epoch, page.source_seqs];
    console.log("snapshot", board.size);
    heard.splice(0).filter((event) => event.epoch === epoch).forEach(take);
  }
}

async function main() {
  events.connect(`ipc://${folder}/events.sock`);
  events.subscribe("");
  asking.connect(`ipc://${folder}/snapshot.sock`);
  answers();
  for await (const [, data] of events) {
    const event = JSON.parse(data);
    (event.kind === "heartbeat" ? beat : take)(event);
  }
}

main();
