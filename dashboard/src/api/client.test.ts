import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { get, put, useSession } from './client';
import { ApiError, isAbort } from './problem';

const servers: Server[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  for (const it of servers.splice(0)) {
    it.closeAllConnections();
    it.close();
  }
});

/** A runtime at loopback; paths of the console lead to it. */
async function runtime(answers: RequestListener): Promise<void> {
  const server = createServer(answers).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((done) => server.once('listening', done));
  const real = fetch;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubGlobal('fetch', (path: string, how: RequestInit) => real(`${origin}${path}`, how));
}

/** The longest wait, made short. */
function impatient(): void {
  const real = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => real(20));
}

const failure = (asked: Promise<unknown>) => asked.then(() => null, (error: unknown) => error);

test('a line that is half dead is no answer, before the answer and in the middle of it', async () => {
  impatient();
  await runtime((asked, answer) => {
    if (asked.url?.endsWith('/begun')) answer.writeHead(200, { 'content-type': 'application/json' }).write('[1,');
  });
  for (const path of ['/silent', '/begun']) {
    const error = await failure(get(path));
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).unreachable).toBe(true);
    expect((error as ApiError).title).toBe('The runtime does not answer');
  }
});

test('whoever gives up is told so, and not that the runtime is away', async () => {
  await runtime(() => {});
  const mine = new AbortController();
  const asked = failure(get('/silent', {}, mine.signal));
  mine.abort();
  expect(isAbort(await asked)).toBe(true);
});

test('questions end with their session, changes and what is asked after it do not', async () => {
  await runtime((asked, answer) => {
    if (!asked.url?.endsWith('/asked')) answer.writeHead(200, { 'content-type': 'application/json' }).end('1');
  });
  const asked = failure(get('/asked'));
  const changed = put('/changed', {});
  useSession(null);
  expect(isAbort(await asked)).toBe(true);
  expect(await changed).toBe(1);
  expect(await get('/after')).toBe(1);
});
