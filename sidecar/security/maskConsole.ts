import { masked } from './redact.js';

/** What is complained about on a console (errors of libraries, with addresses and headers in them) names no secret. */
export function maskConsole(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as (chunk: Uint8Array, ...rest: unknown[]) => boolean;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) =>
    write(masked(Buffer.from(chunk as string)), ...rest);
}
