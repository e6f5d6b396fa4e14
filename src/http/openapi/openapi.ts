// The API's description, from the routes themselves.

import swagger, { type SwaggerTransform } from '@fastify/swagger'
import type { FastifyContextConfig } from 'fastify'
import fp from 'fastify-plugin'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { decodedFormats } from '../../domain/media/media-formats.js'
import { VIDEO_FORMATS } from '../../domain/media/video-limits.js'
import type { RouteScope } from '../../domain/organisations/access.js'
import type { ProblemCode } from '../../domain/problem.js'
import { commonProblems, withProblems } from '../common-problems.js'
import { problemCodesOf } from '../problems.js'
import { CONTEXT_FORM } from '../routes/match-schemas.js'
import { EXAMPLES } from './examples.js'
import { withNamedLists } from './openapi-enums.js'
import { webhooksDescribed } from './openapi-webhooks.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is multipart/form-data with parts named `image`. The route reads it, so there is no schema. */
    multipart?: boolean
    /** The body may also be a file of any content type, without a form. The part of the form may have any name. */
    anyFile?: boolean
    /** The body is multipart/form-data with one part named `video`. The route reads it. */
    videoFile?: boolean
    /** The multipart body may also have a field `context`. */
    contextField?: boolean
    /** The body may also be NDJSON, read as it arrives: with lines of this schema, or for `true` with the entries of the JSON body as lines. */
    ndjsonBody?: true | z.ZodType
    /** The body is a file of signals, of any length. */
    fileBody?: boolean
    fileAnswer?: boolean
    /** The answer may also be Server-Sent Events, if the client accepts them. */
    eventStream?: boolean
    /** The answer is NDJSON with lines of this schema, or the same lines as Server-Sent Events, if the client accepts them. */
    ndjsonAnswer?: boolean
    /** The route serialises the JSON answer itself, as a stream or text. The first alternative of the schema describes it. */
    writtenAnswer?: boolean
    /** The answer may also be a PDF. */
    pdf?: boolean
    /** All problems in the description of the operation; absent for routes that are not described. */
    problems?: ReadonlySet<ProblemCode>
  }
}

const INFO = {
  title: 'Tabir',
  version: '0.1.0',
  description:
    'Perceptual-hash matching against intimate images shared without consent. Pictures are hashed in flight and never stored. Every refusal is an RFC 9457 problem with a stable code.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

const TAGS = [
  {
    name: 'match',
    description: 'For platforms: find out whether a picture is registered, or a changed copy of one that is.',
  },
  { name: 'cases', description: 'For the person in the picture and for helpers.' },
  { name: 'banks', description: 'For NGOs, hotlines and partners that submit hashes.' },
  { name: 'feed', description: 'For platforms that match on their own systems.' },
  { name: 'signals', description: 'For the operator: disputes, quarantine and decisions about signals.' },
  { name: 'watch', description: 'For platforms: get an event when a recently uploaded picture is registered later.' },
  { name: 'keys', description: 'For the operator: API keys.' },
  { name: 'webhooks', description: 'For organisations: receive events.' },
  { name: 'operation', description: 'For the operator of the service.' },
]

export const openapi = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      const { method, url, schema, config = {} } = route
      if (schema?.operationId === undefined) return
      const common = commonProblems({ method: String(method), url, scope: config.scope })
      // In a copy: routes may share one config, and each has problems of its own.
      route.config = { ...config, problems: new Set([...common, ...problemCodesOf(schema.response)]) }
    })
    await app.register(swagger, {
      stripBasePath: false, // it reads whole addresses only
      openapi: {
        openapi: '3.1.0',
        info: INFO,
        servers: [{ url: '.', description: 'Where this description is served from.' }],
        tags: TAGS,
        components: {
          securitySchemes: {
            organisationKey: {
              type: 'http',
              scheme: 'bearer',
              description: 'An API key, created with `tabir keys create`.',
            },
            caseToken: {
              type: 'http',
              scheme: 'bearer',
              description: 'The token of a case, returned when it is opened or by `POST …/tokens`.',
            },
          },
        },
      },
      transform,
      transformObject: (document) => {
        const paths = withExamples(withoutUnused(jsonSchemaTransformObject(document)))
        return withNamedLists(Object.assign(paths, { webhooks: webhooksDescribed() }))
      },
    })
  },
  { name: 'openapi', fastify: '5.x' },
)

const transform: SwaggerTransform = (document) => {
  const { url, schema } = jsonSchemaTransform(document)
  if (schema === undefined || schema.hide === true) return { url, schema }
  const { config = {} } = document.route
  const { scope, multipart, anyFile, videoFile, contextField, ndjsonBody, fileBody, problems = new Set() } = config
  const security = securityOf(scope)
  return {
    url,
    schema: {
      ...schema,
      ...(security !== undefined && { security }),
      response: withProblems(answersOf(schema.response, config), problems),
      ...(anyFile === true && { body: { content: ANY_FILE } }),
      ...(multipart === true &&
        anyFile !== true && {
          consumes: ['multipart/form-data'],
          body: contextField === true ? withContext(IMAGE_PARTS) : IMAGE_PARTS,
        }),
      ...(videoFile === true && {
        consumes: ['multipart/form-data'],
        body: contextField === true ? withContext(VIDEO_PART) : VIDEO_PART,
      }),
      ...(fileBody === true && { consumes: ['application/octet-stream'], body: FILE }),
      ...(ndjsonBody === true && {
        consumes: ['application/json', 'application/x-ndjson'],
        body: firstAlternative(schema.body),
      }),
      ...(ndjsonBody instanceof z.ZodType && { body: { content: withLines(schema.body, ndjsonBody) } }),
    },
  }
}

function withLines(json: unknown, line: z.ZodType) {
  const { $schema: _, ...lines } = z.toJSONSchema(line, { io: 'input' })
  return { 'application/json': { schema: json }, 'application/x-ndjson': { schema: lines } }
}

/** Adds the other media types that a route's config names. */
function answersOf(responses: unknown, config: FastifyContextConfig): unknown {
  if (config.eventStream === true) return withAlternative(responses, 'text/event-stream', EVENTS)
  if (config.ndjsonAnswer === true) return asLinesOrEvents(responses)
  if (config.writtenAnswer === true) return asWritten(responses)
  if (config.pdf === true) return withAlternative(responses, 'application/pdf', PDF)
  return config.fileAnswer === true ? withFile(responses) : responses
}

const IMAGE_PARTS = {
  type: 'object',
  required: ['image'],
  properties: {
    image: {
      type: 'array',
      items: { type: 'string', format: 'binary' },
      get description() {
        return `${decodedFormats()}.`
      },
    },
  },
}

const VIDEO_PART = {
  type: 'object',
  required: ['video'],
  properties: { video: { type: 'string', format: 'binary', description: `One file: ${VIDEO_FORMATS}.` } },
}

const CONTEXT = {
  type: 'string',
  pattern: CONTEXT_FORM.source,
  description: 'Where you saw them: an opaque id, as in POST /v1/match. See /v1/insights/contexts.',
}

function withContext(parts: typeof IMAGE_PARTS | typeof VIDEO_PART) {
  return { ...parts, properties: { ...parts.properties, context: CONTEXT } }
}

const FILE = { type: 'string', format: 'binary' }
const ANY_FILE = {
  'application/octet-stream': { schema: FILE },
  'multipart/form-data': { schema: { type: 'object', properties: { file: FILE } } },
}

const EVENTS = { type: 'string', description: 'The data of each event is one of `events`.' }
const PDF = { type: 'string', format: 'binary' }

/** Adds another media type to the 200 answer. */
function withAlternative(responses: unknown, mediaType: string, schema: object): unknown {
  if (typeof responses !== 'object' || responses === null || !('200' in responses)) return responses
  const content = {
    'application/json': { schema: firstAlternative(responses[200]) },
    [mediaType]: { schema },
  }
  return { ...responses, 200: { description: 'Default Response', content } }
}

function withFile(responses: unknown): unknown {
  if (typeof responses !== 'object' || responses === null) return responses
  return { ...responses, 200: { description: 'The file.', content: { 'application/octet-stream': { schema: FILE } } } }
}

function asLinesOrEvents(responses: unknown): unknown {
  if (typeof responses !== 'object' || responses === null || !('200' in responses)) return responses
  const content = {
    'application/x-ndjson': { schema: firstAlternative(responses[200]) },
    'text/event-stream': { schema: { type: 'string', description: 'The data of each event is one such line.' } },
  }
  return { ...responses, 200: { description: 'Default Response', content } }
}

function asWritten(responses: unknown): unknown {
  if (typeof responses !== 'object' || responses === null) return responses
  return Object.fromEntries(Object.entries(responses).map(([status, body]) => [status, firstAlternative(body)]))
}

function securityOf(scope: RouteScope | undefined) {
  if (scope === undefined) return undefined
  if (scope === 'public') return []
  if (scope === 'key') return [{ organisationKey: [] }]
  return scope === 'case' ? [{ caseToken: [] }, { organisationKey: ['cases:write'] }] : [{ organisationKey: [scope] }]
}

/** The first alternative of `JSON or a stream`: a stream cannot be described. */
function firstAlternative(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'anyOf' in body && Array.isArray(body.anyOf) ? body.anyOf[0] : body
}

/** Removes unused input schemas: the type provider emits each shared schema twice, for input and for output. */
function withoutUnused<T extends object>(document: T): T {
  const components: unknown = 'components' in document ? document.components : undefined
  if (typeof components !== 'object' || components === null || !('schemas' in components)) return document
  const text = JSON.stringify(document)
  const used = Object.entries(components.schemas ?? {}).filter(
    ([name]) => !name.endsWith('Input') || text.includes(`"#/components/schemas/${name}"`),
  )
  Object.assign(components, { schemas: Object.fromEntries(used) })
  return document
}

function objects(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).filter((inner) => typeof inner === 'object' && inner !== null)
}

/** Adds recorded examples of requests and answers. */
function withExamples<T extends object>(document: T): T {
  for (const path of objects('paths' in document ? document.paths : undefined)) {
    for (const operation of objects(path)) {
      if (!('operationId' in operation) || !('responses' in operation)) continue
      const responses = operation.responses
      if (typeof responses !== 'object' || responses === null) continue
      const example = ownValue(EXAMPLES, String(operation.operationId))
      if (example === undefined) continue
      const { params = {}, body, answer } = example
      for (const parameter of 'parameters' in operation ? objects(operation.parameters) : []) {
        const name = 'name' in parameter ? String(parameter.name) : ''
        if ('in' in parameter && parameter.in === 'path' && Object.hasOwn(params, name))
          Object.assign(parameter, { example: ownValue(params, name) })
      }
      if ('requestBody' in operation && body !== undefined) exemplify(operation.requestBody, body, isJson)
      const [, answered] = Object.entries(responses).find(([status]) => status < '300') ?? []
      if (answer !== undefined) exemplify(answered, answer)
    }
  }
  return document
}

/** Excludes NDJSON: the example body is JSON. */
const isJson = (type: string) => type === 'application/json'

function exemplify(holder: unknown, example: unknown, isOf = (type: string) => type.endsWith('json')): void {
  if (typeof holder !== 'object' || holder === null || !('content' in holder)) return
  for (const [type, media] of Object.entries(holder.content ?? {}))
    if (isOf(type) && typeof media === 'object' && media !== null) Object.assign(media, { example })
}
