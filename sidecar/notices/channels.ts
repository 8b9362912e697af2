import type { Channel } from './channel.js';
import { apprise } from './channels/apprise.js';
import { discord } from './channels/discord.js';
import { email } from './channels/email.js';
import { ntfy } from './channels/ntfy.js';
import { slack } from './channels/slack.js';
import { telegram } from './channels/telegram.js';
import { webhook } from './channels/webhook.js';

/** In the order of the page. */
export const channels: readonly Channel[] = [ntfy, telegram, discord, slack, email, webhook, apprise];
