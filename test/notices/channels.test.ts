import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Message } from '../../sidecar/notices/channel.js';
import { channelOf } from '../../sidecar/notices/noticeSettings.js';
import type { Undelivered } from '../../sidecar/notices/undelivered.js';
import { type Answer, type NoticeServer, startNoticeServer, type Taken } from './servers.js';

const picture = { name: 'cat.jpg', type: 'image/jpeg', bytes: new Uint8Array([0xff, 0xd8, 0xff, 1, 2, 3]) };
const message: Message = {
  id: 'completed:cat:1',
  kind: 'completed',
  at: '2026-11-22T09:00:00.000Z',
  level: 'good',
  title: 'Ä cat <V1> is trained',
  text: 'Loss 0.1 & falling\n@everyone',
  session: 'cat-V1',
  url: 'https://pod.example/sessions/cat-V1',
  facts: {},
  picture: null,
  actions: [{ label: 'Cancel', url: 'https://pod.example/act/x', method: 'POST' }],
  image: picture,
};

let answer: Answer = { status: 200 };
let server: NoticeServer;
let folder: string;
const path = process.env.PATH;
beforeAll(async () => {
  server = await startNoticeServer((sent) =>
    sent.path.includes('no-files') && isFile(sent) ? { status: 400 } : answer,
  );
  folder = mkdtempSync(join(tmpdir(), 'trackside-channels-'));
});
afterAll(async () => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
  await server.down();
});

function isFile({ headers }: Omit<Taken, 'status'>): boolean {
  return headers['content-type']?.startsWith('multipart/form-data') ?? false;
}

const send = (id: string, values: Record<string, string>, what: Message = message) => channelOf(id).send(values, what);

/** The fields of a form as a server reads them. */
async function formOf({ headers, body }: Taken): Promise<FormData> {
  return new Response(new Uint8Array(body), {
    headers: { 'Content-Type': String(headers['content-type']) },
  }).formData();
}

const last = () => server.taken.at(-1) as Taken;

test('Discord gets the words and the picture, and nobody is called by them', async () => {
  await send('discord', { url: `${server.url}/api/webhooks/1/x` });
  const form = await formOf(last());
  const payload = JSON.parse(String(form.get('payload_json')));
  expect(payload.allowed_mentions).toEqual({ parse: [] });
  expect(payload.content).toContain('**Ä cat <V1> is trained**\nLoss 0.1 & falling\n@everyone\nhttps://pod.example/');
  expect(Buffer.from(await (form.get('files[0]') as File).arrayBuffer())).toEqual(Buffer.from(picture.bytes));
});

test('Slack gets the words with its three signs escaped', async () => {
  await send('slack', { url: `${server.url}/services/T/B/x` });
  expect(JSON.parse(last().body.toString()).text).toBe(
    '*Ä cat &lt;V1&gt; is trained*\nLoss 0.1 &amp; falling\n@everyone\nhttps://pod.example/sessions/cat-V1\nCancel: https://pod.example/act/x',
  );
});

test('Telegram gets a photo with a caption, and the words alone where it takes none', async () => {
  await send('telegram', { token: '1:abc', chat: '42', server: server.url });
  expect(last().path).toBe('/bot1:abc/sendPhoto');
  const form = await formOf(last());
  expect(form.get('chat_id')).toBe('42');
  expect(String(form.get('caption'))).toContain('Loss 0.1 & falling');
  await send('telegram', { token: 'no-files', chat: '42', server: server.url });
  expect(last().path).toBe('/botno-files/sendMessage');
  expect(JSON.parse(last().body.toString())).toMatchObject({
    chat_id: '42',
    link_preview_options: { is_disabled: true },
  });
});

test('a server that is busy is asked again when it says, one that refuses is not, and no address is in the words', async () => {
  const failure = async (status: number, headers = {}): Promise<Undelivered> => {
    answer = { status, headers, body: 'because' };
    return send('slack', { url: `${server.url}/services/very-secret` }).then(
      () => Promise.reject(new Error('it was taken')),
      (error: Undelivered) => error,
    );
  };
  expect(await failure(429, { 'Retry-After': '7' })).toMatchObject({ again: true, afterSeconds: 7 });
  expect(await failure(503)).toMatchObject({ again: true });
  const refused = await failure(404);
  expect(refused).toMatchObject({ again: false, message: 'The server answered with 404: because.' });
  answer = { status: 200 };
  await server.down();
  const gone = await send('slack', { url: `${server.url}/services/very-secret` }).catch((error: Undelivered) => error);
  await server.up();
  expect(gone).toMatchObject({ again: true });
  expect(String(gone)).not.toContain('very-secret');
});

type Mail = { from: string; to: string[]; text: string; user: string | undefined };

async function startMailServer(): Promise<{ port: string; mails: Mail[]; close(): Promise<void> }> {
  const mails: Mail[] = [];
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('Invalid username or password')),
    onData(stream, { envelope, user }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        mails.push({
          from,
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString(),
          user,
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const { port } = smtp.server.address() as AddressInfo;
  return { port: String(port), mails, close: () => new Promise((resolve) => smtp.close(resolve)) };
}

test('a mail carries the words and the picture; a wrong password and missing encryption are said', async () => {
  const { port, mails, close } = await startMailServer();
  const to = { to: 'me@example.com', from: 'pod@example.com', host: '127.0.0.1', port, user: 'me' };
  await send('email', { ...to, security: 'none', password: 'right' });
  expect(mails[0]).toMatchObject({ from: 'pod@example.com', to: ['me@example.com'], user: 'me' });
  const [head = ''] = mails[0]?.text.split('\r\n\r\n') ?? [];
  expect(head).toContain('Auto-Submitted: auto-generated');
  expect(head).toMatch(/Subject: =\?UTF-8\?/);
  expect(mails[0]?.text).toContain('Loss 0.1 & falling');
  expect(mails[0]?.text).toContain(Buffer.from(picture.bytes).toString('base64'));
  await expect(send('email', { ...to, security: 'none', password: 'wrong' })).rejects.toMatchObject({
    again: false,
    message: 'The mail server does not accept the user or the password.',
  });
  await expect(send('email', { ...to, security: 'starttls', password: 'right' })).rejects.toMatchObject({
    again: false,
  });
  expect(mails).toHaveLength(1);
  await close();
  await expect(send('email', { ...to, security: 'none', password: 'right' })).rejects.toMatchObject({ again: true });
});

test('Apprise is used where it is installed; its addresses are in no command line, and its exit code counts', async () => {
  process.env.PATH = folder;
  expect(await channelOf('apprise').missing?.()).toContain('pip install apprise');
  // As its command line does: --config FILE, --title, --body, --attach; it prints whatever happens.
  const script = `#!/bin/sh\necho "$*" > ${folder}/args; cat "$2" > ${folder}/config; echo done\nexit "$(cat ${folder}/code)"\n`;
  writeFileSync(join(folder, 'apprise'), script);
  chmodSync(join(folder, 'apprise'), 0o755);
  process.env.PATH = `${folder}:${path}`;
  expect(await channelOf('apprise').missing?.()).toBeNull();
  writeFileSync(join(folder, 'code'), '0');
  await send('apprise', { urls: 'pover://user@very-secret' });
  expect(readFileSync(join(folder, 'config'), 'utf8')).toBe('pover://user@very-secret\n');
  const args = readFileSync(join(folder, 'args'), 'utf8');
  expect(args).not.toContain('very-secret');
  expect(args).toContain('--title Ä cat <V1> is trained');
  expect(args).toMatch(/--attach \S+cat\.jpg/);
  writeFileSync(join(folder, 'code'), '1');
  await expect(send('apprise', { urls: 'pover://user@x' })).rejects.toMatchObject({ again: true });
  // Some of several may have got it.
  await expect(send('apprise', { urls: 'a://x\nb://y' })).rejects.toMatchObject({ again: false });
});
