import type { ExactPlace } from '../../trainers/dialect.js';
import { type ExactFacts, exactDifferences } from '../../trainers/exactFacts.js';
import type { AttemptEntry, MadeOf } from '../record/uiState.js';

/** What keeps a state that has all it needs from being gone on with exactly, in words; empty when nothing is known to. */
export type WhatDiffers = (exact: ExactPlace, writer: AttemptEntry | null) => string[];

/** What an attempt would be made of if it were started now. Null where it is unknown. */
export type Today = { facts: ExactFacts; madeOf: MadeOf | null };

/** Pure. `writer` is the attempt that saved the state. */
export function differsFrom({ facts, madeOf }: Today): WhatDiffers {
  return (exact, writer) => [
    ...(writer?.made_of && madeOf ? madeOfLines(writer.made_of, madeOf) : []),
    ...exactDifferences(exact.facts, facts),
  ];
}

function madeOfLines(then: MadeOf, now: MadeOf): string[] {
  const before = new Map(then.datasets.map((each) => [each.name, each]));
  const lines = now.datasets.flatMap(({ name, fingerprint, repeats }) => {
    const was = before.get(name);
    before.delete(name);
    if (!was) return [`the dataset ${name} was added`];
    return [
      ...(was.fingerprint === fingerprint ? [] : [`pictures or captions in ${name} were changed`]),
      ...(was.repeats === repeats ? [] : [`${name} had ${was.repeats} repeats and has ${repeats}`]),
    ];
  });
  const gone = [...before.keys()].map((name) => `the dataset ${name} was removed`);
  const moved = then.commit !== null && now.commit !== null && then.commit !== now.commit;
  const short = (commit: string | null) => commit?.slice(0, 7);
  return [
    ...lines,
    ...gone,
    ...(moved ? [`the trainer's checkout was at commit ${short(then.commit)} and is at ${short(now.commit)}`] : []),
  ];
}
