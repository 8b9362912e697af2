// The floor for GET /: a bare Hono handler that returns the bytes of a file, in a process of its own.
import { readFileSync } from 'node:fs';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const html = readFileSync(process.argv[2], 'utf8');
serve({ fetch: new Hono().get('/', (c) => c.html(html)).fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}/`),
);
