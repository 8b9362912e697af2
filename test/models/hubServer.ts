import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A repository file as the hub would hold it; large ones lie on the CDN under their SHA-256. */
export type HubContent = { repo: string; file: string; content: Buffer; large?: boolean };

/** How the next answers of the CDN go wrong, one entry an answer; a number of bytes after which it is cut. */
export type Trouble =
  | { cutAfter: number }
  | { status: number; retryAfter?: number }
  | { wrongContent: true }
  | { silentAfter: number }
  | { noRanges: true };

export type HubServer = {
  /** For HF_ENDPOINT. */
  endpoint: string;
  put(content: HubContent): void;
  /** Repositories that need this token, and accounts that have not accepted the licence. */
  gate(repo: string, token: string): void;
  /** What the next requests to the CDN meet. */
  trouble: Trouble[];
  /** The same for the hub itself. */
  hubTrouble: number[];
  /** Bytes a second of the CDN; 0 for as fast as it can. */
  pace: number;
  requests: {
    server: 'hub' | 'cdn';
    method: string;
    path: string;
    authorization: string | null;
    range: string | null;
  }[];
  /** Bytes that the CDN sent. */
  sent: number;
  close(): Promise<void>;
};

/**
 * Answers as the hub does: `resolve/` with X-Linked-*, a redirect to another server for large files, ranges, and
 * X-Error-Code where it refuses. On loopback; a real server, so that connections really break.
 */
export async function startHub(): Promise<HubServer> {
  const contents = new Map<string, HubContent>();
  const blobs = new Map<string, Buffer>();
  const gates = new Map<string, string>();
  const cdn = createServer((request, response) => void serveBlob(request, response));
  const hub = createServer((request, response) => serveFile(request, response));
  const cdnAddress = await listen(cdn);
  const endpoint = await listen(hub);
  const self: HubServer = {
    endpoint,
    put(content) {
      contents.set(`${content.repo}/${content.file}`, content);
      blobs.set(sha256(content.content), content.content);
    },
    gate: (repo, token) => void gates.set(repo, token),
    trouble: [],
    hubTrouble: [],
    pace: 0,
    requests: [],
    sent: 0,
    async close() {
      for (const server of [hub, cdn]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };

  function note(server: 'hub' | 'cdn', request: IncomingMessage): void {
    const { authorization = null, range = null } = request.headers;
    self.requests.push({ server, method: request.method ?? '', path: request.url ?? '', authorization, range });
  }

  function serveFile(request: IncomingMessage, response: ServerResponse): void {
    note('hub', request);
    const trouble = self.hubTrouble.shift();
    if (trouble) return void response.writeHead(trouble).end();
    const [, repo = '', , file = ''] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(request.url ?? '') ?? [];
    const found = contents.get(`${repo}/${file}`);
    const known = [...contents.values()].some((each) => each.repo === repo);
    const needed = gates.get(repo);
    if (needed && request.headers.authorization !== `Bearer ${needed}`) {
      const status = request.headers.authorization ? 403 : 401;
      return void response.writeHead(status, { 'X-Error-Code': 'GatedRepo' }).end();
    }
    if (!known) return void response.writeHead(401, { 'X-Error-Code': 'RepoNotFound' }).end();
    if (!found) return void response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
    const digest = sha256(found.content);
    const commit = { 'X-Repo-Commit': 'a'.repeat(40) };
    if (found.large === false) {
      response.writeHead(200, { ...commit, ETag: `"${digest.slice(0, 40)}"`, 'Content-Length': found.content.length });
      return void response.end(request.method === 'HEAD' ? '' : found.content);
    }
    response.writeHead(302, {
      ...commit,
      'X-Linked-Size': found.content.length,
      'X-Linked-ETag': `"${digest}"`,
      Location: `${cdnAddress}/blobs/${digest}?signature=once`,
    });
    response.end();
  }

  async function serveBlob(request: IncomingMessage, response: ServerResponse): Promise<void> {
    note('cdn', request);
    const trouble = self.trouble.shift();
    if (trouble && 'status' in trouble) {
      const wait = trouble.retryAfter ? { 'Retry-After': trouble.retryAfter } : {};
      return void response.writeHead(trouble.status, wait).end();
    }
    const blob = blobs.get(/blobs\/([0-9a-f]+)/.exec(request.url ?? '')?.[1] ?? '') ?? Buffer.alloc(0);
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const from = asked && !(trouble && 'noRanges' in trouble) ? Number(asked) : 0;
    const rest = trouble && 'wrongContent' in trouble ? Buffer.alloc(blob.length - from, 7) : blob.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'Content-Length': rest.length,
      ...(from > 0 ? { 'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}` } : {}),
    });
    const until =
      trouble && 'cutAfter' in trouble
        ? trouble.cutAfter
        : trouble && 'silentAfter' in trouble
          ? trouble.silentAfter
          : rest.length;
    await send(response, rest.subarray(0, until));
    if (trouble && 'cutAfter' in trouble) response.destroy();
    else if (!(trouble && 'silentAfter' in trouble)) response.end();
  }

  async function send(response: ServerResponse, bytes: Buffer): Promise<void> {
    response.setMaxListeners(0);
    const piece = self.pace ? Math.max(1, Math.ceil(self.pace / 20)) : 256 * 1024;
    for (let at = 0; at < bytes.length && !response.destroyed; at += piece) {
      const chunk = bytes.subarray(at, at + piece);
      self.sent += chunk.length;
      if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      if (self.pace) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  return self;
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function once(response: ServerResponse, event: string): Promise<void> {
  return new Promise((resolve) => response.once(event, () => resolve()));
}
