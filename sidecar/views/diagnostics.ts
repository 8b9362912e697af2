import type { RepeatedWork } from '../caught.js';
import type { Check } from '../doctor/check.js';
import type { Notice } from '../live/notices.js';
import type { LogLine } from '../log.js';
import type { DiskTrouble } from '../telemetry/diskTrouble.js';
import { bytes, duration } from './formatting.js';
import type { PageModel } from './frame.js';

/** As `/diagnostics` answers it. No secret is in it; what is in a message is struck out on the way. */
export type DiagnosticsFacts = {
  versions: Record<string, string | null>;
  uptime_seconds: number;
  /** What the sidecar itself takes. */
  memory_bytes: number;
  settings: Record<string, unknown>;
  trainers: string[];
  /** The folder of its checkout. */
  sd_scripts: string | null;
  /** Sessions whose logs are followed. */
  followed: string[];
  /** Pages that are open and told what changes. */
  streams: number;
  disk_troubles: DiskTrouble[];
  /** What is shown on top of every page. */
  notices: Notice[];
  work: Record<string, RepeatedWork>;
  /** The last warnings and errors. */
  errors: LogLine[];
  /** The last lines of the log, the oldest first. */
  log: LogLine[];
};

/** `checks`: null while they are being made. */
export type DiagnosticsModel = PageModel & { facts: DiagnosticsFacts; checks: readonly Check[] | null };

export type DiagnosticsView = ReturnType<typeof diagnosticsView>;

export type LineView = ReturnType<typeof lineView>;

const MOST_SHOWN = 100;

export function diagnosticsView({ facts, checks }: DiagnosticsModel) {
  const now = {
    running: duration(facts.uptime_seconds),
    memory: bytes(facts.memory_bytes),
    trainers: facts.trainers.join(', '),
    'sd-scripts': facts.sd_scripts,
    'logs followed': facts.followed.join(', ') || 'none',
    'pages open': facts.streams,
    'folders that cannot be written':
      facts.disk_troubles.map(({ path, code }) => `${path} (${code})`).join(', ') || 'none',
  };
  return {
    checks: checks?.map(checkView) ?? null,
    groups: [
      { title: 'Versions', rows: rowsOf(facts.versions) },
      { title: 'Now', rows: rowsOf(now) },
      { title: 'Settings', rows: rowsOf(facts.settings) },
    ],
    work: Object.entries(facts.work).map(
      ([name, { last_run: lastRun, last_error: error, last_error_at: errorAt }]) => ({ name, lastRun, error, errorAt }),
    ),
    errors: facts.errors.toReversed().map(lineView),
    log: facts.log.slice(-MOST_SHOWN).toReversed().map(lineView),
  };
}

const LOOKS = {
  ok: { shape: 'check', tone: 'done', word: 'good' },
  warning: { shape: 'clock', tone: 'wait', word: 'warning' },
  error: { shape: 'cross', tone: 'fail', word: 'wrong' },
  unknown: { shape: 'ring', tone: 'draft', word: 'not known' },
} as const;

function checkView({ name, status, found, todo }: Check) {
  return { name, found, todo, look: LOOKS[status] };
}

function rowsOf(facts: Record<string, unknown>) {
  return Object.entries(facts).map(([name, value]) => ({ name, value: String(value ?? 'not found') || '–' }));
}

function lineView({ time, level, room, session, attempt, msg, error }: LogLine) {
  const about = [session, attempt && `attempt ${attempt}`].filter(Boolean).join(', ');
  return { time, level, room, about, words: error ? `${msg} ${error}` : msg };
}
