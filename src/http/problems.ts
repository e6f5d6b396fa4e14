// What each refusal answers. A code without a row here does not compile.

import { z } from 'zod'
import { type Hotline, hotlinesFor } from '../domain/cases/hotlines.js'
import { NOT_READY_REASONS } from '../domain/not-ready.js'
import { SCOPES } from '../domain/organisations/access.js'
import { isProblemCode, PROBLEM_CODES, type Problem, type ProblemCode, type ProblemError } from '../domain/problem.js'
import { PROBLEMS } from './problem-table.js'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(PROBLEM_CODES),
    detail: z.string().optional(),
    instance: z.string().optional(),
    retryAfterS: z.int().optional(),
    reason: z
      .enum(NOT_READY_REASONS)
      .optional()
      .meta({ description: 'The reason for `index-loading` and `store-unavailable`.' }),
    scope: z.enum(SCOPES).optional().meta({ description: 'The required scope, with `scope-missing`.' }),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    hotlines: z
      .array(z.object({ name: z.string(), where: z.string(), url: z.string().optional(), phone: z.string().optional() }))
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details with a stable code.' })
export type ProblemBody = z.infer<typeof ProblemBody>

/** The body of a refusal. It never echoes what the client sent. */
export function problemBody(
  problem: Problem,
  requestId?: string,
  errors: readonly ProblemError[] = problem.errors,
  hotlines: readonly Hotline[] = hotlinesFor(undefined),
): ProblemBody {
  const { status, title, detail } = PROBLEMS[problem.code]
  return {
    type: `/problems/${problem.code}`,
    title,
    status,
    code: problem.code,
    ...(detail !== undefined && { detail }),
    ...(requestId !== undefined && { instance: `urn:uuid:${requestId}` }),
    ...(problem.retryAfterS !== undefined && { retryAfterS: problem.retryAfterS }),
    ...(problem.reason !== undefined && { reason: problem.reason }),
    ...(problem.scope !== undefined && { scope: problem.scope }),
    ...(errors.length > 0 && { errors: [...errors] }),
    ...(problem.code === 'minor-declared' && { hotlines: [...hotlines] }),
  }
}

const CODES = Symbol('problem codes')

/** Response schemas for the problems of a route, by status, with the codes for the description. Problems of any route are in common-problems.ts. */
export function may(...codes: readonly ProblemCode[]): Record<number, typeof ProblemBody> {
  const schemas = Object.fromEntries(codes.map((code) => [PROBLEMS[code].status, ProblemBody]))
  return Object.assign(schemas, { [CODES]: codes })
}

/** The codes given to `may`, read from the response schemas of a route. */
export function problemCodesOf(responses: unknown): readonly ProblemCode[] {
  if (typeof responses !== 'object' || responses === null) return []
  const codes: unknown = Reflect.get(responses, CODES)
  return Array.isArray(codes) ? codes.filter(isProblemCode) : []
}
