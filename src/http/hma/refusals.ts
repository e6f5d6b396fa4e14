// HMA's error answers: an object with a message; a list of invalid fields; plain text when the key is missing or wrong.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Hotline } from '../../domain/cases/hotlines.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { problemOf } from '../plugins/problem-answers.js'
import { PROBLEMS } from '../problem-table.js'

/** An error as pydantic reports it, without the sent value: we never echo input. */
export interface FieldError {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
}

/** A refusal in HMA's form. Do not reword texts that are HMA's: clients search for some of them. */
export class HmaRefusal extends Error {
  readonly status: number
  readonly fields: readonly FieldError[] | undefined

  constructor(status: number, message: string, fields?: readonly FieldError[]) {
    super(message)
    this.name = 'HmaRefusal'
    this.status = status
    this.fields = fields
  }
}

/** Problems for which HMA has its own text. */
const TEXTS: Partial<Readonly<Record<ProblemCode, { readonly status?: number; readonly message: string }>>> = {
  'index-loading': { message: 'index not yet ready' },
  'image-too-large': { message: 'Content too large' },
  'body-too-large': { message: 'Content too large' },
  'too-many-images': { status: 400, message: 'Only one file allowed per request' },
  'image-missing': { message: 'Missing multipart/form-data file upload' },
  'media-unsupported': { status: 400, message: 'Missing multipart/form-data file upload' },
  'image-undecodable': { status: 400, message: 'The image cannot be decoded' },
  'image-empty': { status: 400, message: 'The image cannot be decoded' },
}

/** The problem of a sent file, as HMA reports it: one of an unsupported kind is one that cannot be decoded. */
export function problemOfUpload(problem: Problem): Problem {
  return problem.code === 'media-unsupported' ? new Problem('image-undecodable') : problem
}

/** @param hotlines of the configured country, shown to a caller who declares a person under 18. */
export function createHmaErrorHandler(hotlines: readonly Hotline[]) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    if (error instanceof HmaRefusal) {
      request.problemCode = error.status === 404 ? 'signal-unknown' : 'request-invalid'
      reply.code(error.status)
      if (error.fields === undefined) reply.send({ message: error.message })
      else reply.send(error.fields.map((field) => ({ ...field, input: null, url: `${DOCS}${field.type}` })))
      return
    }
    const problem = problemOf(error)
    const { status, title } = PROBLEMS[problem.code]
    request.problemCode = problem.code
    if (problem.code === 'unexpected') request.log.error({ err: error }, 'unexpected')
    if (problem.retryAfterS !== undefined) reply.header('retry-after', String(problem.retryAfterS))
    if (status === 401) {
      reply.code(401).header('www-authenticate', 'Bearer').type('text/plain').send('Authentication required')
      return
    }
    if (problem.code === 'body-too-large') reply.header('connection', 'close') // what still arrives is not read
    const text = TEXTS[problem.code]
    reply.code(text?.status ?? status).send({
      message: text?.message ?? title,
      ...(problem.code === 'minor-declared' && { hotlines: [...hotlines] }),
    })
  }
}

const DOCS = 'https://errors.pydantic.dev/2/v/'
