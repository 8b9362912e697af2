import type { Channel } from '../channel.js';
import { linked } from '../plainText.js';
import { post } from '../post.js';

/** Discord takes 2,000 characters (discord.com/developers/docs/resources/webhook, execute webhook). */
const MOST = 1900;

/** A message in a Discord channel. */
export const discord: Channel = {
  id: 'discord',
  name: 'Discord',
  what: 'Posts to a channel of your server. In its settings: Integrations, Webhooks, New Webhook, Copy URL.',
  fields: [
    {
      name: 'url',
      label: 'Webhook address',
      secret: true,
      is: 'address',
      placeholder: 'https://discord.com/api/webhooks/…',
    },
  ],
  async send({ url = '' }, message) {
    const content = `**${message.title}**\n${linked(message)}`.slice(0, MOST);
    // Nobody is called by what a script writes.
    const payload = JSON.stringify({ content, allowed_mentions: { parse: [] } });
    if (!message.image) {
      await post(url, { headers: { 'Content-Type': 'application/json' }, body: payload });
      return;
    }
    const form = new FormData();
    form.set('payload_json', payload);
    form.set('files[0]', new Blob([message.image.bytes], { type: message.image.type }), message.image.name);
    await post(url, { body: form });
  },
};
