// What may be answered before a request reaches the code of its route: so no route lists it.

import type { FastifyContextConfig } from 'fastify'
import type { ProblemCode } from '../domain/problem.js'
import { limitsOf } from './limit-table.js'
import { isSheddable } from './plugins/request-admission.js'
import { PROBLEMS } from './problem-table.js'
import { PROBLEM_MEDIA_TYPE } from './problems.js'

export interface DescribedRoute {
  readonly method: string
  readonly url: string
  readonly scope: FastifyContextConfig['scope']
}

/** Covers all deployments: has `rate-limited` if any of them limits the route. */
export function commonProblems({ method, url, scope = 'public' }: DescribedRoute): ProblemCode[] {
  const codes: ProblemCode[] = ['request-invalid', 'minor-declared', 'unexpected']
  // Of GET no body is read.
  if (method !== 'GET' && method !== 'HEAD') codes.push('body-unreadable', 'body-too-large', 'media-unsupported')
  if (limitsOf(method, url, scope).length > 0) codes.push('rate-limited')
  if (isSheddable(method, scope)) codes.push('overloaded')
  if (scope === 'public') return codes
  codes.push('key-suspended', 'index-loading', 'store-unavailable')
  if (scope === 'key') return codes.concat('key-missing', 'key-invalid')
  return codes.concat(scope === 'case' ? ['token-missing', 'case-unknown'] : ['key-missing', 'key-invalid', 'scope-missing'])
}

/** Adds these problems to the responses of a route. Each status lists its problem codes. */
export function withProblems(responses: unknown, codes: ReadonlySet<ProblemCode>): Record<string, unknown> {
  const described: Record<string, unknown> = { ...(typeof responses === 'object' && responses) }
  for (const { status } of new Set([...codes].map((code) => PROBLEMS[code]))) {
    const here = [...codes].filter((code) => PROBLEMS[code].status === status).sort()
    described[status] = {
      description: here.map((code) => `\`${code}\``).join(', '),
      content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  }
  return described
}
