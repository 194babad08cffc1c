// The bridge's first sync by one of Stream's SDKs: reads all profiles from PostgreSQL and upserts them by batches of
// 100, a few at once. Prints how many. `read` only reads them; `recorded` does what the bridge does: claims what is due,
// and writes down what the service has then, so that it can be killed, run twice, and run again.
// Usage: node sync.mjs stream-chat|node-sdk read|recorded CONNINFO_JSON CONCURRENT
// Environment: STREAM_API_KEY, STREAM_API_SECRET, STREAM_BASE_URL
import { createHash } from 'node:crypto';
import pg from 'pg';

const [sdk, kind, connection, concurrent] = process.argv.slice(2);
const isRecorded = kind === 'recorded';
const { STREAM_API_KEY: key, STREAM_API_SECRET: secret, STREAM_BASE_URL: url } = process.env;

// What upserts a batch of rows.
async function upserter() {
  const builtIn = (row) => ({
    id: row.name,
    ...(row.display_name !== null && { name: row.display_name }),
    ...(row.image_url !== null && { image: row.image_url }),
    ...(row.language !== null && { language: row.language }),
    role: row.role ?? 'user',
    teams: row.teams ?? [],
  });
  if (sdk === 'stream-chat') {
    const { StreamChat } = await import('stream-chat');
    const client = new StreamChat(key, secret, { baseURL: url, timeout: 30_000 });
    return (rows) => client.upsertUsers(rows.map((row) => ({ ...row.custom, ...builtIn(row) })));
  }
  const { StreamClient } = await import('@stream-io/node-sdk');
  const client = new StreamClient(key, secret, { basePath: url, timeout: 30_000 });
  return (rows) => client.upsertUsers(rows.map((row) => ({ ...builtIn(row), custom: row.custom })));
}

const upsert = await upserter();
const database = new pg.Client(JSON.parse(connection));
await database.connect();

if (isRecorded) await database.query("select restante.add_sync_target('sdk')");

async function readPage() {
  const page = await database.query(
    `select a.id, a.name, p.display_name, p.image_url, p.language, p.role, p.teams, p.custom
     from restante.account a join restante.profile p on p.account_id = a.id
     where a.status = 'active' and a.id > $1 order by a.id limit 2000`, [last]);
  if (page.rows.length > 0) last = page.rows.at(-1).id;
  return page.rows;
}

async function claimPage() {
  const page = await database.query(
    `select account_id as id, account as name, display_name, image_url, language, role, teams, custom, version
     from restante.claim_profiles('sdk', 'sdk', '120 s', 400)`);
  return page.rows.map((row) => ({ ...row, teams: JSON.parse(row.teams), custom: JSON.parse(row.custom) }));
}

function settle(batch) {
  const same = (value) => batch.map(() => value);
  return database.query(
    "select restante.settle_profiles('sdk', 'sdk', $1, $2, $3, $4, $5, $6, $7)",
    [batch.map((row) => row.id), batch.map((row) => row.version), same('synced'), same('active'),
      batch.map((row) => createHash('sha256').update(JSON.stringify(row)).digest()), same(''), same(0)]);
}

let last = 0;
let read = 0;
let rows = [];
let reading = Promise.resolve();
// The next hundred rows; pages are read one after the other.
function nextBatch() {
  const batch = reading.then(async () => {
    if (rows.length === 0) rows = await (isRecorded ? claimPage() : readPage());
    return rows.splice(0, 100);
  });
  reading = batch;
  return batch;
}

async function work() {
  for (let batch = await nextBatch(); batch.length > 0; batch = await nextBatch()) {
    await upsert(batch);
    if (isRecorded) await settle(batch);
    read += batch.length;
  }
}
await Promise.all(Array.from({ length: Number(concurrent) }, work));
await database.end();
console.log(read);
process.exit(0);
