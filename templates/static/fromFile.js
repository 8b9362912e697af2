/* A LoRA for New training: of its file only the header is sent, which has its settings. Without this the whole file is sent. */
const input = /** @type {HTMLInputElement | null} */ (document.getElementById('foreign-file'));
/** Bytes: as the server reads (sidecar/trainers/foreign/foreignFile.ts). */
const LARGEST_HEADER = 16_000_000;

input?.addEventListener('change', async () => {
  const [file] = input.files ?? [];
  if (!file?.name.endsWith('.safetensors')) return;
  const length = new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true);
  if (length + 8n > BigInt(Math.min(file.size, LARGEST_HEADER)) || input.files?.[0] !== file) return;
  const short = new DataTransfer();
  short.items.add(new File([file.slice(0, Number(length) + 8)], file.name));
  input.files = short.files;
});
