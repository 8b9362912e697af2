import type { Channel, Message } from '../channel.js';
import { post } from '../post.js';
import { Undelivered } from '../undelivered.js';

/** ntfy takes 4,096 bytes of text, and makes a file of more (docs.ntfy.sh/publish, limitations). */
const MOST_BYTES = 3900;
const MOST_ACTIONS = 3;
const PRIORITY = { bad: 4, good: 3, plain: 3 };
const TAGS = { bad: 'warning', good: 'white_check_mark', plain: 'bell' };

/** A push to the phone through ntfy.sh or a server of one's own (docs.ntfy.sh/publish, 2.14). */
export const ntfy: Channel = {
  id: 'ntfy',
  name: 'ntfy',
  what: 'Pushes to the ntfy app on your phone, with buttons. Choose a topic that nobody can guess, and subscribe to it in the app.',
  fields: [
    { name: 'topic', label: 'Topic', placeholder: 'trackside-7f3kq2' },
    { name: 'server', label: 'Server', is: 'address', optional: true, fallback: 'https://ntfy.sh' },
    {
      name: 'token',
      label: 'Access token',
      secret: true,
      optional: true,
      help: 'For a server or a topic with a login.',
    },
  ],
  async send({ server = '', topic = '', token }, message) {
    const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
    const root = server.endsWith('/') ? server.slice(0, -1) : server;
    if (message.image && (await sendWithPicture(root, topic, headers, message, message.image))) return;
    await post(`${root}/`, { headers, body: JSON.stringify({ topic, ...published(message) }) });
  },
};

function published({ title, text, level, url, actions }: Message) {
  return {
    title,
    message: cut(text),
    priority: PRIORITY[level],
    tags: [TAGS[level]],
    ...(url ? { click: url } : {}),
    actions: actions
      .slice(0, MOST_ACTIONS)
      .map(({ label, url, method }) =>
        method === 'POST' ? { action: 'http', label, url, method, clear: true } : { action: 'view', label, url },
      ),
  };
}

/** The picture is the body, all else the query. False where the server takes no files: many do not. */
async function sendWithPicture(
  root: string,
  topic: string,
  headers: Record<string, string>,
  message: Message,
  image: NonNullable<Message['image']>,
): Promise<boolean> {
  const { tags, actions, ...plain } = published(message);
  const query = new URLSearchParams({ filename: image.name, tags: tags.join(',') });
  for (const [name, value] of Object.entries(plain)) query.set(name, String(value));
  if (actions.length > 0) query.set('actions', JSON.stringify(actions));
  try {
    await post(`${root}/${encodeURIComponent(topic)}?${query}`, { method: 'PUT', headers, body: image.bytes });
    return true;
  } catch (error) {
    if (error instanceof Undelivered && !error.again) return false;
    throw error;
  }
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MOST_BYTES) return text;
  return `${bytes.subarray(0, MOST_BYTES).toString('utf8').replaceAll('\ufffd', '')}…`;
}
