import type { NoticeFacts } from '../notices/facts.js';
import { PLACEHOLDERS } from '../notices/wording.js';
import { type FieldView, plain, type Typed } from './field.js';
import { plural } from './formatting.js';
import type { PageModel } from './frame.js';

export type NoticesModel = PageModel &
  Typed & {
    told: NoticeFacts;
    /** The pod's own address of this page; '' where unknown. */
    detected: string;
    /** What was done just now, in words. */
    said: string | null;
    /** The channel that it is about. */
    about?: string | null;
  };

export type NoticesView = ReturnType<typeof noticesView>;

/** How people are told who are elsewhere. */
export function noticesView(model: NoticesModel) {
  const { told, root, said, about, errors } = model;
  const typed = { values: model.values, errors };
  return {
    address: `${root}notices?_method=PATCH`,
    said: about ? null : said,
    channels: told.channels.map((channel) => channelView(channel, model)),
    kinds: told.kinds.map(({ kind, label, on }) =>
      field(typed, { name: `tell_${kind}`, label, kind: 'switch', sendsOff: true, value: String(on) }),
    ),
    limits: limitFields(model),
    quiet: quietFields(told.quiet, typed),
    placeholders: PLACEHOLDERS.map((name) => `{${name}}`).join(' '),
    wording: told.kinds.map(({ kind, label, wording }) => ({
      label,
      open: Object.keys(errors).some((name) => name.startsWith(`wording_${kind}`)),
      fields: [
        field(typed, {
          name: `wording_${kind}_title`,
          label: 'Title',
          value: wording?.title ?? '',
          placeholder: '{title}',
          error: errors[`wording_${kind}`] ?? null,
        }),
        field(typed, {
          name: `wording_${kind}_text`,
          label: 'Text',
          kind: 'lines',
          value: wording?.text ?? '',
          placeholder: '{text}',
        }),
      ],
    })),
    ping: pingFields(told.ping, typed),
    lastPing: told.ping?.last ?? null,
    ...sentView(model),
  };
}

type ChannelFacts = NoticeFacts['channels'][number];

function channelView(
  { id, name, what, on, missing, fields }: ChannelFacts,
  { root, said, about, values, errors }: NoticesModel,
) {
  return {
    id,
    name,
    what,
    on,
    missing,
    state: on ? 'On' : 'Off',
    open: about === id,
    said: about === id ? said : null,
    error: errors[id] ?? null,
    address: `${root}notices/channels/${id}?_method=PUT`,
    end: `${root}notices/channels/${id}?_method=DELETE`,
    test: `${root}notices/channels/${id}/test`,
    save: on ? 'Save' : 'Switch on',
    fields: fields.map((each) => {
      const key = `${id}.${each.name}`;
      const value = each.secret ? '' : (values[key] ?? (each.value || each.fallback || ''));
      return {
        ...plain,
        id: `f-${id}-${each.name}`,
        name: each.name,
        label: `${each.label}${each.optional ? ' (optional)' : ''}`,
        kind: each.choices ? 'choice' : each.is === 'lines' ? 'lines' : each.secret ? 'password' : 'text',
        value,
        placeholder: each.secret && each.set ? 'Set. Leave empty to keep it.' : (each.placeholder ?? ''),
        help: each.help ?? null,
        choices: (each.choices ?? []).map((choice) => ({ ...choice, chosen: choice.value === value })),
        error: errors[key] ?? null,
      } satisfies FieldView;
    }),
  };
}

function limitFields({ told, detected, ...typed }: NoticesModel): FieldView[] {
  return [
    field(typed, {
      name: 'disk_gb',
      label: 'The disk is nearly full below',
      kind: 'number',
      value: String(told.disk_gb),
      unit: 'GB',
      min: 0,
    }),
    field(typed, {
      name: 'page',
      label: 'Address of this page',
      value: told.page,
      placeholder: detected || 'https://…',
      help: 'For the links in notices. Leave it empty to use the pod’s own address, where that is known.',
    }),
  ];
}

function quietFields(quiet: NoticeFacts['quiet'], typed: Typed): FieldView[] {
  return [
    field(typed, { name: 'quiet_from', label: 'From', value: quiet?.from ?? '', placeholder: '22:00' }),
    field(typed, { name: 'quiet_to', label: 'To', value: quiet?.to ?? '', placeholder: '07:00' }),
    field(typed, { name: 'quiet_zone', label: 'Time zone', value: quiet?.zone ?? '', placeholder: 'Europe/Berlin' }),
    field(typed, {
      name: 'quiet_urgent',
      label: 'Failures and warnings come at any hour',
      kind: 'switch',
      sendsOff: true,
      value: String(quiet?.urgent ?? true),
    }),
  ];
}

function pingFields(ping: NoticeFacts['ping'], typed: Typed): FieldView[] {
  return [
    field(typed, {
      name: 'ping_url',
      label: 'Ping address',
      kind: 'password',
      placeholder: ping ? 'Set. Leave empty to keep it.' : 'https://hc-ping.com/…',
    }),
    field(typed, {
      name: 'ping_minutes',
      label: 'Every',
      kind: 'number',
      unit: 'minutes',
      min: 0,
      value: String(ping?.minutes ?? 5),
      help: '0 switches it off.',
    }),
  ];
}

function field({ values, errors }: Typed, view: Partial<FieldView> & { name: string; label: string }): FieldView {
  const { name } = view;
  const typed = view.kind === 'password' ? undefined : values[name];
  const error = errors[name] ?? view.error ?? null;
  return { ...plain, kind: 'text', id: `f-${name}`, ...view, value: typed ?? view.value ?? '', error };
}

export type SentView = ReturnType<typeof sentView>;

/** What was sent, and what still waits. */
export function sentView({ told, root }: Pick<NoticesModel, 'told' | 'root'>) {
  const names = new Map(told.channels.map(({ id, name }) => [id, name]));
  return {
    sent: told.recent.map(({ id, title, text, at, to }) => {
      const deliveries = Object.entries(to).map(([channel, each]) => ({
        ...each,
        name: names.get(channel) ?? channel,
      }));
      const failed = deliveries.some(({ state }) => state === 'failed');
      const waiting = deliveries.some(({ state }) => state === 'waiting');
      return {
        title,
        text,
        at,
        tone: failed ? 'fail' : waiting ? 'wait' : 'done',
        to: deliveries.map(deliveryWords),
        again: failed || waiting ? `${root}notices/sent/${encodeURIComponent(id)}/tries` : null,
      };
    }),
  };
}

function deliveryWords({
  name,
  state,
  tries,
  error,
}: {
  name: string;
  state: string;
  tries: number;
  error: string | null;
}): string {
  if (state === 'sent') return `${name}: sent`;
  if (state === 'failed') return `${name}: not sent. ${error ?? ''}`;
  return tries === 0 ? `${name}: waits` : `${name}: waits, ${plural(tries, 'try', 'tries')}. ${error ?? ''}`;
}
