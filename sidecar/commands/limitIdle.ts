import type { Server } from 'node:http';

/**
 * Ends connections on which nothing has moved for so many milliseconds; but not one whose body has arrived and waits for its
 * answer: a form of two hundred photos is converted for longer than any sender may be silent.
 */
export function limitIdle(server: Server, milliseconds: number): void {
  server.setTimeout(milliseconds);
  server.on('request', (request) => {
    if (request.method === 'PUT' || request.method === 'POST')
      // Node sets the limit anew for the next request.
      request.once('end', () => request.socket.setTimeout(0));
  });
}
