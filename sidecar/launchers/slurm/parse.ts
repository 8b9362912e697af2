import type { EndedHow, JobLook } from '../launcher.js';

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
function wordOf(value: string): string {
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

/** What `scontrol -o show job` or `sacct` tells of an ended job. */
export type JobEnd = {
  state: string;
  reason: string;
  exitCode: number;
  signal: number;
  hosts: string[];
  preempted: boolean;
  /** It ran about as long as it may. */
  atLimit: boolean;
};

/** Slurm warns as early as it was asked to (options.ts), and up to a minute before that. */
const ABOUT_SECONDS = { short: 90, usual: 180 };
const SHORT_SECONDS = 300;

/** Reads `scontrol -o show job ID`: fields as `Name=value` in one line. Null for anything else. Pure. */
export function readJob(printed: string): JobEnd | null {
  const fields = readFields(printed);
  const value = (name: string) => fields.get(name) ?? '';
  const state = value('JobState');
  if (!state) return null;
  const preempted = value('PreemptTime');
  const ran = Number(value('EndTime')) - Number(value('StartTime'));
  const limit = secondsOf(value('TimeLimit'));
  return {
    state,
    reason: wordOf(value('Reason')),
    ...exitOf(value('ExitCode')),
    hosts: expandHosts(value('NodeList')),
    preempted: wordOf(preempted) !== '' && preempted !== '0',
    atLimit:
      limit !== null && ran > 0 && ran + (limit <= SHORT_SECONDS ? ABOUT_SECONDS.short : ABOUT_SECONDS.usual) >= limit,
  };
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

export const ACCOUNT_FORMAT = 'JobIDRaw,State,ExitCode,Reason,NodeList,JobName';

/**
 * Reads `sacct -n -P -X -D -o ACCOUNT_FORMAT` for one job, the newest line of it: several jobs may have had its number. Null
 * where accounting does not know it. Pure.
 */
export function readAccount(printed: string, id: string, name: string): JobEnd | null {
  const lines = printed.split('\n').map((each) => each.trim());
  const line = lines.findLast((each) => each.startsWith(`${id}|`) && each.endsWith(`|${name}`));
  if (!line) return null;
  const [, state = '', exit = '', reason = '', hosts = ''] = line.split('|');
  // "CANCELLED by 1000"
  const [word = ''] = state.split(' ');
  return {
    state: word,
    reason: wordOf(reason),
    ...exitOf(exit),
    hosts: expandHosts(hosts),
    preempted: word === 'PREEMPTED',
    atLimit: false,
  };
}

/** `1-02:03:04`, `1-02` (hours), `02:03:04`, `03:04` or `3` (minutes): seconds; null for UNLIMITED, NONE and anything else. Pure. */
export function secondsOf(limit: string): number | null {
  const [, days, clock = ''] = /^(?:(\d+)-)?(\d+(?::\d+){0,2})$/.exec(limit) ?? [];
  if (!clock) return null;
  const parts = clock.split(':').map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = parts.length === 3 ? parts : days ? [...parts, 0, 0] : [0, ...parts, 0];
  return ((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds;
}

function exitOf(text: string): { exitCode: number; signal: number } {
  const [code, signal] = text.split(':');
  return { exitCode: Number(code) || 0, signal: Number(signal) || 0 };
}

/** Will a job in this state never run again? */
export function isOver(state: string): boolean {
  return state in ENDS;
}

const ENDS: Readonly<Record<string, EndedHow>> = {
  COMPLETED: 'by itself',
  FAILED: 'by itself',
  CANCELLED: 'cancelled',
  REVOKED: 'cancelled',
  TIMEOUT: 'time limit',
  DEADLINE: 'time limit',
  OUT_OF_MEMORY: 'out of memory',
  PREEMPTED: 'preempted',
  NODE_FAIL: 'node lost',
  BOOT_FAIL: 'node lost',
};

/** The node could not open the job's folder or files, as which Slurm's own programs exit with this "signal". */
const NO_FOLDER = 53;

/** An ended job. `words` are the engine's own, from the job's output; `held`: the exit code of a runner that was refused. */
export function endedLook(end: JobEnd, words: string, held: readonly number[]): JobLook {
  const { state, exitCode, signal, hosts, atLimit } = end;
  const refused = state === 'FAILED' && (signal === NO_FOLDER || hosts.length === 0 || held.includes(exitCode));
  const how = refused ? 'never started' : end.preempted ? 'preempted' : (ENDS[state] ?? 'by itself');
  return {
    phase: 'ended',
    how,
    hosts,
    exitCode,
    signal: nameOf(signal),
    words: words || wordsOf(end, refused),
    atLimit,
  };
}

function wordsOf({ signal, reason }: JobEnd, refused: boolean): string {
  if (signal === NO_FOLDER) return "The node could not open the session's folder: is the volume mounted there?";
  return refused ? `Slurm refused it: ${reason}.` : '';
}

function nameOf(signal: number): string | null {
  return { 2: 'SIGINT', 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM' }[signal] ?? null;
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
  [/^Priority$/, 'Others come first'],
  [/^Dependency$/, 'It waits for another job'],
  [/^BeginTime$/, 'It may not begin yet'],
  [/^(?:JobHeldUser|JobHeldAdmin)$/, 'It is held until somebody releases it'],
  [/^ReqNodeNotAvail/, 'The nodes that it needs are down, drained or reserved'],
  [/^(?:Node|Partition)Down$/, 'Its nodes or its partition are switched off'],
  [/^PartitionInactive$/, 'Its partition is switched off'],
  [/^Partition(?:Time|Node)Limit$/, 'It asks for more than its partition ever gives', ASK_LESS],
  [/^QOSMax|^AssocMax/, 'It asks for more than you are ever given', ASK_LESS],
  [/^QOSGrp|^AssocGrp/, 'Your group uses all that it may at present'],
  [/^BadConstraints$/, 'No node of this cluster is like that', 'Stop it, and ask for something else.'],
  [/^Licenses$/, 'It waits for a licence'],
  [/^Reservation/, 'It waits for its reservation'],
];
