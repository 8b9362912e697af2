import { logged } from '../../caught.js';
import { log } from '../../log.js';
import { emptyOldTrash } from '../versions/trash.js';

/** Milliseconds: the first look does not hold up a start. */
const FIRST_MS = 60_000;
const EVERY_MS = 6 * 3_600_000;

/** Removes deleted sessions without weights for good, once they lie in the trash for 30 days. */
export function watchTrash(root: string) {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    void emptyOldTrash(root, new Date())
      .then((names) => names.length > 0 && log.info('sessions', 'Removed from the trash after 30 days.', { names }))
      .catch(logged('sessions', 'The trash could not be emptied.'));
  };
  const again = (ms: number) => {
    timer = setTimeout(() => {
      look();
      again(EVERY_MS);
    }, ms);
    timer.unref();
  };
  return {
    open: () => again(FIRST_MS),
    close: () => clearTimeout(timer),
  };
}
