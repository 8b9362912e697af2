import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a server of these took. */
export type Taken = { path: string; method: string; headers: IncomingHttpHeaders; body: Buffer; status: number };

/** A server on loopback that notices are sent to. */
export type NoticeServer = {
  url: string;
  /** Every request, in order, with how it was answered. */
  taken: Taken[];
  /** Those that were taken well. */
  good(): Taken[];
  /** Closes the port, as a server that is down. */
  down(): Promise<void>;
  /** Opens the same port again. */
  up(): Promise<void>;
};

export type Answer = { status: number; headers?: Record<string, string>; body?: string };

/** `answer` decides by what was sent; it may read it as its protocol has it, and refuse. */
export async function startNoticeServer(
  answer: (taken: Omit<Taken, 'status'>) => Answer | Promise<Answer>,
): Promise<NoticeServer> {
  const taken: Taken[] = [];
  const make = () =>
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', async () => {
        const sent = { path: request.url ?? '', method: request.method ?? '', headers: request.headers };
        const body = Buffer.concat(chunks);
        const { status, headers = {}, body: said = '' } = await answer({ ...sent, body });
        taken.push({ ...sent, body, status });
        response.writeHead(status, headers).end(said);
      });
    });
  let server: Server = make();
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    taken,
    good: () => taken.filter(({ status }) => status < 300),
    async down() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async up() {
      server = make();
      await listen(server, port);
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** A notice as an ntfy server understands it: JSON to its root, or a file with the rest in the query (docs.ntfy.sh/publish). */
export function readNtfy({ path, method, body }: Omit<Taken, 'status'>): Record<string, unknown> | null {
  const { pathname, searchParams } = new URL(path, 'http://ntfy');
  if (method === 'PUT') {
    const actions = searchParams.get('actions');
    return {
      ...Object.fromEntries(searchParams),
      ...(actions ? { actions: JSON.parse(actions) } : {}),
      topic: pathname.slice(1),
      attachment: body,
    };
  }
  if (method !== 'POST' || pathname !== '/') return null;
  const message = JSON.parse(body.toString()) as Record<string, unknown>;
  return typeof message.topic === 'string' && /^[-_A-Za-z0-9]{1,64}$/.test(message.topic) ? message : null;
}
