import { join } from 'node:path';
import { z } from 'zod';
import { ended } from '../caught.js';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { refuseUnknown } from '../nearestName.js';
import { Problem } from '../problem.js';

/** What has to be typed before Lambda may destroy an instance. */
export const TERMINATE = 'terminate';

const amount = (most: number) => z.coerce.number('a number').min(0, 'a number from 0').max(most, `at most ${most}`);

const schema = z.object({
  /** US dollars an hour; 0 to ask the provider. */
  price: amount(1000).default(0),
  /** US dollars; 0 for no limit. */
  limit: amount(1_000_000).default(0),
  /** Does the pod stop by itself? */
  stops: z.stringbool().or(z.boolean()).default(false),
  /** Does it wait while somebody is logged in? */
  logins: z.stringbool().or(z.boolean()).default(true),
  /** Minutes after the last training. */
  minutes: z.coerce.number('a number').gt(0, 'a number above 0').max(10_080, 'at most 10080, a week').default(10),
  provider: z.enum(['', 'runpod', 'vast', 'lambda', 'command'], 'one of runpod, vast, lambda, command').default(''),
  /** Of Lambda. */
  instance: z.string().max(100, 'shorter').default(''),
  key: z.string().max(500, 'shorter').default(''),
  word: z.string().max(50, 'shorter').default(''),
  command: z.string().max(2000, 'shorter').default(''),
  /** `hub` or `rclone`; '' for no upload. */
  upload: z.enum(['', 'hub', 'rclone'], 'hub, rclone or nothing').default(''),
  /** The account on the hub, or rclone's `remote:path`. */
  target: z.string().max(500, 'shorter').default(''),
});

export type PodSettings = z.infer<typeof schema>;
export type PodStore = ReturnType<typeof openPodSettings>;

const FILE = 'pod.json';
/** Bytes. */
const LARGEST = 50_000;

/** Keeps what the pod costs and how it stops in `pod.json`, mode 0600, in the private folder: it may hold a key. */
export function openPodSettings({ folder, teach }: { folder: string; teach(value: string): void }) {
  const path = join(folder, FILE);
  let settings = readJsonNow(path, LARGEST, schema, schema.parse({}), 'pod');
  let writing = Promise.resolve();
  if (settings.key) teach(settings.key);

  return {
    now: (): PodSettings => settings,
    /** Changes what is named. An empty key keeps the one that is there. Throws a Problem for a wrong value. */
    async edit(fields: Record<string, unknown>): Promise<void> {
      refuseUnknown(fields, Object.keys(schema.shape));
      const typed = Object.fromEntries(
        Object.entries(fields).flatMap(([name, value]) => {
          const text = typeof value === 'string' ? value.trim() : value;
          return name === 'key' && text === '' ? [] : [[name, text === '' && NUMBERS.includes(name) ? 0 : text]];
        }),
      );
      writing = ended(writing).then(async () => {
        const parsed = schema.safeParse({ ...settings, ...typed });
        if (!parsed.success) {
          const issue = parsed.error.issues[0];
          const field = String(issue?.path[0]);
          throw new Problem('bad_pod', `It must be ${issue?.message}.`, { field });
        }
        requireWhole(parsed.data);
        await writePrivate(path, `${JSON.stringify(parsed.data, null, 2)}\n`);
        settings = parsed.data;
        if (settings.key) teach(settings.key);
      });
      await writing;
    },
  };
}

const NUMBERS = ['price', 'limit'];

/** Throws a Problem for a stop that could not work. */
function requireWhole({ stops, provider, word, instance, key, command, upload, target }: PodSettings): void {
  const refuse = (field: string, message: string): never => {
    throw new Problem('bad_pod', message, { field });
  };
  if (upload === 'hub' && !/^[\w.-]+$/.test(target)) refuse('target', 'Enter the name of your account on the hub.');
  if (upload === 'rclone' && !target.includes(':')) refuse('target', 'Enter an rclone target, such as drive:loras.');
  if (!stops) return;
  if (provider === 'command' && !command) refuse('command', 'Enter the command that stops this pod.');
  if (provider !== 'lambda') return;
  if (!instance) refuse('instance', 'Enter the ID of the instance.');
  if (!key) refuse('key', 'Enter an API key of your Lambda account.');
  if (word !== TERMINATE) {
    const what = 'Lambda destroys the instance and everything on it except a persistent filesystem.';
    refuse('word', `${what} Type “${TERMINATE}” to allow that.`);
  }
}
