import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Something between a browser and a sidecar, on a free port of this machine. */
export type ProxyServer = { port: number; close(): void };

/**
 * RunPod's: https, the name of the pod passed on, every connection cut after 100 s, whatever it does
 * (docs.runpod.io/pods/configuration/expose-ports). Only streams live so long: here they are cut after less.
 */
export async function openRunPod(to: string, cutAfterMs: number): Promise<ProxyServer & { cuts(): number }> {
  let cuts = 0;
  const server = await openHttp(true, (asked, answer) => {
    const headers = { ...asked.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.9' };
    pass(to, asked, answer, asked.url ?? '/', headers, (given) => {
      given.pipe(answer);
      if (given.headers['content-type'] !== 'text/event-stream') return;
      const cut = setTimeout(() => {
        cuts += 1;
        answer.destroy();
      }, cutAfterMs);
      answer.on('close', () => clearTimeout(cut));
    });
  });
  return { ...server, cuts: () => cuts };
}

/** Vast's: a port of the host, passed on as it comes (docs.vast.ai/guides/instances/connect/networking). */
export async function openVast(to: string): Promise<ProxyServer> {
  const { hostname, port } = new URL(to);
  const server = createTcpServer((asked) => {
    const passed = connect(Number(port), hostname);
    asked.pipe(passed).pipe(asked);
    asked.on('error', () => passed.destroy()).on('close', () => passed.destroy());
    passed.on('error', () => asked.destroy()).on('close', () => asked.destroy());
  });
  return listening(server);
}

/**
 * Jupyter's: its own path taken off the front, and answers passed on once they are whole, but for requests that accept
 * `text/event-stream` and nothing else (jupyter-server-proxy 4, handlers.py).
 */
export function openJupyter(to: string, prefix: string): Promise<ProxyServer> {
  return openHttp(false, (asked, answer) => {
    const path = below(prefix, asked);
    if (path === null) return void answer.writeHead(404).end();
    const headers = { ...asked.headers, 'x-forwarded-context': prefix, 'x-forwarded-prefix': prefix };
    pass(to, asked, answer, path, headers, (given) => {
      if (asked.headers.accept === 'text/event-stream') return given.pipe(answer);
      const whole: Buffer[] = [];
      given.on('data', (chunk) => whole.push(chunk));
      return given.on('end', () => answer.end(Buffer.concat(whole)));
    });
  });
}

/** nginx, with https and a location: HTTP/1.0 towards us, and 8 kB gathered before any is sent, unless we say otherwise. */
export function openNginx(to: string, prefix: string): Promise<ProxyServer> {
  return openHttp(true, (asked, answer) => {
    const path = below(prefix, asked);
    if (path === null) return void answer.writeHead(404).end();
    const headers = { ...asked.headers, 'x-forwarded-proto': 'https', connection: 'close' };
    pass(to, asked, answer, path, headers, (given) => {
      if (given.headers['x-accel-buffering'] === 'no') return given.pipe(answer);
      let gathered = Buffer.alloc(0);
      given.on('data', (chunk) => {
        gathered = Buffer.concat([gathered, chunk]);
        if (gathered.length < 8192) return;
        answer.write(gathered);
        gathered = Buffer.alloc(0);
      });
      return given.on('end', () => answer.end(gathered));
    });
  });
}

function pass(
  to: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  path: string,
  headers: OutgoingHttpHeaders,
  sendOn: (given: IncomingMessage) => unknown,
): void {
  const { hostname, port } = new URL(to);
  const passed = request({ hostname, port, method: asked.method, headers, path, agent: false }, (given) => {
    const { 'x-accel-buffering': _, ...shown } = given.headers;
    answer.writeHead(given.statusCode ?? 502, shown);
    answer.flushHeaders();
    sendOn(given);
    given.on('error', () => answer.destroy());
  });
  passed.on('error', () => answer.destroy());
  answer.on('close', () => passed.destroy());
  asked.pipe(passed);
}

function below(prefix: string, { url = '' }: IncomingMessage): string | null {
  return url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : null;
}

function openHttp(secure: boolean, listener: RequestListener): Promise<ProxyServer> {
  const server: Server = secure ? createSecureServer(certificate(), listener) : createServer(listener);
  return listening(server);
}

function listening(server: Server | TcpServer): Promise<ProxyServer> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, close }));
  });
}

/** One that nobody knows, for a day. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'trackside-tls-'));
  try {
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    execFileSync('openssl', [...made, '-subj', '/CN=proxy', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
