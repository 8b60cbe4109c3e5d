/** Answers that real servers give too seldom to wait for, by a server that says what it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ObjectStore, SealedUpload } from '../object-store.js';
import { s3ObjectStore } from './s3-store.js';

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const error = (status: number, code: string): Answer => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>scripted</Message></Error>`,
});
const stored: Answer = { status: 200, headers: { ETag: '"etag"' } };
/** Behind a status of success. */
const failedLate: Answer = { ...error(200, 'InternalError') };
const completed: Answer = {
  status: 200,
  body: '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"etag-1"</ETag></CompleteMultipartUploadResult>',
};

let server: Server;
let store: ObjectStore;
let seen: string[];
/** For each kind of request, what it is answered with, in turn; the last one for ever. */
let script: Record<string, ((nonce: string) => Answer)[]>;
let nonce: string;

beforeEach(async () => {
  seen = [];
  script = {};
  nonce = '';
  server = createServer((request, response) => {
    const kind = kindOf(request);
    seen.push(kind);
    nonce ||= String(request.headers['x-amz-meta-eos-put'] ?? '');
    request.resume();
    request.on('end', () => {
      const answers = script[kind] ?? [];
      const answer =
        (answers.length > 1 ? answers.shift() : answers[0])?.(nonce) ?? error(501, 'NotScripted');
      response.writeHead(answer.status, { 'content-type': 'application/xml', ...answer.headers });
      response.end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on TCP, so it has a port.
  const { port } = server.address() as AddressInfo;
  store = s3ObjectStore({
    bucket: 'bucket',
    client: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      maxAttempts: 2,
    },
  });
});

afterEach(async () => {
  await store.close();
  server.closeAllConnections();
  server.close();
});

function kindOf({ method = '', url = '' }: IncomingMessage): string {
  return url.includes('uploadId=') ? `${method} upload` : method;
}

const head = (of: (nonce: string) => string) => (own: string) => ({
  status: 200,
  headers: { ETag: '"etag"', 'x-amz-meta-eos-put': of(own), 'content-length': '4' },
});
const own = head((nonce) => nonce);
const other = head(() => 'somebody else');
const nobody = () => ({ status: 404 });
const body = Buffer.from('body');
const ABSENT = { condition: { ifAbsent: true } } as const;
const MATCH = { condition: { ifMatch: 'earlier' } } as const;

describe('a put', () => {
  test('that meets another one (409) is sent again', async () => {
    script = { PUT: [() => error(409, 'ConditionalRequestConflict'), () => stored] };
    expect(await store.put('key', body, ABSENT)).toEqual({ stored: true, etag: 'etag' });
    script = {
      PUT: [() => error(409, 'ConditionalRequestConflict'), () => error(412, 'PreconditionFailed')],
      HEAD: [other],
    };
    expect(await store.put('key', body, ABSENT)).toEqual({ stored: false });
  });

  test('whose first answer was lost knows its own write', async () => {
    script = {
      PUT: [() => error(500, 'InternalError'), () => error(412, 'PreconditionFailed')],
      HEAD: [own],
    };
    expect(await store.put('key', body, ABSENT)).toEqual({ stored: true, etag: 'etag' });
  });

  test('is known by its body where the store drops metadata', async () => {
    const bare = { status: 200, headers: { ETag: '"etag"', 'content-length': '4' } };
    script = {
      PUT: [() => error(500, 'InternalError'), () => error(412, 'PreconditionFailed')],
      HEAD: [() => bare],
      GET: [() => ({ ...bare, body: 'body' }), () => ({ ...bare, body: 'ydob' })],
    };
    expect(await store.put('key', body, ABSENT)).toEqual({ stored: true, etag: 'etag' });
    script['PUT'] = [() => error(412, 'PreconditionFailed')];
    expect(await store.put('key', body, ABSENT)).toEqual({ stored: false });
  });

  test.each([
    ['ifAbsent, and the object is gone again', ABSENT, nobody],
    ['ifMatch, and another has replaced it since', MATCH, other],
  ])('whose first answer was lost, %s: unknown', async (_, options, holder) => {
    script = {
      PUT: [() => error(500, 'InternalError'), () => error(412, 'PreconditionFailed')],
      HEAD: [holder],
    };
    await expect(store.put('key', body, options)).rejects.toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      outcome: 'unknown',
    });
  });

  test('over no object (404) is not stored; into no bucket it is an error', async () => {
    script = { PUT: [() => error(404, 'NoSuchKey')], HEAD: [nobody] };
    expect(await store.put('key', body, MATCH)).toEqual({ stored: false });
    script = { PUT: [() => error(404, 'NoSuchBucket')] };
    await expect(store.put('key', body, MATCH)).rejects.toMatchObject({ code: 'EOS_CONFIG' });
  });

  test('that is throttled to the end had no effect, and may be tried again', async () => {
    script = { PUT: [() => error(503, 'SlowDown')] };
    const failure = { code: 'EOS_UNAVAILABLE', outcome: 'aborted', retryable: true };
    await expect(store.put('key', body, ABSENT)).rejects.toMatchObject(failure);
    expect(seen).toEqual(['PUT', 'PUT']);
  });

  test('that fails at the server to the end is unknown; a refused one is not', async () => {
    script = { PUT: [() => error(500, 'InternalError')] };
    await expect(store.put('key', body)).rejects.toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      retryable: true,
    });
    script = { PUT: [() => error(403, 'AccessDenied')] };
    await expect(store.put('key', body)).rejects.toMatchObject({
      code: 'EOS_PERMISSION',
      outcome: 'aborted',
      retryable: false,
    });
  });
});

describe('a completion', () => {
  const sealed = (): SealedUpload => ({
    key: 'key',
    id: 'upload',
    bytes: 4,
    sha256: '',
    nonce: 'mine',
    parts: [{ etag: 'part' }],
  });
  const mine = head(() => 'mine');

  test('that fails behind a status of 200 is sent again', async () => {
    script = { 'POST upload': [() => failedLate, () => completed], HEAD: [mine] };
    expect(await store.complete(sealed())).toEqual({ stored: true, etag: 'etag' });
    expect(seen).toEqual(['POST upload', 'POST upload', 'HEAD']);
  });

  test('of a key that nobody else makes is taken at its word, and only then', async () => {
    script = { 'POST upload': [() => completed], HEAD: [mine] };
    expect(await store.complete(sealed(), { isKeyUnique: true })).toEqual({ stored: true, etag: 'etag-1' });
    expect(seen).toEqual(['POST upload']);
    expect(await store.complete(sealed())).toEqual({ stored: true, etag: 'etag' });
    expect(seen).toEqual(['POST upload', 'POST upload', 'HEAD']);
  });

  test('of an upload that is gone tells by the object whether it was completed', async () => {
    script = { 'POST upload': [() => error(404, 'NoSuchUpload')], HEAD: [mine, other, nobody] };
    expect(await store.complete(sealed())).toEqual({ stored: true, etag: 'etag' });
    expect(await store.complete(sealed())).toEqual({ stored: false, vanished: true });
    expect(await store.complete(sealed())).toEqual({ stored: false, vanished: true });
  });

  test('that meets another write (409) is lost to it, or wants a new upload', async () => {
    script = { 'POST upload': [() => error(409, 'ConditionalRequestConflict')], HEAD: [other, nobody] };
    expect(await store.complete(sealed(), ABSENT)).toEqual({ stored: false });
    expect(await store.complete(sealed(), ABSENT)).toEqual({ stored: false, vanished: true });
  });

  test('that gets no answer is unknown while the upload is there', async () => {
    const parts = '<?xml version="1.0"?><ListPartsResult></ListPartsResult>';
    script = { 'POST upload': [() => failedLate], 'GET upload': [() => ({ status: 200, body: parts })] };
    await expect(store.complete(sealed())).rejects.toMatchObject({ code: 'EOS_UNKNOWN_OUTCOME' });
    script['GET upload'] = [() => error(404, 'NoSuchUpload')];
    script['HEAD'] = [mine];
    expect(await store.complete(sealed())).toEqual({ stored: true, etag: 'etag' });
  });
});
