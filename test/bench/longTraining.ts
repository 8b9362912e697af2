import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TAGS = ['loss/current', 'loss/average', 'lr/unet', 'lr/textencoder', 'lr/d*lr/unet'];
const BEGUN = Date.UTC(2026, 0, 1) / 1000;

/** A stopped session whose one attempt wrote an event file of `steps` steps with five values each. Returns its folder. */
export function longTraining(outputs: string, name: string, steps: number): string {
  const folder = join(outputs, name);
  mkdirSync(join(folder, 'logs', '20260101000000', 'network_train'), { recursive: true });
  describe(folder, 'begun');
  addSteps(folder, 1, steps);
  return folder;
}

/** Edits the record, which a sidecar notices and reads. */
export function describe(folder: string, description: string): void {
  const begun = new Date(BEGUN * 1000).toISOString();
  const attempt = { id: 'one', number: 1, kind: 'start', started_at: begun, ended_at: begun, outcome: 'stopped' };
  const told = { argv: [], log_start: 0, log_end: 0, first_epoch: 1, step_offset: 0, stop_requested_at: begun };
  const state = { lora_name: 'long', status: 'stopped', description, attempts: [{ ...attempt, ...told }] };
  writeFileSync(join(folder, 'ui_state.json'), JSON.stringify(state));
}

/** Appends steps to the event file, as TensorBoard's writer does: a record a value. */
export function addSteps(folder: string, from: number, to: number): void {
  const path = join(folder, 'logs', '20260101000000', 'network_train', 'events.out.tfevents.1.host.1.0');
  for (let first = from; first <= to; first += 10_000) {
    const records: Buffer[] = [];
    for (let step = first; step <= Math.min(to, first + 9999); step += 1) {
      for (const tag of TAGS) records.push(record(tag, step, 0.1 + 0.05 * Math.sin(step) + 10 / (step + 100)));
    }
    appendFileSync(path, Buffer.concat(records));
  }
}

/** A TFRecord with a TensorBoard event of one value; its checksums are left empty. */
export function record(tag: string, step: number, value: number): Buffer {
  const name = Buffer.from(tag);
  const told = Buffer.concat([Buffer.from([0x0a, name.length]), name, Buffer.from([0x15]), float(value)]);
  const summary = Buffer.concat([Buffer.from([0x0a, told.length]), told]);
  const event = Buffer.concat([
    Buffer.from([0x09]),
    double(BEGUN + step),
    Buffer.from([0x10]),
    varint(step),
    Buffer.from([0x2a, summary.length]),
    summary,
  ]);
  const framed = Buffer.alloc(16 + event.length);
  framed.writeBigUInt64LE(BigInt(event.length));
  event.copy(framed, 12);
  return framed;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Adds checkpoints and sample pictures to a session's folder, as small as whole ones can be. */
export function addProducts(folder: string, name: string, checkpoints: number, samples: number): void {
  mkdirSync(join(folder, 'sample'), { recursive: true });
  for (let epoch = 1; epoch <= checkpoints; epoch += 1) addCheckpoint(folder, name, epoch);
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  for (let at = 0; at < samples; at += 1) {
    const [epoch, prompt] = [Math.floor(at / 4), at % 4];
    const time = new Date((BEGUN + at) * 1000).toISOString().replace(/\D/g, '').slice(0, 14);
    const file = `${name}_e${String(epoch).padStart(6, '0')}_${String(prompt).padStart(2, '0')}_${time}_42.png`;
    writeFileSync(join(folder, 'sample', file), picture);
  }
}

/** The checkpoint of an epoch, with a header like those of sd-scripts. */
export function addCheckpoint(folder: string, name: string, epoch: number): void {
  const told = { ss_network_dim: '16', ss_network_alpha: '8', ss_learning_rate: '0.0001', ss_optimizer: 'AdamW8bit' };
  const where = { ss_epoch: `${epoch}`, ss_num_epochs: '400', ss_seed: '42', ss_base_model_version: 'sdxl_base_v1-0' };
  const tensor = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const header = Buffer.from(JSON.stringify({ __metadata__: { ...told, ...where }, 'lora.weight': tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = `${name}-${String(epoch).padStart(6, '0')}.safetensors`;
  writeFileSync(join(folder, file), Buffer.concat([length, header, Buffer.alloc(8)]));
}
