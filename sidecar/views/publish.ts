import { memoByObject } from '../files/memoByObject.js';
import type { PublicationFacts } from '../publish/publish.js';
import type { PublishFacts } from '../publish/publishFacts.js';
import { bytes, elementId } from './formatting.js';

export type PublishView = ReturnType<typeof publishView>;

const CARDS: Record<PublishFacts['card'], string> = {
  none: 'A model card (README.md) is written for you.',
  ours: 'README.md is the model card. If you edit it, your text is kept.',
  theirs: 'Your README.md is uploaded as the model card.',
};

export function publishView(facts: PublishFacts, at: string, root: string) {
  const { card, token, checkpoints, lora, publication } = facts;
  const address = `${at}/publication`;
  return {
    address,
    card: CARDS[card],
    /** Where a token is set; null where there is one. */
    tokenAt: token ? null : `${root}secrets`,
    lora,
    checkpoints: checkpoints.map((checkpoint, i) => choiceView(checkpoint, i === 0)),
    publication: publication && publicationView(publication, address),
  };
}

const choiceView = memoByObject(({ path, bytes: size }: PublishFacts['checkpoints'][number], chosen: boolean) => {
  return { id: elementId('publish', path), path, size: bytes(size), chosen };
});

function publicationView(facts: PublicationFacts, address: string) {
  const { status, bytes: all, bytes_done: done, files, message, url, repo } = facts;
  const words = {
    preparing: `preparing ${repo}`,
    reading: 'reading the files',
    uploading: `uploading · ${bytes(done)} of ${bytes(all)}`,
    committing: 'finishing',
    done: `published, ${files} ${files === 1 ? 'file' : 'files'} · ${bytes(all)}`,
    failed: 'not published',
  };
  const over = status === 'done' || status === 'failed';
  return {
    state: words[status],
    percent: over || all === 0 ? null : (100 * done) / all,
    tone: status === 'done' ? 'done' : status === 'failed' ? 'fail' : 'run',
    message,
    url,
    over,
    cancel: `${address}?_method=DELETE`,
    cancelLabel: over ? 'Close' : 'Cancel',
  };
}
