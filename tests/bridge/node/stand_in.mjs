// The program stream_stand_in as a child process of a test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const apiKey = 'fakekey123';
export const apiSecret = 'fake-api-secret-for-tests-only';

// Resolves once it listens. `rateLimits`: off or default.
export async function startStandIn({ rateLimits = 'off' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'restante-stand-in-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${apiSecret}\n`);
  const program = spawn(
    process.env.RESTANTE_STREAM_STAND_IN,
    ['--api-key', apiKey, '--api-secret-file', secretFile, '--rate-limits', rateLimits],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => program.once('exit', resolve));
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const url = (await lines.next()).value;
  const controlUrl = (await lines.next()).value;

  const steer = async (method, path, body) => {
    const answer = await fetch(`${controlUrl}/stand-in/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  return {
    url,
    users: () => steer('GET', 'users'),
    counts: () => steer('GET', 'counts'),
    setFaults: (faults) => steer('PUT', 'faults', { faults }),
    clearFaults: () => steer('DELETE', 'faults'),
    set: (settings) => steer('PUT', 'settings', settings),
    async stop() {
      program.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

// Until a task is over; what it then says.
export async function finished(getTask) {
  for (;;) {
    const task = await getTask();
    if (task.status === 'completed' || task.status === 'failed') return task;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const manyUsers = (count) =>
  Array.from({ length: count }, (_, i) => ({ id: `user-${i}`, name: `User ${i}` }));
