import type { z } from 'zod';

/** A body that is no JSON: a file, a text, a stream. */
export type Media = { media: string; words: string };

/** One route as the API tells it: what may be asked, and what is answered. Refusals are the same everywhere. */
export type Described = {
  /** A sentence without its full stop, as a heading. */
  summary: string;
  /** What else a program has to know. */
  more?: string;
  /** Each a text in the address, with its meaning. */
  query?: Record<string, string>;
  body?: z.ZodType | Media;
  answers: { [status in 200 | 201 | 202 | 204]?: z.ZodType | Media };
};

/** A route for people with a browser, which is no part of the API. */
export type ForPeople = { people: string };

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** By method and path, as the app has it: `GET /sessions/:name/checkpoints/:file{.+}`. */
export type DescribedRoutes = Record<`${Method} /${string}`, Described | ForPeople>;

export const STREAM: Media = {
  media: 'text/event-stream',
  words: 'Server-sent events; the first holds everything that is shown, later ones what changed of it.',
};
