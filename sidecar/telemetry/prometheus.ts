/** One metric with its values, by labels; null where a value is not known. */
export type Metric = {
  /** With its unit at the end: `trackside_disk_free_bytes`. */
  name: string;
  help: string;
  type: 'gauge' | 'counter';
  values: { labels?: Record<string, string | number>; value: number | null }[];
};

export const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics as Prometheus reads them (prometheus.io/docs/instrumenting/exposition_formats). What is not known is left out:
 * a gap says more than a zero.
 */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, help, type, values }) => {
      const known = values.flatMap(({ labels = {}, value }) =>
        value === null ? [] : [`${name}${labelsOf(labels)} ${value}`],
      );
      return known.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...known];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function labelsOf(labels: Record<string, string | number>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
