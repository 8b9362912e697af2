import type { PodSettings } from '../pods/podSettings.js';
import { versionName } from '../sessions/names.js';
import type { SessionCost } from '../sessions/status/sessionCost.js';
import type { PodStopFacts } from '../sessions/watchers/podStop.js';
import { sessionAddress } from './action.js';
import { type FieldView, plain, type Typed } from './field.js';
import { dollars, duration } from './formatting.js';
import type { PageModel } from './frame.js';

/** As `GET /pod` answers. */
type Facts = {
  price: number | null;
  since: string;
  spent: number;
  seconds: number;
  settings: Omit<PodSettings, 'key'> & { key: boolean };
  provider: { id: string; name: string; leaves: string } | null;
  missing: string | null;
  stop: PodStopFacts;
  sessions: ({
    name: string;
    lora_name: string;
    version: number;
    version_name: string | null;
    status: string;
  } & SessionCost)[];
};

export type PodModel = PageModel & Typed & { pod: Facts; said: string | null };
export type PodView = ReturnType<typeof podView>;
export type PodNowView = ReturnType<typeof podNowView>;
export type PodCancelView = { root: string; valid: boolean; done: boolean };

/** What the pod costs, and that it stops by itself. */
export function podView(model: PodModel) {
  const { pod, root, said, values, errors } = model;
  const { settings } = pod;
  const field = (view: Partial<FieldView> & Pick<FieldView, 'name' | 'label'>): FieldView => {
    const value = (view.kind === 'password' ? undefined : values[view.name]) ?? view.value ?? '';
    return {
      ...plain,
      kind: 'text',
      ...view,
      id: `f-${view.name}`,
      value,
      choices: (view.choices ?? []).map((choice) => ({ ...choice, chosen: choice.value === value })),
      error: errors[view.name] ?? null,
    };
  };
  return {
    address: `${root}pod?_method=PATCH`,
    said,
    reset: `${root}pod/spending?_method=DELETE`,
    since: pod.since,
    counted: pod.spent > 0,
    money: moneyFields(settings, pod.price, field),
    stop: stopFields(settings, pod, field),
    upload: uploadFields(settings, field),
    lambda: lambdaFields(settings, field),
    lambdaOpen: settings.provider === 'lambda' || ['instance', 'key', 'word'].some((name) => name in errors),
    leaves: pod.provider ? `${pod.provider.name}: ${pod.provider.leaves}` : (pod.missing ?? ''),
    ...podNowView(model),
  };
}

type Make = (view: Partial<FieldView> & Pick<FieldView, 'name' | 'label'>) => FieldView;
type Settings = Facts['settings'];

function moneyFields({ price, limit }: Settings, known: number | null, field: Make): FieldView[] {
  const told = price === 0 && known !== null ? `${known.toFixed(2)}, as the provider says` : '';
  return [
    field({
      name: 'price',
      label: 'Price of the pod',
      value: price ? String(price) : '',
      placeholder: told || '0.79',
      unit: '$ an hour',
      help: 'Leave it empty to ask the provider, if it says.',
    }),
    field({
      name: 'limit',
      label: 'Spending limit',
      value: limit ? String(limit) : '',
      placeholder: 'none',
      unit: '$',
      help: 'Warns at four fifths of it. At the limit each training stops after its next checkpoint.',
    }),
  ];
}

function stopFields({ stops, logins, minutes, provider, command }: Settings, pod: Facts, field: Make): FieldView[] {
  const found = pod.provider && provider === '' ? `Found: ${pod.provider.name}` : 'Choose';
  return [
    field({ name: 'stops', label: 'Stop the pod by itself', kind: 'switch', sendsOff: true, value: String(stops) }),
    field({
      name: 'logins',
      label: 'Wait while somebody is logged in',
      kind: 'switch',
      sendsOff: true,
      value: String(logins),
    }),
    field({
      name: 'minutes',
      label: 'After the last training',
      kind: 'number',
      min: 1,
      value: String(minutes),
      unit: 'minutes',
    }),
    field({
      name: 'provider',
      label: 'How',
      kind: 'choice',
      value: provider,
      choices: [
        { value: '', label: found, chosen: false },
        { value: 'runpod', label: 'RunPod', chosen: false },
        { value: 'vast', label: 'Vast', chosen: false },
        { value: 'lambda', label: 'Lambda (terminates it)', chosen: false },
        { value: 'command', label: 'A command of yours', chosen: false },
      ],
    }),
    field({ name: 'command', label: 'Command (if chosen)', value: command, placeholder: 'sudo shutdown -h now' }),
  ];
}

function uploadFields({ upload, target }: Settings, field: Make): FieldView[] {
  return [
    field({
      name: 'upload',
      label: 'Upload the weights first',
      kind: 'choice',
      value: upload,
      choices: [
        { value: '', label: 'No', chosen: false },
        { value: 'hub', label: 'To Hugging Face, private', chosen: false },
        { value: 'rclone', label: 'With rclone', chosen: false },
      ],
      help: 'The pod stops only if every file has arrived.',
    }),
    field({
      name: 'target',
      label: 'Where to',
      value: target,
      placeholder: 'your-name, or drive:loras',
      help: 'The account on Hugging Face, or a target of rclone.',
    }),
  ];
}

function lambdaFields({ instance, key, word }: Settings, field: Make): FieldView[] {
  return [
    field({ name: 'instance', label: 'ID of the instance', value: instance }),
    field({ name: 'key', label: 'API key', kind: 'password', placeholder: key ? 'Set. Leave empty to keep it.' : '' }),
    field({
      name: 'word',
      label: 'Type “terminate” to allow it',
      value: word,
      help: 'Lambda destroys the instance and everything on it except a persistent filesystem.',
    }),
  ];
}

/** The state of the meter and of the stop, which change by themselves. */
export function podNowView({ pod, root }: Pick<PodModel, 'pod' | 'root'>) {
  const { price, spent, seconds, stop, settings } = pod;
  return {
    facts: [
      { name: 'Price', value: price === null ? 'not known' : `${dollars(price)} an hour` },
      { name: 'Spent', value: price === null && spent === 0 ? '–' : `${dollars(spent)} in ${duration(seconds)}` },
      { name: 'Limit', value: settings.limit ? dollars(settings.limit) : 'none' },
    ],
    phase: phaseWords(stop),
    tone: stop.phase === 'failed' ? 'fail' : stop.phase === 'counting' ? 'wait' : 'run',
    cancel: stop.phase === 'counting' ? `${root}pod/stop?_method=DELETE` : null,
    again: stop.phase === 'cancelled' || stop.phase === 'failed' ? `${root}pod/stop` : null,
    sessions: pod.sessions.map(({ name, lora_name, so_far, to_end, to_end_guessed, ...session }) => ({
      href: sessionAddress(root, name),
      label: `${lora_name} ${versionName(session)}`,
      soFar: dollars(so_far),
      toEnd: to_end === null ? '' : `${dollars(to_end)}${to_end_guessed ? ', a guess' : ''}`,
    })),
  };
}

function phaseWords({ phase, seconds, why }: PodStopFacts): string {
  const words = {
    off: 'The pod does not stop by itself.',
    waiting: `The pod does not stop yet. ${why ?? ''}`,
    counting: `The pod stops in ${duration(seconds)}.`,
    uploading: 'The weights are being uploaded; then the pod stops.',
    stopping: 'The pod is being stopped.',
    stopped: 'The pod was stopped.',
    cancelled: 'The stop was cancelled. The pod keeps running until another training has ended.',
    failed: `The pod did not stop. ${why ?? ''}`,
  };
  return words[phase].trim();
}
