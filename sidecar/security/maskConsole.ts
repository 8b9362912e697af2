import { masked } from './redact.js';

/** Masks secrets on a console, where errors of libraries contain URLs and headers. */
export function maskConsole(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as (chunk: Uint8Array, ...rest: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) =>
    write(masked(Buffer.from(chunk as string)), ...rest);
}
