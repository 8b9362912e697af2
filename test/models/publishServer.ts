import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type PublishServer = {
  endpoint: string;
  /** What each repository holds after its last commit, by path. */
  repos: Map<string, { visibility: string; files: Map<string, Buffer>; commits: string[] }>;
  /** Status codes with which the next requests to a step are answered. */
  trouble: { create: number[]; upload: number[]; commit: number[] };
  /** Large files are sent in parts of so many bytes; 0: in one. */
  partBytes: number;
  /** Bytes a second that an upload is taken with; 0: as they come. */
  pace: number;
  /** How many uploads were taken whole, and the length that each announced. */
  uploads: { announced: string | null; bytes: number; authorization: string | null }[];
  close(): Promise<void>;
};

const TOKEN = 'hf_may-write-here';
export const writeToken = TOKEN;

/**
 * As much of the hub's API as its own library calls to publish: repositories, preupload, Git LFS (in one piece and in
 * parts), commit. What it is sent it keeps, and refuses what does not fit (huggingface/hub commit.ts, create-repo.ts).
 */
export async function startPublishServer(): Promise<PublishServer> {
  const blobs = new Map<string, Buffer>();
  const parts = new Map<string, Buffer[]>();
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: PublishServer = {
    endpoint,
    repos: new Map(),
    trouble: { create: [], upload: [], commit: [] },
    partBytes: 0,
    pace: 0,
    uploads: [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url ?? '');
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    const upload = /^\/upload\/([0-9a-f]{64})(?:\/(\d+))?$/.exec(path);
    if (upload) return takeUpload(request, response, upload[1] ?? '', upload[2]);
    const body = await read(request);
    if (path.startsWith('/complete/')) return complete(response, path, JSON.parse(body.toString()));
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return void json(401, { error: 'Invalid username or password.' });
    if (path === '/api/repos/create') {
      const wrong = self.trouble.create.shift();
      if (wrong) return void json(wrong, { error: 'no' });
      const { name, organization, visibility } = JSON.parse(body.toString());
      const repo = `${organization}/${name}`;
      if (self.repos.has(repo)) return void json(409, { error: 'You already created this model repo' });
      self.repos.set(repo, { visibility, files: new Map(), commits: [] });
      return void json(200, { url: `${endpoint}/${repo}`, id: repo });
    }
    const preupload = /^\/api\/models\/([^/]+\/[^/]+)\/preupload\/main$/.exec(path);
    if (preupload) {
      const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] };
      const mode = (name: string) => (/\.(safetensors|png)$/.test(name) ? 'lfs' : 'regular');
      return void json(200, { files: files.map(({ path: name }) => ({ path: name, uploadMode: mode(name) })) });
    }
    const asked = /^\/api\/models\/([^/]+\/[^/]+)\/paths-info\/main$/.exec(path);
    if (asked) {
      const files = self.repos.get(asked[1] ?? '')?.files;
      const { paths } = JSON.parse(body.toString()) as { paths: string[] };
      const found = paths.flatMap((name) => ({ type: 'file', path: name, oid: 'c', size: files?.get(name)?.length }));
      return void json(
        200,
        found.filter(({ size }) => size !== undefined),
      );
    }
    if (path.endsWith('.git/info/lfs/objects/batch')) return void json(200, batch(JSON.parse(body.toString())));
    const commit = /^\/api\/models\/([^/]+\/[^/]+)\/commit\/main$/.exec(path);
    if (commit) {
      const wrong = self.trouble.commit.shift();
      if (wrong) return void json(wrong, { error: 'no' });
      return void json(200, takeCommit(commit[1] ?? '', body.toString()));
    }
    response.writeHead(404).end();
  }

  function batch({ objects }: { objects: { oid: string; size: number }[] }): unknown {
    return {
      transfer: self.partBytes ? 'multipart' : 'basic',
      objects: objects.map(({ oid, size }) => {
        if (blobs.has(oid)) return { oid, size };
        if (!self.partBytes || size <= self.partBytes)
          return { oid, size, actions: { upload: { href: `${endpoint}/upload/${oid}` } } };
        const count = Math.ceil(size / self.partBytes);
        const numbers = Array.from({ length: count }, (_, i) => String(i + 1).padStart(5, '0'));
        const header = Object.fromEntries(numbers.map((number) => [number, `${endpoint}/upload/${oid}/${number}`]));
        return {
          oid,
          size,
          actions: {
            upload: { href: `${endpoint}/complete/${oid}`, header: { ...header, chunk_size: String(self.partBytes) } },
          },
        };
      }),
    };
  }

  async function takeUpload(
    request: IncomingMessage,
    response: ServerResponse,
    oid: string,
    part?: string,
  ): Promise<void> {
    const wrong = self.trouble.upload.shift();
    if (wrong === 0) return void request.destroy();
    if (wrong) return void response.writeHead(wrong).end();
    const content = await read(request, self.pace);
    self.uploads.push({
      announced: request.headers['content-length'] ?? null,
      bytes: content.length,
      authorization: request.headers.authorization ?? null,
    });
    if (part) {
      const all = parts.get(oid) ?? [];
      all[Number(part) - 1] = content;
      parts.set(oid, all);
      return void response.writeHead(200, { ETag: `"${part}"` }).end();
    }
    const right = createHash('sha256').update(content).digest('hex') === oid;
    if (right) blobs.set(oid, content);
    response.writeHead(right ? 200 : 400).end();
  }

  function complete(
    response: ServerResponse,
    path: string,
    { oid, parts: given }: { oid: string; parts: { etag: string }[] },
  ): void {
    const content = Buffer.concat(parts.get(oid) ?? []);
    const right =
      path.endsWith(oid) &&
      given.every(({ etag }) => etag) &&
      createHash('sha256').update(content).digest('hex') === oid;
    if (right) blobs.set(oid, content);
    response.writeHead(right ? 200 : 400).end();
  }

  function takeCommit(repo: string, text: string): unknown {
    const found = self.repos.get(repo);
    for (const { key, value } of text.split('\n').map((line) => JSON.parse(line))) {
      if (key === 'header') found?.commits.push(value.summary);
      if (key === 'file') found?.files.set(value.path, Buffer.from(value.content, value.encoding));
      if (key === 'lfsFile') found?.files.set(value.path, blobs.get(value.oid) ?? Buffer.alloc(0));
    }
    return { success: true, commitOid: 'c'.repeat(40), commitUrl: `${endpoint}/${repo}/commit/c`, hookOutput: '' };
  }

  return self;
}

async function read(request: IncomingMessage, pace = 0): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    if (pace) await new Promise((resolve) => setTimeout(resolve, (1000 * (chunk as Buffer).length) / pace));
  }
  return Buffer.concat(chunks);
}
