import { basename } from 'node:path';
import { ifMissing } from '../caught.js';
import { smallPicture } from '../datasets/picture.js';
import { PictureProblem } from '../datasets/pictureProblem.js';
import { log } from '../log.js';
import type { Channel, Image } from './channel.js';
import type { Notice } from './notice.js';
import type { NoticeSettings } from './noticeSettings.js';

const PIXELS = 1024;

/** Sends a notice through a channel, with its picture. Throws Undelivered. */
export async function sendThrough(channel: Channel, settings: NoticeSettings, notice: Notice): Promise<void> {
  const values = settings.channels[channel.id]?.values ?? {};
  await channel.send(values, { ...notice, image: await imageOf(notice) });
}

/** A notice without its picture is better than none. */
async function imageOf({ picture }: Notice): Promise<Image | null> {
  if (!picture) return null;
  try {
    const bytes = await smallPicture(picture, PIXELS);
    return { name: `${basename(picture).replace(/\.\w+$/, '')}.jpg`, type: 'image/jpeg', bytes: new Uint8Array(bytes) };
  } catch (error) {
    if (error instanceof PictureProblem) log.info('notices', 'A notice goes without its picture.', { error });
    else ifMissing(null)(error);
    return null;
  }
}
