import type { Channel } from './channel.js';
import { ntfy } from './channels/ntfy.js';
import { webhook } from './channels/webhook.js';

/** In the order of the page. */
export const channels: readonly Channel[] = [ntfy, webhook];
