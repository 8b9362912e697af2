import { masked, REACH } from './redact.js';

/**
 * Masks a text that arrives in pieces like a whole one: holds back the last REACH bytes until more arrive, or the text ends.
 */
export function maskStream(): TransformStream<Uint8Array, Uint8Array> {
  // Up to REACH bytes already sent, and the bytes held back.
  let around = Buffer.alloc(0) as Buffer;
  let sent = 0;
  const send = (controller: TransformStreamDefaultController<Uint8Array>, end: number) => {
    if (end > sent) controller.enqueue(masked(around).subarray(sent, end));
    const keep = Math.max(0, end - REACH);
    around = around.subarray(keep);
    sent = Math.max(sent, end) - keep;
  };
  return new TransformStream({
    transform(piece, controller) {
      around = Buffer.concat([around, piece]);
      if (around.length - REACH > sent) send(controller, around.length - REACH);
    },
    flush(controller) {
      send(controller, around.length);
    },
  });
}
