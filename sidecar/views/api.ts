import type { PageModel } from './frame.js';

/** What the page says of one route. */
export type ApiRouteModel = {
  method: string;
  path: string;
  part: string;
  summary: string;
  more?: string;
  query?: Record<string, string>;
  body?: object;
  answers: object;
};

export type ApiModel = PageModel & {
  routes: readonly ApiRouteModel[];
  codes: readonly [code: string, status: number][];
};

export type ApiView = ReturnType<typeof apiView>;
export type ApiPart = ApiView['parts'][number];

export function apiView({ routes, codes }: ApiModel) {
  const parts = [...new Set(routes.map(({ part }) => part))];
  return {
    parts: parts.map((title) => ({
      title,
      routes: routes
        .filter(({ part }) => part === title)
        .map(({ method, path, summary, more = null, query = {}, body, answers }) => ({
          method,
          path: path.replace(/\{[^{}]+\}/g, ''),
          summary,
          more,
          query: Object.entries(query).map(([name, words]) => ({ name, words })),
          body: contentWords(body),
          answers: Object.entries(answers).map(([status, answer]) => `${status} ${contentWords(answer) ?? ''}`.trim()),
        })),
    })),
    codes: codes.map(([code, status]) => ({ code, status })),
  };
}

/** "JSON: Session", or the kind of file. */
function contentWords(content: object | undefined): string | null {
  if (!content) return null;
  if ('media' in content) return String(content.media);
  const id = 'meta' in content && typeof content.meta === 'function' ? content.meta()?.id : undefined;
  return id ? `JSON: ${id}` : 'JSON';
}
