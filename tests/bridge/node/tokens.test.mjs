// Our tokens, and those of Stream's SDKs and of jsonwebtoken, on which both stand.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { StreamClient } from '@stream-io/node-sdk';
import jwt from 'jsonwebtoken';
import { StreamChat } from 'stream-chat';
import { apiKey, apiSecret, startStandIn } from './stand_in.mjs';

let standIn;
before(async () => { standIn = await startStandIn(); });
after(() => standIn.stop());

const now = Math.floor(Date.now() / 1000);
const claims = { user_id: 'player-1001', iat: now - 5, exp: now + 3600 };
const ours = (what) =>
  execFileSync(process.env.RESTANTE_SIGN, [apiSecret, JSON.stringify(what)], { encoding: 'utf8' }).trim();
const part = (token, which) => JSON.parse(Buffer.from(token.split('.')[which], 'base64url'));
const signature = (token) =>
  createHmac('sha256', apiSecret).update(token.split('.').slice(0, 2).join('.')).digest('base64url');

const makers = {
  'stream-chat': (what) => new StreamChat(apiKey, apiSecret).createToken(what.user_id, what.exp, what.iat),
  '@stream-io/node-sdk': (what) => new StreamClient(apiKey, apiSecret).generateUserToken(what),
  jsonwebtoken: (what) => jwt.sign(what, apiSecret),
};

for (const [name, make] of Object.entries(makers)) {
  test(`the tokens of ${name} are ours, for the same claims`, () => {
    const theirs = make(claims);
    const own = ours(claims);
    assert.deepEqual(part(own, 0), part(theirs, 0));
    // The SDK adds a lifetime beside `exp` that nobody reads; all that is in ours is in it.
    const { validity_in_seconds, ...theirClaims } = part(theirs, 1);
    assert.deepEqual(part(own, 1), theirClaims);
    for (const token of [own, theirs]) assert.equal(token.split('.')[2], signature(token));
  });
}

test('jsonwebtoken takes our tokens, and none that was altered', () => {
  assert.deepEqual(jwt.verify(ours(claims), apiSecret, { algorithms: ['HS256'] }), claims);
  assert.throws(() => jwt.verify(ours(claims), 'another', { algorithms: ['HS256'] }), /invalid signature/);
  assert.throws(() => jwt.verify(ours({ ...claims, exp: now - 1 }), apiSecret), /jwt expired/);
});

test('the stand-in takes user tokens of all of them alike', async () => {
  const ask = async (token) => {
    const answer = await fetch(`${standIn.url}/api/v2/users?api_key=${apiKey}`, {
      headers: { Authorization: token, 'stream-auth-type': 'jwt' },
    });
    return { status: answer.status, code: (await answer.json()).code };
  };
  for (const make of [ours, ...Object.values(makers)]) {
    assert.deepEqual(await ask(make(claims)), { status: 200, code: undefined });
    assert.deepEqual(await ask(make({ ...claims, exp: now - 1 })), { status: 401, code: 40 });
    assert.deepEqual(await ask(make({ ...claims, iat: now + 60 })), { status: 401, code: 42 });
  }
  assert.deepEqual(await ask(ours({ ...claims, user_id: 7 })), { status: 401, code: 5 });
});
