// Checks refusals: a problem with its code and a number for the log, without any word of the request.

import type { Test } from 'tap'
import { z } from 'zod'
import { NOT_READY_REASONS } from '../../src/domain/not-ready.js'
import { SCOPES } from '../../src/domain/organisations/access.js'
import type { ProblemCode } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'

/** A text for everything that a client sends in a test: no answer and no log line may contain it. */
export const MARKER = 'zq7Marker4xk'

/** A response of `app.inject`, or one of `fetch` in the same form. */
export interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

const Body = z.strictObject({
  type: z.string(),
  title: z.string().min(1),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  instance: z.string().regex(/^urn:uuid:[0-9a-f-]{36}$/),
  retryAfterS: z.int().min(1).optional(),
  reason: z.enum(NOT_READY_REASONS).optional(),
  scope: z.enum(SCOPES).optional(),
  errors: z.array(z.strictObject({ pointer: z.string().startsWith('#'), detail: z.string() })).optional(),
  hotlines: z.array(z.unknown()).optional(),
})

export function refused(t: Test, answer: Answer, code: ProblemCode, what: string = code): void {
  const { status } = PROBLEMS[code]
  const body = Body.safeParse(parsed(answer.body)).data
  const retryAfterS = answer.headers['retry-after']
  t.match(
    { status: answer.statusCode, mediaType: answer.headers['content-type'], body },
    { status, mediaType: /^application\/problem\+json/, body: { type: `/problems/${code}`, status, code } },
    what,
  )
  t.equal(retryAfterS === undefined ? undefined : Number(retryAfterS), body?.retryAfterS, `${what}: Retry-After`)
  if (status === 429 || status === 503) t.ok(Number(retryAfterS) >= 1, `${what}: says when to come back`)
  t.notOk((answer.body + JSON.stringify(answer.headers)).includes(MARKER), `${what}: repeats nothing`)
}

/** The body without the number of the request, to compare two answers that must not tell two things apart. */
export function withoutInstance(body: string): unknown {
  const { instance, ...rest } = Body.parse(parsed(body))
  return rest
}

/** Six digits occur in times and ids by chance, so a PIN is searched for as a whole number only. */
export function hasPin(text: string, pin: string): boolean {
  return new RegExp(`(?<![0-9a-f])${pin}(?![0-9a-f])`, 'i').test(text)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
