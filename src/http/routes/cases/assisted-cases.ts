// Cases that an organisation opens for a person who agreed, and hands over to that person.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CONSENT_KINDS } from '../../../domain/cases/assistance.js'
import { Problem } from '../../../domain/problem.js'
import type { Cases } from '../../../services/cases/cases.js'
import type { Idempotency } from '../../../services/load/idempotency.js'
import { Declared } from '../../declared-age.js'
import { callerOf, ownCaseOf } from '../../plugins/authentication.js'
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
import { CaseView } from './case-schemas.js'
import { presentCase } from './cases.js'

const Reference = z
  .string()
  .max(64)
  // Not a pattern in the API description: few JSON Schema validators support \p.
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'must have a letter or digit')
  .meta({
    description: 'The number of a police report or complaint. Only a keyed hash is kept.',
  })

const NewAssistedCase = z.strictObject({
  ...Declared,
  adult: z.literal(true).meta({ description: 'As in POST /v1/cases.' }),
  category: CategoryName.optional(),
  extendedProtection: ExtendedProtection,
  consent: z.strictObject({
    kind: z.enum(CONSENT_KINDS).meta({ description: 'How she agreed.' }),
    on: z.iso.date().meta({ description: 'The day on which she agreed.' }),
  }),
  attest: z.boolean().default(false).meta({
    description: 'Do you vouch for the pictures that you will register? If so, they get the tier ngo-attested.',
  }),
  complaint: Reference.optional(),
})
const OpenedCase = z.object({
  caseNumber: z.string(),
  caseId: z.string().meta({ description: 'The id of the case in webhook messages. It grants no access.' }),
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
  endReadingRoute(app, options)
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
        summary: 'Open a case on behalf of a person who has agreed',
        description:
          'Use your API key on the routes of the case, where a token is expected. The case has no PIN until you hand it over. Send nothing that identifies the person.',
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
      // A date that has not begun in any time zone.
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
          'For the organisation that opened it. Give her the PIN and the recovery code; she should replace both (`POST …/pin`). After the answer your key has no access to the case, or may only read it if you agreed on that (`keepReading`), until she ends that (`DELETE …/reading-right`). If the answer is lost, repeat the request, with or without its Idempotency-Key: the answer is the same until she has used PIN or code, then `handed-over`.',
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

function endReadingRoute(app: ZodApp, { cases }: AssistedCaseRouteOptions): void {
  app.delete(
    '/cases/:caseNumber/reading-right',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'endReading',
        summary: 'End the right of an organisation to read a case that it handed over',
        description:
          'For the person it is about. From the answer on, no key of the organisation reads the case, and no webhook tells it of the case. It cannot get the right back. The answer is the case. Safe to repeat, also where there is no such right.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: {
          200: CaseView,
          ...may('token-missing', 'case-unknown', 'handover-needed', 'case-expired', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      await cases.endReading(own)
      return presentCase(await cases.view(await cases.byNumber(own.caseNumber)))
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
        summary: 'Note the number of a complaint',
        description:
          'Only a keyed hash of the number is kept: it can be compared later, but not read. A new number replaces the previous one.',
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
        summary: 'Check the number of a complaint',
        description: 'For an officer who has the number, together with the person whose case it is.',
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
