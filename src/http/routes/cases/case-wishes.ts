// Withdrawing and pausing a case, and stopping what was wished without the recovery code.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { OwnCase } from '../../../services/cases/case-access.js'
import type { CasePauses } from '../../../services/cases/case-pauses.js'
import type { Cases } from '../../../services/cases/cases.js'
import { receiptFor } from '../../../services/cases/receipts.js'
import type { Signer } from '../../../services/records/signer.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, instant } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'
import { CaseView, Wish } from './case-schemas.js'
import { presentCase } from './cases.js'
import { ReceiptBody } from './receipts.js'

const OF_A_LIVING_CASE = ['token-missing', 'case-unknown', 'case-withdrawn', 'case-expired', 'store-unavailable'] as const

export interface CaseWishRouteOptions {
  readonly cases: Cases
  readonly pauses: CasePauses
  readonly signer: Signer
}

export const caseWishRoutes: FastifyPluginAsyncZod<CaseWishRouteOptions> = async (app, options) => {
  withdrawCaseRoute(app, options)
  stopWishesRoute(app, options)
  pauseCaseRoute(app, options)
  resumeCaseRoute(app, options)
}

function withdrawCaseRoute(app: ZodApp, { cases, signer }: CaseWishRouteOptions): void {
  app.delete(
    '/cases/:caseNumber',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'withdrawCase',
        summary: 'Withdraw a case',
        description:
          'With a token that was obtained with the recovery code or by opening the case, or the key of the organisation that assists: takes effect before the answer here, and within one second on all processes. Its hashes are erased. The answer is a signed receipt; repeating the request returns the same one. With a token by PIN: 202; it takes effect at `effectiveAt`, in seven days, unless somebody with the code stops it (`DELETE …/wishes`). `PUT …/pause` stops recognition at once.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: ReceiptBody, 202: Wish, ...may('token-missing', 'case-unknown', 'store-unavailable') },
      },
    },
    async (request, reply) => {
      const own = await cases.withdraw(ownCaseOf(request))
      const receipt = receiptFor(own, signer)
      if (receipt !== undefined) return reply.code(200).send(receipt)
      const { endWishAtMs } = own.record
      // Past its expiry, and not erased yet.
      const atMs = endWishAtMs ?? own.record.expiresAtMs
      return reply.code(202).send({ effectiveAt: instant(atMs) })
    },
  )
}

function stopWishesRoute(app: ZodApp, { cases }: CaseWishRouteOptions): void {
  app.delete(
    '/cases/:caseNumber/wishes',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'stopWishes',
        summary: 'Stop what was wished without the recovery code',
        description:
          'The case does not end, and a new PIN and code that were asked for with the PIN are discarded. Needs a token that was obtained with the recovery code. Safe to repeat. Then replace PIN and code: somebody else knows the PIN.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: CaseView, ...may(...OF_A_LIVING_CASE, 'recovery-code-needed') },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      await cases.stopWishes(own)
      return presentNow(cases, own)
    },
  )
}

function pauseCaseRoute(app: ZodApp, { cases, pauses }: CaseWishRouteOptions): void {
  app.put(
    '/cases/:caseNumber/pause',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'pauseCase',
        summary: 'Pause the recognition of a case',
        description:
          'At once, for seven days, for all images that it has now. A PIN is enough. If the answer is lost, repeat the request: the seven days start again.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: CaseView, ...may(...OF_A_LIVING_CASE, 'index-loading') },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      await pauses.pause(own)
      return presentNow(cases, own)
    },
  )
}

function resumeCaseRoute(app: ZodApp, { cases, pauses }: CaseWishRouteOptions): void {
  app.delete(
    '/cases/:caseNumber/pause',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'resumeCase',
        summary: 'Resume the recognition of a paused case',
        description: 'Its images match again, unless they are held for another reason. Safe to repeat.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: CaseView, ...may(...OF_A_LIVING_CASE, 'index-loading') },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      await pauses.resume(own)
      return presentNow(cases, own)
    },
  )
}

/** The case as it is now: the record of the request is from before the change. */
async function presentNow(cases: Cases, { caseNumber }: OwnCase) {
  return presentCase(await cases.view(await cases.byNumber(caseNumber)))
}
