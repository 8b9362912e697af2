import { z } from 'zod';
import type { Described, Media } from './described.js';
import { errorCodes, refusal } from './facts.js';
import { describedParts } from './routes.js';

type Json = Record<string, unknown>;

/** A route of the API, with its method and path, in the order of the tables. */
export type ApiRoute = Described & { method: string; path: string; part: string };

export const apiRoutes: ApiRoute[] = Object.entries(describedParts).flatMap(([part, routes]) =>
  Object.entries(routes).flatMap(([key, route]) => {
    const [method = '', path = ''] = key.split(' ');
    return 'people' in route ? [] : [{ ...route, method, path, part }];
  }),
);

let made: Json | null = null;

/**
 * The API as OpenAPI 3.1, of the schemas that validate requests and describe facts. Made once, when it is first asked for.
 * Its addresses are relative: it is right behind any proxy.
 */
export function openApi(version: string): Json {
  made ??= documentOf(version);
  return made;
}

function documentOf(version: string): Json {
  const schemas = createSchemas();
  const paths: Record<string, Json> = {};
  for (const route of apiRoutes) {
    const path = route.path.replace(/:(\w+)(\{[^{}]+\})?/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route, schemas);
  }
  const problem = { $ref: schemas.use(refusal, 'output').$ref };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trackside',
      version,
      summary: 'Start, watch, stop and resume LoRA trainings.',
      description:
        'Send the access token with every request: `Authorization: Bearer <token>`. Ask for JSON with `Accept: application/json`. Fields may be added to answers, but none is ever removed. Times are ISO 8601 in UTC, sizes bytes, durations seconds.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '.' }],
    security: [{ token: [] }],
    tags: Object.keys(describedParts).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: {
        Refused: { description: 'Refused; the code says why.', content: { 'application/json': { schema: problem } } },
        Failed: { description: 'It failed here.', content: { 'application/json': { schema: problem } } },
      },
      schemas: schemas.all(),
    },
    'x-error-codes': Object.fromEntries(errorCodes),
  };
}

function operationOf({ method, path, part, summary, more, query, body, answers }: ApiRoute, schemas: Schemas): Json {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: TEXT }));
  const inQuery = Object.entries(query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: TEXT,
  }));
  const responses: Json = {};
  for (const [status, answer] of Object.entries(answers)) {
    const description = isMedia(answer) ? answer.words : 'Done.';
    responses[status] = { description, content: contentOf(answer, schemas, 'output') };
  }
  return {
    tags: [part],
    summary,
    ...(more ? { description: more } : {}),
    operationId: idOf(method, path),
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: true, content: contentOf(body, schemas, 'input') } } : {}),
    responses: {
      ...responses,
      '4XX': { $ref: '#/components/responses/Refused' },
      '5XX': { $ref: '#/components/responses/Failed' },
    },
    ...(path === '/healthz' ? { security: [] } : {}),
  };
}

const TEXT = { type: 'string' };

function isMedia(content: z.ZodType | Media): content is Media {
  return 'media' in content;
}

function contentOf(content: z.ZodType | Media, schemas: Schemas, io: Direction): Json {
  if (isMedia(content)) return { [content.media]: {} };
  return { 'application/json': { schema: schemas.use(content, io) } };
}

/** `GET /sessions/:name/states` → `getSessionsNameStates` */
function idOf(method: string, path: string): string {
  const words = path.replace(/\{[^{}]+\}/g, '').split(/\W+/);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

type Direction = 'input' | 'output';
type Schemas = ReturnType<typeof createSchemas>;

/** Turns zod's schemas into JSON Schema; one with an id stands once, among the components. */
function createSchemas() {
  const named: Record<string, Json> = {};
  return {
    use(schema: z.ZodType, io: Direction): Json {
      const { $schema, $defs, ...own } = z.toJSONSchema(schema, {
        io,
        reused: 'inline',
        unrepresentable: 'any',
        // More fields may come (see `description`).
        override: ({ jsonSchema }) => {
          if (io === 'output' && jsonSchema.additionalProperties === false) jsonSchema.additionalProperties = {};
        },
      }) as Json;
      for (const [id, each] of Object.entries(($defs ?? {}) as Record<string, Json>)) named[id] = moved(each);
      const id = schema.meta()?.id;
      if (!id) return moved(own);
      named[id] ??= moved(own);
      return { $ref: `#/components/schemas/${id}` };
    },
    all: () => Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** With references to the components, and without the ids that zod leaves beside them. */
function moved(schema: Json): Json {
  const { id, $id, ...rest } = JSON.parse(
    JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as Json;
  return rest;
}
