import type { Channel } from '../channel.js';
import { linked } from '../plainText.js';
import { post } from '../post.js';
import { Undelivered } from '../undelivered.js';

/** core.telegram.org/bots/api: sendMessage 4,096 characters, a caption 1,024. */
const MOST_TEXT = 4000;
const MOST_CAPTION = 1000;

/** A message from a bot of one's own. */
export const telegram: Channel = {
  id: 'telegram',
  name: 'Telegram',
  what: 'Messages you through a bot of your own. Get a bot and its token from @BotFather, and send the bot a message once.',
  fields: [
    { name: 'token', label: 'Bot token', secret: true, placeholder: '123456:ABC-DEF…' },
    { name: 'chat', label: 'Chat ID', placeholder: '987654321', help: '@userinfobot tells you yours.' },
    { name: 'server', label: 'Server', is: 'address', optional: true, fallback: 'https://api.telegram.org' },
  ],
  async send({ server = '', token = '', chat = '' }, message) {
    const at = `${server.endsWith('/') ? server.slice(0, -1) : server}/bot${token}`;
    const text = `${message.title}\n${linked(message)}`;
    if (message.image && (await sendPicture(at, chat, text, message.image))) return;
    const body = JSON.stringify({
      chat_id: chat,
      text: text.slice(0, MOST_TEXT),
      link_preview_options: { is_disabled: true },
    });
    await post(`${at}/sendMessage`, { headers: { 'Content-Type': 'application/json' }, body });
  },
};

/** False where the picture is not taken: its sides may be too unequal. */
async function sendPicture(
  at: string,
  chat: string,
  text: string,
  image: { bytes: Uint8Array<ArrayBuffer>; name: string; type: string },
) {
  const form = new FormData();
  form.set('chat_id', chat);
  form.set('caption', text.slice(0, MOST_CAPTION));
  form.set('photo', new Blob([image.bytes], { type: image.type }), image.name);
  try {
    await post(`${at}/sendPhoto`, { body: form });
    return true;
  } catch (error) {
    if (error instanceof Undelivered && !error.again) return false;
    throw error;
  }
}
