import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type BadLine = {
  url: string;
  /** What happened on it so far. */
  seen: { requests: number; cuts: number; tooLarge: number; badGateway: number; bytes: number; largestBody: number };
  /** Cuts all connections once. */
  cut(): void;
  close(): Promise<void>;
};

/** The limits of a proxy before a pod: bodies above `largestBody` bytes get a 413 of its own, and no connection lasts. */
export type Limits = {
  largestBody: number;
  /** Milliseconds after which a connection is cut, whatever is on it. */
  longest?: number;
  /** How often a body is cut at a random place, and a request answered with 502: 0 to 1. */
  cuts?: number;
  badGateway?: number;
  /** Take a body whole before the first byte of it goes on, as nginx does. */
  buffering?: boolean;
  /** Hold an answer back until it has ended. */
  holding?: boolean;
  /** Milliseconds by which each answer is late. */
  delay?: number;
  random?: () => number;
};

/** A real HTTP proxy on a free port of the loopback that behaves as badly as told; `limits` may change meanwhile. */
export async function openBadLine(target: number, limits: Limits): Promise<BadLine> {
  const random = limits.random ?? Math.random;
  const seen: BadLine['seen'] = { requests: 0, cuts: 0, tooLarge: 0, badGateway: 0, bytes: 0, largestBody: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    seen.requests += 1;
    const announced = Number(incoming.headers['content-length'] ?? 0);
    if (announced > limits.largestBody) {
      seen.tooLarge += 1;
      outgoing.writeHead(413, { 'Content-Type': 'text/html', Connection: 'close' });
      outgoing.end('<html><h1>413 Request Entity Too Large</h1></html>');
      return;
    }
    seen.largestBody = Math.max(seen.largestBody, announced);
    if (random() < (limits.badGateway ?? 0)) {
      seen.badGateway += 1;
      incoming.resume();
      incoming.on('end', () => outgoing.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>502</html>'));
      return;
    }
    const cutAt = announced > 0 && random() < (limits.cuts ?? 0) ? Math.floor(random() * announced) : null;
    const onward = request({
      host: '127.0.0.1',
      port: target,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    });
    onward.on('response', async (answer) => {
      answer.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      if (limits.delay) await new Promise((resolve) => setTimeout(resolve, limits.delay));
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (!limits.holding) return answer.pipe(outgoing);
      const whole: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => whole.push(chunk));
      return answer.on('end', () => outgoing.end(Buffer.concat(whole)));
    });
    onward.on('error', () => incoming.socket.destroy());
    incoming.on('close', () => !incoming.complete && onward.destroy());
    let bytes = 0;
    const held: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      seen.bytes += chunk.length;
      if (cutAt !== null && bytes > cutAt) {
        seen.cuts += 1;
        incoming.socket.destroy();
        onward.destroy();
      } else if (limits.buffering) held.push(chunk);
      else if (!onward.write(chunk)) {
        incoming.pause();
        onward.once('drain', () => incoming.resume());
      }
    });
    incoming.on('end', () => {
      for (const chunk of held) onward.write(chunk);
      onward.end();
    });
    incoming.on('error', () => onward.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (limits.longest === undefined) return;
    const timer = setTimeout(() => {
      if (socket.bytesRead > 0) seen.cuts += 1;
      socket.destroy();
    }, limits.longest);
    socket.on('close', () => clearTimeout(timer));
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    seen,
    cut,
    async close() {
      server.close();
      cut();
    },
  };
}
