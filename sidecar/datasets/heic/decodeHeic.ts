import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { keepDecoderSmall } from '../../memory.js';
import { PictureProblem } from '../pictureProblem.js';
import { decodePhoto } from './decodePhoto.js';

/**
 * A program of its own (`convertHeic.ts` starts it): reads a HEIC photo from its standard input and writes a JPEG to its
 * standard output. What it can't read it tells in a line of JSON on stderr, and exits with 1.
 */
keepDecoderSmall(sharp);
try {
  const photo = decodePhoto(readFileSync(0));
  // In sRGB: phones use wider colours, and trainers read no profile. A PNG would be four times as large, and keep nothing more
  // of a photo that was compressed with losses before; the smallest coding of a JPEG would hold all of it once more.
  const jpeg = await sharp(photo).jpeg({ quality: 95, chromaSubsampling: '4:4:4', optimiseCoding: false }).toBuffer();
  process.stdout.write(jpeg);
} catch (error) {
  if (!(error instanceof PictureProblem)) throw error;
  process.stderr.write(JSON.stringify({ message: error.message, remedy: error.remedy }));
  process.exitCode = 1;
}
