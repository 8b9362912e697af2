import { isObject } from '../../files/exactJson.js';

/**
 * Merges two simultaneous edits of one record: `theirs` and `ours` both began from `base`. Merges key by key at every
 * depth, and attempts by id. When both changed the same value, theirs wins: a person typed it. Pure.
 */
export function mergeEdits(base: unknown, theirs: unknown, ours: unknown): unknown {
  if (same(base, theirs)) return ours;
  if (same(base, ours) || same(theirs, ours)) return theirs;
  if (isObject(theirs) && isObject(ours)) return mergeObjects(isObject(base) ? base : {}, theirs, ours);
  if (Array.isArray(theirs) && Array.isArray(ours)) return mergeLists(Array.isArray(base) ? base : [], theirs, ours);
  return theirs;
}

/** The number of places in which two records differ. Pure. */
export function distance(a: unknown, b: unknown): number {
  if (same(a, b)) return 0;
  if (isObject(a) && isObject(b)) {
    return [...keysOf(a, b)].reduce((sum, key) => sum + distance(own(a, key), own(b, key)), 0);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    let sum = 0;
    for (let at = 0; at < Math.max(a.length, b.length); at += 1) sum += distance(a[at], b[at]);
    return sum;
  }
  return 1;
}

export function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

type Json = Record<string, unknown>;

function mergeObjects(base: Json, theirs: Json, ours: Json): Json {
  const merged: Json = {};
  // In the order of theirs: a file that a person arranged stays arranged.
  for (const key of keysOf(theirs, ours)) {
    const value = mergeEdits(own(base, key), own(theirs, key), own(ours, key));
    if (value !== undefined) define(merged, key, value);
  }
  return merged;
}

function mergeLists(base: unknown[], theirs: unknown[], ours: unknown[]): unknown[] {
  if ([base, theirs, ours].every((list) => list.every((each) => isObject(each) && typeof each.id === 'string'))) {
    const find = (list: unknown[], id: unknown) => list.find((each) => (each as Json).id === id);
    const ids = new Set([...theirs, ...ours].map((each) => (each as Json).id));
    return [...ids].flatMap((id) => mergeEdits(find(base, id), find(theirs, id), find(ours, id)) ?? []);
  }
  if (theirs.length === ours.length) return theirs.map((each, at) => mergeEdits(base[at], each, ours[at]));
  return theirs;
}

function keysOf(...objects: Json[]): Set<string> {
  return new Set(objects.flatMap((each) => Object.keys(each)));
}

function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A key may be called `__proto__`. */
function define(object: Json, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
