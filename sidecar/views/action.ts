import type { SessionFacts } from '../sessions/facts.js';

/** A form of one button, or (without `fields`) a link that looks like one. */
export type ActionView = {
  label: string;
  /** For a screen reader: what it acts on. */
  about: string;
  address: string;
  fields: [name: string, value: string][] | null;
  /** The accent colour: what gets a training going. */
  go: boolean;
};

/** The button for what makes sense next, or null. `page` is sent along so that the answer leads back to where it was pressed. */
export function nextAction(session: SessionFacts, root: string, page?: 'home'): ActionView | null {
  const at = sessionAddress(root, session.name);
  const about = `${session.lora_name} V${session.version}`;
  const back: [string, string][] = page ? [['page', page]] : [];
  const attempt = (label: string, kind: string, go = true): ActionView => {
    return { label, about, address: `${at}/attempts`, fields: [['kind', kind], ...back], go };
  };
  const stopping = session.status === 'stopping' && 'Stopping…';
  switch (session.next) {
    case 'start':
      return attempt('Start', 'start');
    case 'resume':
      return attempt('Resume', 'resume');
    case 'start over':
      return attempt('Start over', 'relaunch', false);
    case 'train further':
      return { label: 'Train further', about, address: `${at}#further`, fields: null, go: false };
    case 'stop':
      return session.by_hand
        ? { label: stopping || 'Stop…', about, address: `${at}#by-hand`, fields: null, go: false }
        : {
            label: stopping || 'Stop',
            about,
            address: `${at}/attempts/current?_method=DELETE`,
            fields: back,
            go: false,
          };
    default:
      return null;
  }
}

/** The button that calls off an auto-resume, or null. */
export function callOff(session: SessionFacts, root: string, page?: 'home'): ActionView | null {
  if (session.auto_resume.in_seconds === null) return null;
  return {
    label: 'Cancel auto-resume',
    about: `${session.lora_name} V${session.version}`,
    address: `${sessionAddress(root, session.name)}?_method=PATCH`,
    fields: [['enable_monitoring', 'false'], ...(page ? [['page', page] as [string, string]] : [])],
    go: false,
  };
}

export function sessionAddress(root: string, name: string): string {
  return `${root}sessions/${encodeURIComponent(name)}`;
}
