/**
 * Remembers the result of `make` for an object as long as the object lives and the other arguments are the same, so that
 * whatever is made of the result can be remembered likewise.
 */
export function memoByObject<Source extends object, More extends readonly unknown[], Made>(
  make: (source: Source, ...more: More) => Made,
) {
  const known = new WeakMap<Source, { more: More; made: Made }>();
  return (source: Source, ...more: More): Made => {
    const before = known.get(source);
    if (before?.more.every((each, index) => each === more[index])) return before.made;
    const made = make(source, ...more);
    known.set(source, { more, made });
    return made;
  };
}
