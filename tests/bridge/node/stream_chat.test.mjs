// `stream-chat`, which speaks the older dialect, against the stand-in.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { StreamChat } from 'stream-chat';
import { apiKey, apiSecret, finished, manyUsers, startStandIn } from './stand_in.mjs';

let standIn;
let client;
before(async () => {
  standIn = await startStandIn();
  client = new StreamChat(apiKey, apiSecret, { baseURL: standIn.url, timeout: 10_000 });
});
after(() => standIn.stop());
beforeEach(() => standIn.clearFaults());

const refusedWith = (code, status) => (error) => {
  assert.equal(error.code, code, error.message);
  assert.equal(error.status, status);
  return true;
};
const byId = (...ids) => ({ id: { $in: ids } });

test('upserts, and replaces what was there', async () => {
  const first = await client.upsertUser({ id: 'ada', name: 'Ada', image: 'https://cdn.test/1.png', level: 17 });
  assert.equal(first.users.ada.level, 17);
  assert.match(first.users.ada.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const second = await client.upsertUser({ id: 'ada', title: 'Countess' });
  assert.equal(second.users.ada.title, 'Countess');
  assert.equal(second.users.ada.level, undefined);
  assert.equal(second.users.ada.name, undefined);
});

test('upserts a hundred at once, and not one more', async () => {
  const answer = await client.upsertUsers(manyUsers(100));
  assert.equal(Object.keys(answer.users).length, 100);
  await assert.rejects(client.upsertUsers(manyUsers(101)), refusedWith(4, 400));
});

test('updates in part', async () => {
  await client.upsertUser({ id: 'bo', name: 'Bo', image: 'i', guild: { tag: 'ORB', rank: 2 } });
  const answer = await client.partialUpdateUser({
    id: 'bo',
    set: { level: 18, 'guild.rank': 1 },
    unset: ['image', 'guild.tag'],
  });
  assert.deepEqual(answer.users.bo.guild, { rank: 1 });
  assert.equal(answer.users.bo.level, 18);
  assert.equal(answer.users.bo.image, undefined);
  assert.equal(answer.users.bo.name, 'Bo');
});

test('deactivates and reactivates, one and many', async () => {
  await client.upsertUsers([{ id: 'cy' }, { id: 'di' }]);
  assert.ok((await client.deactivateUser('cy')).user.deactivated_at);
  await assert.rejects(client.upsertUser({ id: 'cy' }), /was deactivated/);
  assert.equal((await client.queryUsers(byId('cy'))).users.length, 0);
  assert.equal((await client.queryUsers(byId('cy'), {}, { include_deactivated_users: true })).users.length, 1);
  await client.reactivateUser('cy', { name: 'Cy' });
  await assert.rejects(client.reactivateUser('cy'), /is not deactivated/);

  const off = await client.deactivateUsers(['cy', 'di']);
  const done = await finished(() => client.getTask(off.task_id));
  assert.deepEqual(done.result.users.map((user) => user.id).sort(), ['cy', 'di']);
  const on = await client.reactivateUsers(['cy', 'di']);
  assert.equal((await finished(() => client.getTask(on.task_id))).status, 'completed');
  await client.upsertUser({ id: 'cy' });
});

test('deletes one and many, and restores', async () => {
  await client.upsertUsers([{ id: 'ed' }, { id: 'flo' }, { id: 'gus' }]);
  assert.ok((await client.deleteUser('ed', { mark_messages_deleted: true })).user.deleted_at);
  await assert.rejects(client.upsertUser({ id: 'ed' }), refusedWith(16, 404));
  await client.restoreUsers(['ed']);
  await client.upsertUser({ id: 'ed' });
  await assert.rejects(client.restoreUsers(['ed']), /is not deleted, it can't be restored/);

  const { task_id } = await client.deleteUsers(['flo', 'gus'], {
    user: 'hard', messages: 'hard', conversations: 'hard',
  });
  const task = await finished(() => client.getTask(task_id));
  assert.deepEqual(task.result, { flo: { status: 'ok' }, gus: { status: 'ok' } });
  await assert.rejects(client.upsertUser({ id: 'flo' }), /was deleted/);
  await assert.rejects(client.restoreUsers(['flo']), refusedWith(16, 404));
});

test('queries by filter, order and page', async () => {
  await client.upsertUsers([1, 2, 3].map((level) => ({ id: `q${level}`, name: `Q${level}`, level })));
  const { users } = await client.queryUsers(byId('q1', 'q2', 'q3'), { id: -1 }, { limit: 2, offset: 1 });
  assert.deepEqual(users.map((user) => user.id), ['q2', 'q1']);
  const strong = await client.queryUsers({ ...byId('q1', 'q2', 'q3'), level: { $gt: 1 } }, { level: 1 });
  assert.deepEqual(strong.users.map((user) => user.level), [2, 3]);
});

test('is told what is wrong with what it wrote', async () => {
  await assert.rejects(client.upsertUser({ id: 'auth0|42' }), refusedWith(4, 400));
  await assert.rejects(client.upsertUser({ id: 'ada', online: true }), /users\[ada\]\.online is a reserved field/);
  await assert.rejects(client.upsertUser({ id: 'ada', blob: 'x'.repeat(6144) }), refusedWith(22, 413));
  await assert.rejects(
    client.partialUpdateUser({ id: 'ada', set: { 'a..b': 1 } }), /invalid field path/);
});

test('is not let in with another key or secret', async () => {
  const wrongKey = new StreamChat('another', apiSecret, { baseURL: standIn.url });
  await assert.rejects(wrongKey.upsertUser({ id: 'ada' }), refusedWith(2, 401));
  const wrongSecret = new StreamChat(apiKey, 'another', { baseURL: standIn.url });
  await assert.rejects(wrongSecret.upsertUser({ id: 'ada' }), refusedWith(43, 401));
});

test('fails as it does when the service is ill', async () => {
  await standIn.setFaults([{ kind: 'rate_limited', count: 1 }]);
  await assert.rejects(client.upsertUser({ id: 'ada' }), refusedWith(9, 429));
  await standIn.setFaults([{ kind: 'internal_error', count: 1 }]);
  await assert.rejects(client.upsertUser({ id: 'ada' }), refusedWith(-1, 500));
  for (const kind of ['not_json', 'empty', 'edge_limited', 'cut_before', 'cut_after']) {
    await standIn.setFaults([{ kind, count: 1 }]);
    await assert.rejects(client.upsertUser({ id: 'ada' }), `${kind} goes unnoticed`);
  }
  await client.upsertUser({ id: 'ada' });
});

test('reads how much it may still ask', async () => {
  await standIn.set({ rate_limits: 'default' });
  await client.upsertUser({ id: 'ada' });
  const { rate_limits, server_side } = await client.getRateLimits({ serverSide: true, endpoints: ['UpdateUsers'] });
  assert.equal(rate_limits, undefined);
  assert.deepEqual(Object.keys(server_side), ['UpdateUsers']);
  assert.equal(server_side.UpdateUsers.limit, 300);
  assert.ok(server_side.UpdateUsers.remaining < 300);
  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => client.upsertUser({ id: 'ada' })));
  const refusal = answers.find((answer) => answer.status === 'rejected');
  assert.equal(refusal.reason.status, 429);
  assert.equal(refusal.reason.code, 9);
  await standIn.set({ rate_limits: 'off' });
});
