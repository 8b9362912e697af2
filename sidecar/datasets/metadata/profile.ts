/** Is this the beginning of a colour profile (ICC.1:2022 section 7.2), and not something else in its place? */
export function isProfile(bytes: Buffer): boolean {
  return bytes.toString('latin1', 36, 40) === 'acsp';
}
