// Turns every error into problem+json that repeats nothing of the request.

import type { Socket } from 'node:net'
import type {} from '@fastify/multipart' // adds isMultipart to requests
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { type Hotline, hotlinesFor } from '../../domain/cases/hotlines.js'
import { declaresMinor, fieldDeclaresMinor } from '../../domain/cases/minors.js'
import { Problem, type ProblemCode, type ProblemError } from '../../domain/problem.js'
import { StoreUnavailableError } from '../../domain/store-unavailable.js'
import { createMethodLookup } from '../methods-of-addresses.js'
import { PROBLEMS } from '../problem-table.js'
import { PROBLEM_MEDIA_TYPE, problemBody } from '../problems.js'
import { NOT_KEPT } from './browser-rules.js'

/** Problem codes for Fastify's errors. Other errors that blame the client are `request-invalid`. */
const FASTIFY_CODES: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-unsupported',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body-unreadable',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body-unreadable',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body-unreadable',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'media-unsupported',
  FST_FILES_LIMIT: 'too-many-images',
  FST_PARTS_LIMIT: 'too-many-images',
}

const MAX_ERRORS = 20
/** RFC 6750, 3.1: tells the client that sending the same key again is useless. */
const INVALID_KEY = 'Bearer error="invalid_token"'

/** Log message. A test run with this line fails. */
export const UNDESCRIBED_PROBLEM = 'a problem that the description of its operation does not name'

/** Answers a URL that cannot be parsed. */
export function answerBadAddress(_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  answerWith([])(new Problem('request-invalid'), request, reply.headers(NOT_KEPT)) // no hook has run yet
}

const NO_BOUNDARY = {
  pointer: '#',
  detail: 'the Content-Type has no boundary: leave it out, and what sends the form writes it',
}

const NOT_HTTP = { status: 400, reason: 'Bad Request', title: 'The request is not well-formed HTTP.' }
/** By the error of Node's parser. There is no schema yet that the request could match. */
const BAD_BYTES: Readonly<Record<string, typeof NOT_HTTP>> = {
  HPE_HEADER_OVERFLOW: {
    ...{ status: 431, reason: 'Request Header Fields Too Large' },
    title: 'The address and headers of the request are longer than this server accepts.',
  },
}

/** Answers bytes that are not HTTP. There is no request, only a socket. */
export function answerBadBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const { reason, ...said } = ownValue(BAD_BYTES, error.code ?? '') ?? NOT_HTTP
  const body = JSON.stringify(
    isLate ? problemBody(new Problem('upload-incomplete')) : { ...problemBody(new Problem('request-invalid')), ...said },
  )
  const head = [
    isLate ? 'HTTP/1.1 400 Bad Request' : `HTTP/1.1 ${said.status} ${reason}`,
    'connection: close',
    ...Object.entries(NOT_KEPT).map(([name, value]) => `${name}: ${value}`),
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${body.length}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

export const problemAnswers = fp<{ readonly country: string | undefined }>(
  async (app, { country }) => {
    const hotlines = hotlinesFor(country)
    const answer = answerWith(hotlines)
    // Many clients always send a content type. Where no body is expected any type is accepted: a withdrawal must not fail because of it.
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '' && request.routeOptions.schema?.body === undefined) done(null, undefined)
      else parseJson(request, body.toString(), done)
    })
    app.setErrorHandler<FastifyError>((error, request, reply) => {
      const problem = problemOf(error)
      if (problem.code === 'unexpected') request.log.error({ err: error }, 'unexpected')
      const { problems } = request.routeOptions.config
      if (problems?.has(problem.code) === false) request.log.warn({ code: problem.code }, UNDESCRIBED_PROBLEM)
      answer(
        problem,
        request,
        reply,
        hasZodFastifySchemaValidationErrors(error)
          ? error.validation.flatMap(errorsOf).slice(0, MAX_ERRORS)
          : problem.errors,
      )
    })
    app.addHook('onRequest', async ({ raw: { httpVersion, headers } }) => {
      if (httpVersion === '1.1' && headers.host === undefined) throw new Problem('request-invalid') // RFC 9112, 3.2
    })
    // An unknown expectation may be ignored (RFC 9110, 10.1.1). Node's own answer would not be problem+json.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
    app.addHook('preParsing', async ({ headers, routeOptions }, _reply, body) => {
      // No body is unpacked but files of signals, which are known by their first bytes: the answer must not blame the content.
      const { fileBody, multipart, videoFile, ndjsonBody } = routeOptions.config
      const isRead = [routeOptions.schema?.body, multipart, videoFile, ndjsonBody].some((kind) => kind !== undefined)
      const isPacked = !['', 'identity'].includes(headers['content-encoding']?.toLowerCase() ?? '')
      if (isPacked && isRead && fileBody !== true) throw new Problem('media-unsupported')
      return body
    })
    app.addHook('preValidation', async (request) => {
      // The multipart parser is registered for all routes, but only those that expect pictures or videos may use it.
      const { multipart, videoFile } = request.routeOptions.config
      if (request.isMultipart() && multipart !== true && videoFile !== true) throw new Problem('media-unsupported')
      if (request.isMultipart() && !/;\s*boundary\s*=/i.test(request.headers['content-type'] ?? ''))
        throw new Problem('upload-incomplete', { errors: [NO_BOUNDARY] })
      const inAddress = Object.entries(request.query ?? {}).some(([name, value]) => fieldDeclaresMinor(name, value))
      if (inAddress || declaresMinor(request.body)) throw new Problem('minor-declared')
    })
    const methodsAt = createMethodLookup(app)
    app.setNotFoundHandler((request, reply) => {
      const methods = methodsAt(request.url)
      // If the address has this method, it was too long or its parameters did not fit the pattern.
      const isOther = methods.length > 0 && !methods.includes(request.method)
      if (isOther) reply.header('allow', methods.join(', '))
      answer(new Problem(isOther ? 'method-not-allowed' : 'route-unknown'), request, reply)
    })
  },
  { name: 'problem-answers', fastify: '5.x' },
)

function answerWith(hotlines: readonly Hotline[]) {
  return (problem: Problem, request: FastifyRequest, reply: FastifyReply, errors: readonly ProblemError[] = []): void => {
    request.problemCode = problem.code
    request.storeCause = problem.cause instanceof StoreUnavailableError ? problem.cause.unavailableCause : null
    const { status } = PROBLEMS[problem.code]
    if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS))
    if (status === 401) reply.header('www-authenticate', problem.code === 'key-invalid' ? INVALID_KEY : 'Bearer')
    if (problem.code === 'body-too-large') reply.header('connection', 'close') // what still arrives is not read
    reply
      .code(status)
      .type(PROBLEM_MEDIA_TYPE)
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problemBody(problem, request.id, errors, hotlines))
  }
}

/** @returns the Problem for an error of Fastify, zod or our own. */
export function problemOf(error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (hasZodFastifySchemaValidationErrors(error)) return new Problem('request-invalid')
  const code = ownValue(FASTIFY_CODES, error.code)
  if (code !== undefined) return new Problem(code)
  const blamesClient = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  return new Problem(blamesClient ? 'request-invalid' : 'unexpected', { cause: error })
}

/**
 * Names a field that the schema does not have. The name comes from the client, so only a short name of letters is repeated, and only to
 * its sender: it cannot be a hash, PIN, key or number. zod's other messages describe the schema alone.
 */
function errorsOf({ keyword, instancePath, message, params }: FastifySchemaValidationError): ProblemError[] {
  const place = instancePath === '/' ? '#' : `#${instancePath}`
  if (keyword !== 'unrecognized_keys') return [{ pointer: place, detail: message ?? 'is not valid' }]
  const keys = Array.isArray(params['keys']) ? params['keys'].map(String) : []
  const named = keys.filter((key) => PLAIN_NAME.test(key))
  const errors = named.map((key) => ({ pointer: `${place}/${key}`, detail: 'is a field that is not known here' }))
  return named.length < keys.length || keys.length === 0
    ? [...errors, { pointer: place, detail: 'has a field that is not known here' }]
    : errors
}

const PLAIN_NAME = /^[A-Za-z][A-Za-z_-]{0,31}$/
