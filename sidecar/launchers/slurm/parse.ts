/** The stable text formats of Slurm 21.08 to 25.11. The name is last: those of others may hold any character. */
export const QUEUE_FORMAT = '%i|%T|%r|%N|%S|%e|%P|%Q|%j';

export type QueueLine = {
  id: string;
  state: string;
  reason: string;
  hosts: string[];
  /** ISO 8601; null where it is not known. */
  startsAt: string | null;
  endsAt: string | null;
  partition: string;
  priority: number;
  name: string;
};

const FIELDS = QUEUE_FORMAT.split('|').length;
/** The name of a job of ours: that and the id of its attempt (options.ts). */
export const OWN_NAME = /^ts-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads what `squeue -h -o QUEUE_FORMAT` prints, with times in seconds. A line with fewer or more fields is still the line of
 * its job, of which what stands elsewhere is not known: nobody may take such a job for forgotten. Pure.
 */
export function readQueue(printed: string): QueueLine[] {
  return printed.split('\n').flatMap((line) => {
    const raw = line.split('|');
    const words = raw.map((word) => word.trim());
    const [id = '', state = ''] = words;
    if (!/^\d/.test(id)) return [];
    const last = words.at(-1) ?? '';
    const isWhole = words.length === FIELDS || (words.length > FIELDS && !OWN_NAME.test(last));
    const [reason = '', hosts = '', start = '', end = '', partition = '', priority = ''] = isWhole
      ? words.slice(2)
      : [];
    return [
      {
        id,
        state,
        reason: wordOf(reason),
        hosts: expandHosts(hosts),
        startsAt: momentOf(start),
        endsAt: momentOf(end),
        partition,
        priority: Number(priority) || 0,
        name: isWhole
          ? raw
              .slice(FIELDS - 1)
              .join('|')
              .trim()
          : last,
      },
    ];
  });
}

/** A value as Slurm's programs print it, without what they write for none. */
export function wordOf(value: string): string {
  return /^(?:\(null\)|N\/A|None|Unknown)$/i.test(value) ? '' : value;
}

/** Seconds since 1970, as ISO 8601; null for anything else. */
export function momentOf(seconds: string): string | null {
  return /^\d+$/.test(seconds) ? new Date(Number(seconds) * 1000).toISOString() : null;
}

/** `n[1-3,07],m` → n1, n2, n3, n07, m. A name with several brackets stays as it is. */
export function expandHosts(list: string): string[] {
  const parts: string[] = [''];
  let isInside = false;
  for (const letter of list) {
    if (letter === '[' || letter === ']') isInside = letter === '[';
    if (letter === ',' && !isInside) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.flatMap((part) => {
    const [, before = '', inside, after = ''] = /^([^[\]]*)\[([^\]]*)\]([^[\]]*)$/.exec(part) ?? [];
    if (inside === undefined) return ['', '(null)', 'None'].includes(part) ? [] : [part];
    return inside.split(',').flatMap((range) => {
      const [from = '', to = from] = range.split('-');
      const many = Number(to) - Number(from);
      if (!(many >= 0 && many < 10_000)) return [`${before}${range}${after}`];
      const name = (_: unknown, index: number) =>
        `${before}${String(Number(from) + index).padStart(from.length, '0')}${after}`;
      return Array.from({ length: many + 1 }, name);
    });
  });
}

/** The place of a waiting job among all that wait in its partition, from 1. */
export function placeOf(line: QueueLine, lines: readonly QueueLine[]): number {
  const before = (other: QueueLine) =>
    other.priority > line.priority || (other.priority === line.priority && Number(other.id) < Number(line.id));
  const waiting = lines.filter(({ state, partition }) => state === 'PENDING' && partition === line.partition);
  return waiting.filter((other) => other.id !== line.id && before(other)).length + 1;
}

/** `NAME=value NAME=value`, one line. The first of a name counts: a person's own words, as a comment, stand behind. Pure. */
export function readFields(line: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const word of line.trim().split(' ')) {
    const at = word.indexOf('=');
    const name = word.slice(0, at);
    if (at > 0 && !fields.has(name)) fields.set(name, word.slice(at + 1));
  }
  return fields;
}

/** `1-02:03:04`, `1-02` (hours), `02:03:04`, `03:04` or `3` (minutes): seconds; null for UNLIMITED, NONE and anything else. Pure. */
export function secondsOf(limit: string): number | null {
  const [, days, clock = ''] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(limit) ?? [];
  if (!clock) return null;
  const parts = clock.split(':').map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = parts.length === 3 ? parts : days ? [...parts, 0, 0] : [0, ...parts, 0];
  return ((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** Why a job waits, in words; Slurm's own word stands behind the first sentence. */
export function reasonInWords(reason: string): string {
  const [first = ''] = reason.split(',');
  if (!wordOf(first)) return 'It waits for its turn.';
  const [, why, todo] = REASONS.find(([pattern]) => pattern.test(first.trim())) ?? [];
  return why ? [`${why} (${reason}).`, todo].filter(Boolean).join(' ') : `Slurm says: ${reason}.`;
}

const ASK_LESS = 'Stop it, and ask for less.';
const REASONS: readonly (readonly [RegExp, why: string, todo?: string])[] = [
  [/^Resources$/, 'It waits until a node has what it asks for'],
  [/^Priority$/, 'Other jobs come first'],
  [/^Dependency$/, 'It waits for another job'],
  [/^BeginTime$/, 'It may not start yet'],
  [/^JobHeldUser$/, 'It is held until somebody releases it'],
  [/^JobHeldAdmin$/, 'An administrator of the cluster holds it'],
  [/^JobArrayTaskLimit$/, 'Its array already runs as many tasks as it may at once'],
  [/^ReqNodeNotAvail/, 'The nodes that it needs are down, drained or reserved'],
  [/^(?:Node|Partition)Down$/, 'Its nodes or its partition are switched off'],
  [/^PartitionInactive$/, 'Its partition is switched off'],
  [/^Partition(?:Time|Node)Limit$/, 'It asks for more than its partition allows', ASK_LESS],
  [/^QOSMax|^AssocMax/, 'It asks for more than you are allowed', ASK_LESS],
  [/^QOSGrp|^AssocGrp/, 'Your group is using all that it may at the moment'],
  [/^BadConstraints$/, 'No node of this cluster has what it asks for', 'Stop it, and ask for something else.'],
  [/^Licenses$/, 'It waits for a licence'],
  [/^Reservation/, 'It waits for its reservation'],
];
