import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonNow } from '../files/jsonFile.js';
import { writePrivate } from '../files/privateFile.js';
import { Problem } from '../problem.js';
import { sameText } from './token.js';

const FILE = 'shares.json';
/** Bytes, and links. */
const LARGEST = 1_000_000;
const MOST = 500;
export const LONGEST_HOURS = 24 * 90;

/** A link that lets somebody without the token read one session, or one LoRA, until it expires or is revoked. */
export const share = z
  .object({
    id: z.string(),
    /** A session by its name, or all versions of a LoRA by its name. */
    about: z.enum(['session', 'lora']),
    name: z.string(),
    created_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'Share' });
export type Share = z.infer<typeof share>;

export type Shares = ReturnType<typeof openShares>;

/**
 * Read-only links, in the private folder. A link holds an id and our signature of it, so that no file holds what opens it;
 * the file is read for each request, so that a link that is revoked is dead at once.
 *
 * @param sign signs with a key that only this sidecar has, and that a new token changes
 */
export function openShares(folder: string, sign: (text: string) => string, now: () => number = Date.now) {
  const path = join(folder, FILE);
  const read = () => readJsonNow<Share[]>(path, LARGEST, z.array(share), [], 'security');
  const valid = () => read().filter(({ expires_at }) => Date.parse(expires_at) > now());
  const write = (all: readonly Share[]) => writePrivate(path, `${JSON.stringify(all)}\n`);
  return {
    /** Those that still open something, the newest first. */
    list: () => valid().toReversed(),
    /** What stands in the address of a link. */
    keyOf: ({ id }: Pick<Share, 'id'>) => `${id}.${sign(`share ${id}`)}`,
    async make(about: Share['about'], name: string, hours: number): Promise<Share> {
      const all = valid();
      if (all.length >= MOST) throw new Problem('too_many_shares', `There are ${MOST} links: revoke some first.`);
      const at = now();
      const made = {
        id: randomBytes(12).toString('base64url'),
        about,
        name,
        created_at: new Date(at).toISOString(),
        expires_at: new Date(at + hours * 3_600_000).toISOString(),
      };
      await write([...all, made]);
      return made;
    },
    /** The link is dead afterwards. Throws a Problem if there is none. */
    async revoke(id: string): Promise<Share> {
      const found = read().find((each) => each.id === id);
      if (!found) throw noShare();
      await write(valid().filter((each) => each.id !== id));
      return found;
    },
    /** The link of this key. Throws a Problem, the same for one that never was, has expired, or was revoked. */
    find(key: string): Share {
      const [id = '', signature = ''] = key.split('.');
      const found = sameText(signature, sign(`share ${id}`)) && valid().find((each) => each.id === id);
      if (!found) throw noShare();
      return found;
    },
  };
}

function noShare(): Problem {
  return new Problem('no_share', 'This link has expired or was revoked. Ask for a new one.');
}
