import type { DatasetDetail } from './facts.js';

/**
 * What a person should know before a training on this dataset starts. With an error the training could not run, or would
 * end at once; with a warning it runs, perhaps not as meant. Each is a sentence or two with the remedy.
 */
export function checkDataset(detail: DatasetDetail): { errors: string[]; warnings: string[] } {
  const { files } = detail;
  const errors = files
    .filter(({ problem }) => problem !== null)
    .map(({ file, problem }) => `${file} can't be used: ${problem} Upload it again as PNG or JPEG, or delete it.`);
  const captions = new Map(files.map((picture) => [`${picture.stem}.txt`, picture]));
  for (const [file, { caption, caption_problem }] of captions) {
    if (caption_problem)
      errors.push(
        `${file} can't be used as a caption: ${caption_problem} Write the caption again on the dataset's page.`,
      );
    else if (caption !== null && caption.trim() === '')
      errors.push(
        `${file} is empty, and trainers stop on an empty caption. Write one, or delete the file to use the trigger word.`,
      );
  }
  if (files.length === 0)
    errors.push(
      `${detail.name} holds no pictures. Upload some (.png, .jpg, .jpeg or .webp), or copy them to ${detail.path}.`,
    );

  const warnings: string[] = [];
  const bare = files
    .filter(({ caption, caption_problem }) => caption === null && !caption_problem)
    .map(({ file }) => file);
  if (bare.length > 0)
    warnings.push(`${named(bare)} ${bare.length === 1 ? 'has' : 'have'} no caption: the trigger word is used instead.`);
  const turned = files.filter((picture) => picture.turned).map(({ file }) => file);
  if (turned.length > 0)
    warnings.push(
      `${named(turned)} ${turned.length === 1 ? 'is' : 'are'} turned or mirrored only by a note in the metadata, which sd-scripts does not read: it sees ${turned.length === 1 ? 'it' : 'them'} as stored. Turn the pixels themselves in an image editor, and upload again.`,
    );
  const orphans = detail.orphan_captions;
  if (orphans.length > 0)
    warnings.push(
      `${named(orphans)} ${orphans.length === 1 ? 'is a caption' : 'are captions'} without a picture of the same name, and no trainer reads ${orphans.length === 1 ? 'it' : 'them'}. Upload the picture, or rename the caption.`,
    );
  if (files.length === 1) warnings.push('There is only one picture: a LoRA learns more from several.');
  return { errors, warnings };
}

/** `a.png, b.png, c.png and 9 more` */
function named(files: string[]): string {
  const shown = files.slice(0, 3).join(', ');
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown;
}
