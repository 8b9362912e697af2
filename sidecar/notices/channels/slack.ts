import type { Channel } from '../channel.js';
import { linked } from '../plainText.js';
import { post } from '../post.js';

/** A message in Slack, or in whatever takes the same (Mattermost, Rocket.Chat). Incoming webhooks take no files. */
export const slack: Channel = {
  id: 'slack',
  name: 'Slack',
  what: 'Posts to a Slack channel, without pictures. Create an app with an incoming webhook at api.slack.com/apps.',
  fields: [
    {
      name: 'url',
      label: 'Webhook address',
      secret: true,
      is: 'address',
      placeholder: 'https://hooks.slack.com/services/…',
    },
  ],
  async send({ url = '' }, message) {
    const text = `*${escaped(message.title)}*\n${escaped(linked(message))}`;
    await post(url, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text }) });
  },
};

/** docs.slack.dev/messaging/formatting-message-text: these three alone. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
