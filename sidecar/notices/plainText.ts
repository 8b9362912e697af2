import type { Notice } from './notice.js';

/** The text with its links below it, for channels without buttons. */
export function linked({ text, url, actions }: Pick<Notice, 'text' | 'url' | 'actions'>): string {
  const links = actions.map((action) => `${action.label}: ${action.url}`);
  return [text, url ?? '', ...links].filter(Boolean).join('\n');
}
