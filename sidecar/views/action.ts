import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { type StopSheet, stopSheet } from './stop.js';

/** A form of one button, or (without `fields`) a link that looks like one, or a button that opens a `sheet`. */
export type ActionView = {
  label: string;
  /** For a screen reader: what it acts on. */
  about: string;
  address: string;
  fields: [name: string, value: string][] | null;
  /** The accent colour: what gets a training going. */
  go: boolean;
  sheet: StopSheet | null;
  /** The link leads to a file. */
  download: boolean;
};

const PLAIN = { go: false, sheet: null, download: false };

/** The button for what makes sense next, or null. `page` is sent along so that the answer leads back to where it was pressed. */
export function nextAction(session: SessionFacts, root: string, page?: 'home'): ActionView | null {
  const at = sessionAddress(root, session.name);
  const about = `${session.lora_name} ${versionName(session)}`;
  const back: [string, string][] = page ? [['page', page]] : [];
  const attempt = (label: string, kind: string, go = true): ActionView => {
    // What the page says of it has to be true still.
    const exactly: [string, string][] = kind === 'resume' && session.resume?.exact ? [['exactly', 'true']] : [];
    const fields: [string, string][] = [['kind', kind], ['queue', 'true'], ...exactly, ...back];
    return { ...PLAIN, label, about, address: `${at}/attempts`, fields, go };
  };
  if (session.queue) return { ...PLAIN, label: 'Take out', about, address: `${at}/queue?_method=DELETE`, fields: back };
  switch (session.next) {
    case 'start':
      return attempt('Start', 'start');
    case 'resume':
      return attempt('Resume', 'resume');
    case 'start over':
      return attempt('Start over', 'relaunch', false);
    case 'train further':
      return { ...PLAIN, label: 'Train further', about, address: `${at}#further`, fields: null };
    case 'stop':
      return session.by_hand
        ? { ...PLAIN, label: 'Stop…', about, address: `${at}#by-hand`, fields: null }
        : { ...PLAIN, label: 'Stop…', about, address: at, fields: null, sheet: stopSheet(session, at, back) };
    default:
      return null;
  }
}

/** The button that calls off an auto-resume, or null. */
export function callOff(session: SessionFacts, root: string, page?: 'home'): ActionView | null {
  if (session.auto_resume.in_seconds === null) return null;
  return {
    ...PLAIN,
    label: 'Cancel auto-resume',
    about: `${session.lora_name} ${versionName(session)}`,
    address: `${sessionAddress(root, session.name)}?_method=PATCH`,
    fields: [['enable_monitoring', 'false'], ...(page ? [['page', page] as [string, string]] : [])],
  };
}

/** The button for what one wants of a row in a list: the file of what is trained, or what makes sense next. */
export function rowAction(session: SessionFacts, root: string, page?: 'home'): ActionView | null {
  const { all_trained, final_checkpoint: final, output_path: folder } = session;
  if (!all_trained || !final?.startsWith(`${folder}/`)) return nextAction(session, root, page);
  const about = `${session.lora_name} ${versionName(session)}`;
  const address = checkpointAddress(sessionAddress(root, session.name), final.slice(folder.length + 1));
  return { ...PLAIN, label: 'Download', about, address, fields: null, download: true };
}

/** `at` is the address of the session, `path` relative to its folder. */
export function checkpointAddress(at: string, path: string): string {
  return `${at}/checkpoints/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** `at` is the address of the session. */
export function sampleAddress(at: string, file: string): string {
  return `${at}/samples/${encodeURIComponent(file)}`;
}

export function sessionAddress(root: string, name: string): string {
  return `${root}sessions/${encodeURIComponent(name)}`;
}
