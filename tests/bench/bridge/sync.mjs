// The same work as the bridge's first sync, by one of Stream's SDKs: reads all profiles from PostgreSQL and upserts
// them by batches of 100, a few at once. Prints how many.
// Usage: node sync.mjs stream-chat|node-sdk CONNINFO_JSON CONCURRENT; STREAM_API_KEY, STREAM_API_SECRET, STREAM_BASE_URL
import pg from 'pg';

const [sdk, connection, concurrent] = process.argv.slice(2);
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

let last = 0;
let read = 0;
let rows = [];
let reading = Promise.resolve();
// The next hundred rows; pages of two thousand are read one after the other.
function nextBatch() {
  const batch = reading.then(async () => {
    if (rows.length === 0) {
      const page = await database.query(
        `select a.id, a.name, p.display_name, p.image_url, p.language, p.role, p.teams, p.custom
         from restante.account a join restante.profile p on p.account_id = a.id
         where a.status = 'active' and a.id > $1 order by a.id limit 2000`, [last]);
      rows = page.rows;
      if (rows.length > 0) last = rows.at(-1).id;
    }
    return rows.splice(0, 100);
  });
  reading = batch;
  return batch;
}

async function work() {
  for (let batch = await nextBatch(); batch.length > 0; batch = await nextBatch()) {
    await upsert(batch);
    read += batch.length;
  }
}
await Promise.all(Array.from({ length: Number(concurrent) }, work));
await database.end();
console.log(read);
process.exit(0);
