import { createHmac } from 'node:crypto';
import type { Channel, Message } from '../channel.js';
import { post } from '../post.js';

/**
 * JSON to an address of one's own, signed as Standard Webhooks says (standardwebhooks.com, spec 1.0.0): three headers, and
 * HMAC-SHA256 over `<id>.<timestamp>.<body>`. The id stays the same when a notice is sent again, so that a receiver can
 * leave out a double.
 */
export const webhook: Channel = {
  id: 'webhook',
  name: 'Webhook',
  what: 'Posts JSON to an address that you choose, for Home Assistant, n8n or a script.',
  fields: [
    { name: 'url', label: 'Address', secret: true, is: 'address', placeholder: 'https://example.com/hook' },
    {
      name: 'secret',
      label: 'Signing secret',
      secret: true,
      optional: true,
      help: 'Signs each notice as Standard Webhooks does: HMAC-SHA256 in the header webhook-signature.',
    },
  ],
  async send({ url = '', secret }, message) {
    const body = JSON.stringify(bodyOf(message));
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'webhook-id': message.id,
      'webhook-timestamp': timestamp,
    };
    if (secret) headers['webhook-signature'] = `v1,${signature(secret, `${message.id}.${timestamp}.${body}`)}`;
    await post(url, { headers, body });
  },
};

/** The picture goes along as base64: an address of this page would need its login. */
function bodyOf({ id, kind, at, level, title, text, session, url, facts, actions, image }: Message) {
  const picture = image && { name: image.name, type: image.type, base64: Buffer.from(image.bytes).toString('base64') };
  return {
    type: `trackside.${kind}`,
    timestamp: at,
    data: { id, level, title, text, session, url, facts, actions, picture },
  };
}

/** A secret that begins with `whsec_` is base64, as the specification has it; any other is taken as text. */
function signature(secret: string, signed: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  return createHmac('sha256', key).update(signed).digest('base64');
}
