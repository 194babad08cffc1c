// `@stream-io/node-sdk`, which speaks the newer dialect, against the stand-in.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { StreamClient } from '@stream-io/node-sdk';
import { apiKey, apiSecret, finished, manyUsers, startStandIn } from './stand_in.mjs';

let standIn;
let client;
before(async () => {
  standIn = await startStandIn();
  client = new StreamClient(apiKey, apiSecret, { basePath: standIn.url, timeout: 10_000 });
});
after(() => standIn.stop());
beforeEach(() => standIn.clearFaults());

const refusedWith = (code, status) => (error) => {
  assert.equal(error.code, code, error.message);
  assert.equal(error.metadata.responseCode, status);
  return true;
};
const query = (filter_conditions, options = {}) => client.queryUsers({ payload: { filter_conditions, ...options } });

test('upserts, and replaces what was there', async () => {
  const first = await client.upsertUsers([
    { id: 'ada', name: 'Ada', image: 'https://cdn.test/1.png', custom: { level: 17 } },
  ]);
  assert.equal(first.users.ada.custom.level, 17);
  // Nanoseconds on the wire, a date here.
  assert.ok(Math.abs(first.users.ada.created_at.getTime() - Date.now()) < 60_000);
  const second = await client.upsertUsers([{ id: 'ada', custom: { title: 'Countess' } }]);
  assert.deepEqual(second.users.ada.custom, { title: 'Countess' });
  assert.equal(second.users.ada.name, undefined);
});

test('upserts a hundred at once, and not one more', async () => {
  const answer = await client.upsertUsers(manyUsers(100));
  assert.equal(Object.keys(answer.users).length, 100);
  await assert.rejects(client.upsertUsers(manyUsers(101)), refusedWith(4, 400));
});

test('updates in part, by flat keys', async () => {
  await client.upsertUsers([{ id: 'bo', name: 'Bo', image: 'i', custom: { guild: { tag: 'ORB', rank: 2 } } }]);
  const answer = await client.updateUsersPartial({
    users: [{ id: 'bo', set: { color: 'blue', 'guild.rank': 1 }, unset: ['image'] }],
  });
  assert.deepEqual(answer.users.bo.custom, { color: 'blue', guild: { tag: 'ORB', rank: 1 } });
  assert.equal(answer.users.bo.image, undefined);
});

test('deactivates and reactivates, one and many', async () => {
  await client.upsertUsers([{ id: 'cy' }, { id: 'di' }]);
  assert.ok((await client.deactivateUser({ user_id: 'cy' })).user.deactivated_at);
  await assert.rejects(client.upsertUsers([{ id: 'cy' }]), /was deactivated/);
  assert.equal((await query({ id: 'cy' })).users.length, 0);
  assert.equal((await query({ id: 'cy' }, { include_deactivated_users: true })).users.length, 1);
  assert.equal((await client.reactivateUser({ user_id: 'cy', name: 'Cy' })).user.name, 'Cy');

  const off = await client.deactivateUsers({ user_ids: ['cy', 'di'] });
  const done = await finished(() => client.getTask({ id: off.task_id }));
  assert.deepEqual(done.result.users.map((user) => user.id).sort(), ['cy', 'di']);
  const on = await client.reactivateUsers({ user_ids: ['cy', 'di'] });
  assert.equal((await finished(() => client.getTask({ id: on.task_id }))).status, 'completed');
});

test('deletes and restores', async () => {
  await client.upsertUsers([{ id: 'ed' }, { id: 'flo' }]);
  const soft = await client.deleteUsers({ user_ids: ['ed'], user: 'soft' });
  assert.deepEqual((await finished(() => client.getTask({ id: soft.task_id }))).result, { ed: { status: 'ok' } });
  await assert.rejects(client.upsertUsers([{ id: 'ed' }]), refusedWith(16, 404));
  await client.restoreUsers({ user_ids: ['ed'] });
  await assert.rejects(client.restoreUsers({ user_ids: ['ed'] }), refusedWith(4, 400));
  await client.deleteUsers({ user_ids: ['flo'], user: 'hard', messages: 'hard', conversations: 'hard' });
  await assert.rejects(client.upsertUsers([{ id: 'flo' }]), /was deleted/);
});

test('queries by filter, order and page', async () => {
  await client.upsertUsers([1, 2, 3].map((level) => ({ id: `q${level}`, custom: { level } })));
  const { users } = await query(
    { id: { $in: ['q1', 'q2', 'q3'] } },
    { sort: [{ field: 'id', direction: -1 }], limit: 2, offset: 1 },
  );
  assert.deepEqual(users.map((user) => user.id), ['q2', 'q1']);
  assert.deepEqual((await query({ id: { $gt: 'q2' } })).users.map((user) => user.id)[0], 'q3');
});

test('is told what is wrong with what it wrote', async () => {
  await assert.rejects(client.upsertUsers([{ id: 'auth0|42' }]), refusedWith(4, 400));
  await assert.rejects(client.upsertUsers([{ id: 'ada', online: true }]), refusedWith(4, 400));
  await assert.rejects(client.upsertUsers([{ id: 'ada', custom: { blob: 'x'.repeat(6144) } }]), refusedWith(22, 413));
});

test('is not let in with another key or secret', async () => {
  const wrongKey = new StreamClient('another', apiSecret, { basePath: standIn.url });
  await assert.rejects(wrongKey.upsertUsers([{ id: 'ada' }]), refusedWith(2, 401));
  const wrongSecret = new StreamClient(apiKey, 'another', { basePath: standIn.url });
  await assert.rejects(wrongSecret.upsertUsers([{ id: 'ada' }]), refusedWith(43, 401));
});

test('fails as it does when the service is ill', async () => {
  await standIn.setFaults([{ kind: 'rate_limited', count: 1, retry_after_s: 12 }]);
  await assert.rejects(client.upsertUsers([{ id: 'ada' }]), refusedWith(9, 429));
  for (const kind of ['internal_error', 'not_json', 'empty', 'edge_limited', 'cut_before']) {
    await standIn.setFaults([{ kind, count: 2 }]);
    await assert.rejects(client.upsertUsers([{ id: 'ada' }]), `${kind} goes unnoticed`);
  }
  await standIn.clearFaults();
  await client.upsertUsers([{ id: 'ada' }]);
});

test('reads how much it may still ask from the headers', async () => {
  await standIn.set({ rate_limits: 'default' });
  const { metadata } = await client.upsertUsers([{ id: 'ada' }]);
  assert.equal(metadata.rateLimit.rateLimit, 300);
  assert.equal(metadata.rateLimit.rateLimitRemaining, 299);
  const wait_ms = metadata.rateLimit.rateLimitReset.getTime() - Date.now();
  assert.ok(wait_ms > -1000 && wait_ms <= 60_000, `${wait_ms}`);
  const { server_side } = await client.getRateLimits({ server_side: true, endpoints: 'UpdateUsers' });
  assert.deepEqual(Object.keys(server_side), ['UpdateUsers']);
  assert.equal(server_side.UpdateUsers.remaining, 299);
  await standIn.set({ rate_limits: 'off' });
});
