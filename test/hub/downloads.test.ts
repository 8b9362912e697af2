import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDownloads, type Downloads } from '../../sidecar/hub/downloads.js';
import { type HubServer, startHub } from '../models/hubServer.js';
import { until } from '../sidecar.js';

const content = randomBytes(3_000_000);
const repo = 'someone/some-model';
let models: string;
let hub: HubServer;
let token: string | null;
const opened: Downloads[] = [];

beforeEach(async () => {
  models = mkdtempSync(join(tmpdir(), 'trackside-downloads-'));
  hub = await startHub();
  hub.put({ repo, file: 'unet/model.safetensors', content });
  token = null;
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await hub.close();
  rmSync(models, { recursive: true, force: true });
});

describe('a download', () => {
  it('arrives whole, by the size and the hash that the hub promised', async () => {
    const downloads = open();
    await downloads.start(wish());
    await done(downloads);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
    expect(existsSync(join(models, 'unet/model.safetensors.incomplete'))).toBe(false);
    expect(downloads.list()[0]).toMatchObject({ status: 'done', bytes_done: content.length, message: null });
  });

  it('goes on where the connection was cut, and downloads nothing twice', async () => {
    hub.trouble = [{ cutAfter: 1_000_000 }, { cutAfter: 500_000 }, { status: 503 }, { status: 429, retryAfter: 1 }];
    const downloads = open();
    await downloads.start(wish());
    await done(downloads);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
    const ranges = hub.requests.filter(({ server }) => server === 'cdn').map(({ range }) => range);
    expect(ranges).toHaveLength(5);
    // Of a connection that is cut, not all that was sent arrives.
    const began = ranges.map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(began).toEqual(began.toSorted((a, b) => a - b));
    expect(began[1]).toBeGreaterThan(100_000);
    expect(began[2]).toBeGreaterThan(began[1] ?? 0);
  });

  it('begins again where a server knows no ranges', async () => {
    hub.trouble = [{ cutAfter: 1_000_000 }, { noRanges: true }];
    const downloads = open();
    await downloads.start(wish());
    await done(downloads);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
  });

  it('does not wait for ever for a connection that brings nothing', async () => {
    hub.trouble = [{ silentAfter: 1_000_000 }];
    const downloads = open({ silenceMs: 300 });
    await downloads.start(wish());
    await done(downloads);
    expect(hub.sent).toBe(content.length);
  });

  it('throws away what is not what the hub promised, and says so when it happens again', async () => {
    hub.trouble = [{ wrongContent: true }];
    const downloads = open();
    await downloads.start(wish());
    await done(downloads);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
    hub.put({ repo, file: 'other.safetensors', content: randomBytes(1000) });
    hub.trouble = [{ wrongContent: true }, { wrongContent: true }];
    await downloads.start(wish('other.safetensors'));
    const failed = await until(
      () => one(downloads, 'other.safetensors'),
      (each) => each?.status === 'failed',
    );
    expect(failed?.message).toContain('SHA-256');
    expect(existsSync(join(models, 'unet/other.safetensors'))).toBe(false);
  });

  it('begins again when the file was replaced on the hub meanwhile', async () => {
    hub.trouble = [{ cutAfter: 1_000_000 }];
    const downloads = open({ pauses: [0.3] });
    await downloads.start(wish());
    await until(
      () => one(downloads),
      (each) => each?.status === 'waiting',
    );
    const newer = randomBytes(2_000_000);
    hub.put({ repo, file: 'unet/model.safetensors', content: newer });
    await done(downloads);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(newer)).toBe(true);
  });

  it('is not begun a second time while it is under way, nor when the file is here', async () => {
    hub.pace = 1_000_000;
    const downloads = open();
    await downloads.start(wish());
    await expect(downloads.start(wish())).rejects.toMatchObject({ code: 'under_way' });
    hub.pace = 0;
    await done(downloads);
    await expect(downloads.start(wish())).rejects.toMatchObject({ code: 'is_there' });
  });

  it('goes on after a restart of the sidecar, from the bytes that are there', async () => {
    hub.pace = 2_000_000;
    const first = open();
    await first.start(wish());
    await until(
      () => one(first),
      (each) => (each?.bytes_done ?? 0) > 500_000,
    );
    await first.close();
    const there = statSync(join(models, 'unet/model.safetensors.incomplete')).size;
    hub.pace = 0;
    const second = open();
    await second.open();
    await done(second);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
    expect(hub.requests.findLast(({ server }) => server === 'cdn')?.range).toBe(`bytes=${there}-`);
  });

  it('is called off without a trace', async () => {
    hub.pace = 1_000_000;
    const downloads = open();
    const { id } = await downloads.start(wish());
    await until(
      () => one(downloads),
      (each) => (each?.bytes_done ?? 0) > 0,
    );
    await downloads.cancel(id);
    expect(downloads.list()).toEqual([]);
    expect(existsSync(join(models, 'unet/model.safetensors.incomplete'))).toBe(false);
    expect(JSON.parse(readFileSync(join(models, 'downloads.json'), 'utf8'))).toEqual({ downloads: [] });
  });

  it('tells how fast it goes and how long it takes', async () => {
    hub.pace = 1_500_000;
    const downloads = open();
    await downloads.start(wish());
    const facts = await until(
      () => one(downloads),
      (each) => each?.bytes_per_second !== null,
      10,
    );
    expect(facts?.bytes_per_second).toBeGreaterThan(200_000);
    expect(facts?.bytes_per_second).toBeLessThan(3_000_000);
    expect(facts?.eta_seconds).toBeGreaterThanOrEqual(0);
  });

  it('two Tracksides on one folder do not write the same file at once', async () => {
    hub.pace = 2_000_000;
    const [first, second] = [open(), open()];
    await first.start(wish());
    await until(
      () => one(first),
      (each) => (each?.bytes_done ?? 0) > 0,
    );
    await second.open();
    const waiting = await until(
      () => one(second),
      (each) => each?.status !== 'queued',
    );
    expect(waiting?.message).toContain('Another Trackside');
    await done(first);
    await done(second);
    expect(readFileSync(join(models, 'unet/model.safetensors')).equals(content)).toBe(true);
    expect(hub.sent).toBe(content.length);
  });
});

describe('what the hub refuses is said in words', () => {
  const refused = async (downloads: Downloads, file = 'unet/model.safetensors') => {
    await downloads.start(wish(file)).catch(() => {});
    return until(
      () => one(downloads, file.split('/').at(-1)),
      (each) => each?.status === 'failed',
    );
  };

  it('a gated repository: where to accept its licence, and it arrives once that is done', async () => {
    hub.gate(repo, 'hf_right');
    const downloads = open();
    const failed = await refused(downloads);
    expect(failed).toMatchObject({
      link: `${hub.endpoint}/${repo}`,
      message: expect.stringContaining('accept its licence'),
    });
    token = 'hf_somebody-else';
    await downloads.again(failed?.id ?? '');
    const still = await until(
      () => one(downloads),
      (each) => each?.status === 'failed',
    );
    expect(still?.message).toContain('account of your token');
    token = 'hf_right';
    await downloads.again(failed?.id ?? '');
    await done(downloads);
    const authorised = hub.requests.filter(({ authorization }) => authorization !== null);
    expect(
      authorised.every(({ server }) => server === 'hub'),
      'the token goes to the hub only',
    ).toBe(true);
  });

  it('a token that is wrong, a repository and a file that are not there', async () => {
    hub.hubTrouble = [401];
    token = 'hf_wrong';
    expect((await refused(open()))?.message).toContain('does not accept the token');
    token = null;
    hub.put({ repo: 'someone/other', file: 'x.safetensors', content: Buffer.from('x') });
    expect((await refused(open(), 'not-there.safetensors'))?.message).toContain('There is no not-there.safetensors in');
  });

  it('no network: it says so, and goes on by itself', async () => {
    const downloads = open({ endpoint: 'http://127.0.0.1:9' });
    await downloads.start(wish());
    const waiting = await until(
      () => one(downloads),
      (each) => each?.status === 'waiting',
    );
    expect(waiting?.message).toMatch(/Can't reach.*online.*We keep trying/);
    const failed = await until(
      () => one(downloads),
      (each) => each?.status === 'failed',
    );
    expect(failed?.message).toContain("Can't reach");
  });

  it('a disk without space for it: nothing is begun', async () => {
    const huge = hub.endpoint;
    const { createServer } = await import('node:http');
    const server = createServer((_, response) =>
      response.writeHead(302, { 'X-Linked-Size': String(1e15), Location: huge }).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const failed = await refused(open({ endpoint: `http://127.0.0.1:${port}` }));
    server.close();
    expect(failed?.message).toMatch(/Not enough disk space.*Free at least \d+ GB/);
    expect(existsSync(join(models, 'unet/model.safetensors.incomplete'))).toBe(false);
  });
});

it('a downloads.json that somebody broke, or that leads outside, starts nothing', async () => {
  mkdirSync(models, { recursive: true });
  const evil = {
    id: 'x',
    label: 'x',
    repo,
    revision: 'main',
    into: '../..',
    parts: [],
    status: 'queued',
    message: null,
    link: null,
  };
  for (const text of ['{', '[]', JSON.stringify({ downloads: [evil, 7] })]) {
    writeFileSync(join(models, 'downloads.json'), text);
    const downloads = open();
    await downloads.open();
    expect(downloads.list()).toEqual([]);
  }
});

function open(more: { pauses?: number[]; silenceMs?: number; endpoint?: string } = {}): Downloads {
  const { endpoint = hub.endpoint, pauses = Array(8).fill(0.05), silenceMs } = more;
  const downloads = createDownloads({
    models,
    hub: { endpoint, token: () => token },
    changed: () => {},
    pauses,
    ...(silenceMs ? { silenceMs } : {}),
  });
  opened.push(downloads);
  return downloads;
}

function wish(file = 'unet/model.safetensors') {
  const path = file.split('/').at(-1) ?? '';
  return {
    label: 'A model',
    repo,
    revision: 'main',
    into: 'unet',
    parts: [{ file, path, optional: false, etag: null, bytes: null }],
  };
}

const one = (downloads: Downloads, name = '') => downloads.list().find(({ path }) => path.includes(name));
const done = (downloads: Downloads) =>
  until(
    () => downloads.list(),
    (all) => all.every(({ status }) => status === 'done'),
  );
