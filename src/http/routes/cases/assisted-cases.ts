// Cases that an organisation opens for somebody who has agreed to it, and hands over to her.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CONSENT_KINDS } from '../../../domain/cases/assistance.js'
import { Problem } from '../../../domain/problem.js'
import type { Cases } from '../../../services/cases/cases.js'
import type { Idempotency } from '../../../services/load/idempotency.js'
import { Declared } from '../../minors.js'
import { callerOf, ownCaseOf } from '../../plugins/door.js'
import { may } from '../../problems.js'
import {
  CaseNumberParam,
  CategoryName,
  ExtendedProtection,
  IdempotencyKey,
  Instant,
  instant,
  RecoveryCode,
} from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'

const Reference = z
  .string()
  .max(64)
  // No pattern in the description: few validators there know \p.
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'must have a letter or digit')
  .meta({
    description: 'The number of a report to the police or of a complaint. Kept as a keyed hash alone.',
  })

const NewAssistedCase = z.strictObject({
  ...Declared,
  adult: z.literal(true).meta({ description: 'As in POST /v1/cases.' }),
  category: CategoryName.optional(),
  extendedProtection: ExtendedProtection,
  consent: z.strictObject({
    kind: z.enum(CONSENT_KINDS).meta({ description: 'How she agreed.' }),
    on: z.iso.date().meta({ description: 'On which day.' }),
  }),
  attest: z.boolean().default(false).meta({
    description: 'Do you stand in for what you will register? Then its images have the tier ngo-attested.',
  }),
  complaint: Reference.optional(),
})
const OpenedCase = z.object({
  caseNumber: z.string(),
  caseId: z.string().meta({ description: 'What webhooks call it. It opens nothing.' }),
  expiresAt: Instant,
  remindAt: Instant,
})

export interface AssistedCaseRouteOptions {
  readonly cases: Cases
  readonly idempotency: Idempotency
  readonly now: () => number
}

export const assistedCaseRoutes: FastifyPluginAsyncZod<AssistedCaseRouteOptions> = async (app, options) => {
  openAssistedCaseRoute(app, options)
  handOverCaseRoute(app, options)
  noteComplaintRoute(app, options)
  checkComplaintRoute(app, options)
}

function openAssistedCaseRoute(app: ZodApp, { cases, idempotency, now }: AssistedCaseRouteOptions): void {
  app.post(
    '/assisted-cases',
    {
      config: { scope: 'cases:write' },
      schema: {
        operationId: 'openAssistedCase',
        summary: 'Open a case for somebody who has agreed to it',
        description:
          'The routes of the case take your API key in place of its token. It has no PIN before you hand it over. Nothing that names her is asked for, and nothing may be sent.',
        tags: ['cases'],
        headers: IdempotencyKey,
        body: NewAssistedCase,
        response: {
          201: OpenedCase,
          ...may(
            'request-invalid',
            'minor-declared',
            'extended-protection-off',
            'key-missing',
            'scope-missing',
            'idempotency-key-reused',
            'idempotency-key-busy',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, headers } = request
      const { orgId } = callerOf(request)
      // A day that has begun nowhere on earth yet.
      if (Date.parse(body.consent.on) > now() + 14 * 3_600_000) throw new Problem('request-invalid')
      const key = headers['idempotency-key']
      const opened = await idempotency.once(['assist-case', orgId], key, body, OpenedCase, async () => {
        const { caseNumber, caseId, expiresAtMs, remindAtMs } = await cases.openFor({
          orgId,
          category: body.category,
          extendedProtection: body.extendedProtection,
          consentKind: body.consent.kind,
          consentOn: body.consent.on,
          isAttested: body.attest,
          complaint: body.complaint,
        })
        return {
          caseNumber,
          caseId,
          expiresAt: instant(expiresAtMs),
          remindAt: instant(remindAtMs),
        }
      })
      return reply.code(201).send(opened)
    },
  )
}

function handOverCaseRoute(app: ZodApp, { cases }: AssistedCaseRouteOptions): void {
  app.post(
    '/cases/:caseNumber/handover',
    {
      config: { scope: 'case', purpose: 'hand-over' },
      schema: {
        operationId: 'handOverCase',
        summary: 'Hand a case over to the person it is about',
        description:
          'For the organisation that opened it. PIN and recovery code are for her; she should get others then (`POST …/pin`). From the answer on your key does nothing with the case, or looks at it if that was agreed. If the answer was lost, send the same again, with or without its Idempotency-Key: until she has used one of them, the answer is the same; then it is `handed-over`.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        body: z.strictObject({ keepReading: z.boolean().default(false) }),
        response: {
          201: z.object({ pin: z.string(), recoveryCode: RecoveryCode }),
          ...may(
            'request-invalid',
            'token-missing',
            'case-unknown',
            'not-assisted',
            'handed-over',
            'case-withdrawn',
            'case-expired',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const given = await cases.handOver(ownCaseOf(request), { keepsReading: request.body.keepReading })
      return reply.code(201).send(given)
    },
  )
}

function noteComplaintRoute(app: ZodApp, { cases }: AssistedCaseRouteOptions): void {
  app.put(
    '/cases/:caseNumber/complaint',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'noteComplaint',
        summary: 'Note that there is a complaint',
        description:
          'Its number is kept as a keyed hash: it can be compared later, and nobody can read it. The last one counts.',
        tags: ['cases'],
        params: CaseNumberParam,
        body: z.strictObject({ reference: Reference }),
        response: {
          204: z.null(),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'case-withdrawn', 'case-expired', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      await cases.noteComplaint(ownCaseOf(request), request.body.reference)
      return reply.code(204).send(null)
    },
  )
}

function checkComplaintRoute(app: ZodApp, { cases }: AssistedCaseRouteOptions): void {
  app.post(
    '/cases/:caseNumber/complaint/checks',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'checkComplaint',
        summary: 'Is this the number that was noted?',
        description: 'For an officer who has the number, and the person whose case it is.',
        tags: ['cases'],
        params: CaseNumberParam,
        body: z.strictObject({ reference: Reference }),
        response: {
          200: z.object({ noted: z.boolean() }),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'store-unavailable'),
        },
      },
    },
    async (request) => ({ noted: cases.isComplaint(ownCaseOf(request), request.body.reference) }),
  )
}
