import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import type { ComparedSession, ComparedSetting, Comparison } from '../sessions/versions/compare/facts.js';
import { isSameValue } from '../sessions/versions/compare/settings.js';
import { sampleAddress, sessionAddress } from './action.js';
import { csvAddress, curveView, shownView } from './charts.js';
import { addresses, type ShownComparison } from './compareAddress.js';
import { bytes, count, duration, loss, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { settingLabel, valueText } from './settings.js';

export type CompareModel = PageModel & {
  comparison: Comparison;
  shown: ShownComparison;
  /** What can be added: the newest sessions. */
  sessions: Pick<SessionFacts, 'name' | 'lora_name' | 'version' | 'version_name'>[];
};

export type CompareView = ReturnType<typeof compareView>;

/** A heading of a row or a column: a session, or what is compared. */
type Head = {
  text: string;
  href: string | null;
  chip: string | null;
  /** The look of its curve. */
  look: string | null;
  /** Says that it is the baseline; else the value of the button that makes it that. Both null for what is no session. */
  isBaseline: boolean;
  makeBaseline: string | null;
  /** The value of the button that leaves it out; null for the only one. */
  remove: string | null;
};
type Cell = { text: string; differs: boolean };
export type TableView = { columns: Head[]; rows: { head: Head; cells: Cell[] }[] };

/** More sessions than this are rows. */
const MOST_COLUMNS = 6;
/** Differences that are told in a sentence. */
const MOST_TOLD = 5;

export function compareView(model: CompareModel) {
  const { comparison, shown, root } = model;
  const { sessions, settings, baseline, leads } = comparison;
  const address = addresses(comparison, shown);
  const heads = sessions.map((session) => sessionHead(session, comparison, root));
  const turned = shown.turned ?? sessions.length > MOST_COLUMNS;
  const table = (rows: Row[]) => tableView(heads, rows, turned);
  const differing = settings.filter(({ differs }) => differs);
  const lead = sessions.find(({ name }) => name === leads);
  return {
    count: sessions.length,
    missing: comparison.missing,
    sentences: sessions.length <= MOST_COLUMNS ? sentencesOf(comparison) : [],
    differing: table(differing.map((setting) => settingRow(setting, baselineAt(comparison)))),
    none: differing.length === 0 && sessions.length > 1,
    results: table(resultRows(sessions, shown)),
    same: table(settings.filter(({ differs }) => !differs).map((setting) => settingRow(setting, -1))),
    sameCount: settings.length - differing.length,
    turn: { href: address({ turned: turned ? '0' : '1' }), label: turned ? 'Sessions as columns' : 'Sessions as rows' },
    form: shownView(shown.charts, comparison, { address: 'compare', hidden: address.given, csv: csvOf(model) }),
    lead: lead ? `${nameOf(lead)}${lead.name === baseline ? ', the baseline' : ''}` : '',
    others: comparison.others.map(({ lora, colour, ...other }) => ({ label: `${lora} ${versionName(other)}`, colour })),
    curves: comparison.curves.map((curve) => curveView(curve, shown.charts, comparison)),
    samples: samplesTable(comparison, root),
    steps: comparison.sample_steps.map((step) => ({
      value: String(step),
      label: `up to step ${count(step)}`,
      chosen: step === shown.step,
    })),
    hidden: { step: address.without('step'), price: address.without('price'), add: address.without('sessions') },
    /** The forms of the buttons at the heads of tables: links would hold all sessions, twice for each of them. */
    changes: [
      { id: 'baseline', hidden: address.without('baseline') },
      { id: 'without', hidden: address.without('') },
    ],
    names: sessions.map(({ name }) => name),
    price: {
      typed: shown.typed ? String(shown.price) : '',
      known: String(shown.typed ? '0.79' : (shown.price ?? '0.79')),
    },
    choices: model.sessions
      .filter(({ name }) => !sessions.some((each) => each.name === name))
      .map((each) => ({ name: each.name, label: nameOf(each) })),
  };
}

/** The curves that are shown, of all sessions. */
function csvOf({ comparison: { leads, sessions, curves }, shown: { charts }, root }: CompareModel): string | null {
  if (leads === null) return null;
  const others = sessions.map(({ name }) => name).filter((name) => name !== leads);
  return csvAddress(sessionAddress(root, leads), { ...charts, tags: curves.map(({ tag }) => tag), with: others });
}

function sessionHead(
  { name, lora_name, colour, ...session }: ComparedSession,
  comparison: Comparison,
  root: string,
): Head {
  const isBaseline = name === comparison.baseline;
  return {
    text: lora_name,
    href: sessionAddress(root, name),
    chip: versionName(session),
    look: colour === null ? (name === comparison.leads ? 'smooth' : null) : `other-${colour}`,
    isBaseline,
    makeBaseline: isBaseline ? null : name,
    remove: comparison.sessions.length > 1 ? name : null,
  };
}

type Row = { label: string; cells: Cell[] };

function tableView(heads: Head[], rows: Row[], turned: boolean): TableView {
  const labels = rows.map(({ label }) => ({ ...NO_SESSION, text: label }));
  if (!turned)
    return { columns: heads, rows: rows.map(({ cells }, at) => ({ head: labels[at] ?? NO_SESSION, cells })) };
  return {
    columns: labels,
    rows: heads.map((head, at) => ({ head, cells: rows.flatMap(({ cells }) => cells[at] ?? []) })),
  };
}

const NO_SESSION: Head = {
  text: '',
  href: null,
  chip: null,
  look: null,
  isBaseline: false,
  makeBaseline: null,
  remove: null,
};

function baselineAt({ sessions, baseline }: Comparison): number {
  return sessions.findIndex(({ name }) => name === baseline);
}

function settingRow({ name, values }: ComparedSetting, baseline: number): Row {
  return {
    label: settingLabel(name),
    cells: values.map((value) => ({
      text: settingText(name, value),
      differs: baseline >= 0 && !isSameValue(value, values[baseline]),
    })),
  };
}

function settingText(name: string, value: unknown): string {
  if (value === null) return '–';
  return name === 'dataset.fingerprint' ? String(value).slice(0, 12) : valueText(value);
}

/** "my-cat V2 differs from my-cat V1 in 2 settings: Learning rate 8e-4 → 4e-4, Seed 1 → 2." */
function sentencesOf(comparison: Comparison): string[] {
  const { sessions, settings } = comparison;
  const at = baselineAt(comparison);
  const base = sessions[at];
  return sessions.flatMap((session, index) => {
    if (!base || index === at) return [];
    const changed = settings.filter(({ values }) => !isSameValue(values[index], values[at]));
    // A fingerprint tells that pictures differ, and no person reads it.
    const told = changed.filter(({ name }) => name !== 'dataset.fingerprint' || changed.length === 1);
    const words = told
      .slice(0, MOST_TOLD)
      .map(({ name, values }) => `${settingLabel(name)} ${brief(name, values[at])} → ${brief(name, values[index])}`);
    if (told.length > MOST_TOLD) words.push(`and ${told.length - MOST_TOLD} more`);
    const what = told.length === 0 ? 'in no setting' : `in ${plural(told.length, 'setting')}: ${words.join(', ')}`;
    return [`${nameOf(session)} differs from ${nameOf(base)} ${what}.`];
  });
}

function brief(name: string, value: unknown): string {
  const text = settingText(name, value).replaceAll('\n', ' ');
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function nameOf(session: Pick<SessionFacts, 'lora_name' | 'version' | 'version_name'>): string {
  return `${session.lora_name} ${versionName(session)}`;
}

function resultRows(sessions: readonly ComparedSession[], { price, charts }: ShownComparison): Row[] {
  const row = (label: string, text: (session: ComparedSession) => string): Row => ({
    label,
    cells: sessions.map((session) => ({ text: text(session), differs: false })),
  });
  return [
    row('Status', ({ status }) => status),
    row('Steps', ({ step }) => count(step)),
    row('Epochs', ({ epoch }) => count(epoch)),
    row(`Last loss, smoothed ${charts.smooth}`, (session) => loss(session.loss?.last)),
    row(
      `Best loss, smoothed ${charts.smooth}`,
      ({ loss: own }) => loss(own?.best) + (own?.best_step ? ` at step ${count(own.best_step)}` : ''),
    ),
    row('Duration', (session) => duration(session.duration_seconds)),
    row('Checkpoint', (session) => bytes(session.checkpoint_bytes)),
    row('All weights', (session) => bytes(session.weights_bytes)),
    ...(sessions.some((each) => each.peak_gpu_memory !== null)
      ? [row('Most GPU memory in use', (session) => bytes(session.peak_gpu_memory))]
      : []),
    ...(price === null ? [] : [row(`Cost at ${price} an hour`, ({ cost }) => (cost === null ? '–' : cost.toFixed(2)))]),
    ...(sessions.some(({ description }) => description) ? [row('Description', ({ description }) => description)] : []),
  ];
}

function samplesTable({ samples, sessions }: Comparison, root: string) {
  return {
    columns: sessions.map(nameOf),
    rows: samples.map(({ prompt, seed, pictures }) => ({
      prompt,
      seed: seed === null ? '' : `seed ${seed}`,
      cells: pictures.map((picture, at) => {
        const session = sessions[at];
        if (!picture || !session) return null;
        const when =
          picture.step !== null
            ? `step ${count(picture.step)}`
            : picture.epoch !== null
              ? `epoch ${picture.epoch}`
              : '';
        return {
          href: sampleAddress(sessionAddress(root, session.name), picture.name),
          when,
          alt: `${nameOf(session)}: ${prompt}`,
        };
      }),
    })),
  };
}
