// Cases: opening, following, renewing and withdrawing them.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readsSinceMs } from '../../../domain/cases/assistance.js'
import { MAX_PIN_GUESSES } from '../../../domain/cases/case.js'
import { type PlatformBucket, platformBucket } from '../../../domain/cases/case-event.js'
import { Problem } from '../../../domain/problem.js'
import type { CaseFiles } from '../../../services/cases/case-file.js'
import type { CaseView as CaseFacts, Cases } from '../../../services/cases/cases.js'
import type { ProofOfWork } from '../../../services/cases/proof-of-work.js'
import type { Idempotency } from '../../../services/load/idempotency.js'
import type { Signer } from '../../../services/records/signer.js'
import type { PrivacyNotice } from '../../../web/privacy-notice.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, IdempotencyKey, Instant, instant, instantOrNull } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'
import { CaseView, GivenPin, NewCase, OpenedCase, Pin, PlatformsAsking } from './case-schemas.js'
import { proofOf } from './challenge.js'
import { getReceiptKeyRoute, getReceiptRoute } from './receipts.js'

export interface CaseRouteOptions {
  readonly cases: Cases
  readonly files: Pick<CaseFiles, 'platformsAsking'>
  /** `undefined` where the operator has not stated who runs the service: nothing can be agreed to. */
  readonly privacyNotice: PrivacyNotice | undefined
  readonly idempotency: Idempotency
  readonly signer: Signer
  readonly proofOfWork: ProofOfWork
}

export const caseRoutes: FastifyPluginAsyncZod<CaseRouteOptions> = async (app, options) => {
  openCaseRoute(app, options)
  openCaseByPinRoute(app, options)
  renewCaseRoute(app, options)
  changePinRoute(app, options)
  getCaseRoute(app, options)
  getReceiptRoute(app, options)
  getReceiptKeyRoute(app, options)
}

function openCaseRoute(app: ZodApp, { cases, files, idempotency, proofOfWork, privacyNotice }: CaseRouteOptions): void {
  app.post(
    '/cases',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'openCase',
        summary: 'Open a case',
        description:
          'The number, the PIN and the recovery code are shown once. If the answer is lost, repeat the request with the same Idempotency-Key.',
        tags: ['cases'],
        headers: IdempotencyKey,
        body: NewCase,
        response: {
          201: OpenedCase.extend({
            platformsAsking: PlatformsAsking.optional().meta({
              description: 'How many hold a key that may query or read the feed now. Missing while the index loads.',
            }),
          }),
          ...may(
            'request-invalid',
            'media-unsupported',
            'minor-declared',
            'consent-needed',
            'proof-of-work-required',
            'extended-protection-off',
            'case-unknown',
            'case-withdrawn',
            'case-expired',
            'idempotency-key-reused',
            'idempotency-key-busy',
            'store-unavailable',
          ),
        },
      },
    },
    async ({ body: { proof, ...asked }, headers }, reply) => {
      // A proof of work opens one case, so a repeat has another proof or none, and still counts as the same request.
      let isKept = true
      const opened = await idempotency.once(['open-case', ''], headers['idempotency-key'], asked, OpenedCase, async () => {
        isKept = false
        // Not for a repeat: the version may have changed since the answer that was lost.
        if (privacyNotice !== undefined && asked.consentVersion !== privacyNotice.version)
          throw new Problem('consent-needed')
        await proofOfWork.spend(proof === undefined ? undefined : proofOf(proof))
        const { expiresAtMs, remindAtMs, ...rest } = await cases.open({
          category: asked.category,
          extendedProtection: asked.extendedProtection,
          consentVersion: privacyNotice?.version,
        })
        return { ...rest, expiresAt: instant(expiresAtMs), remindAt: instant(remindAtMs) }
      })
      if (isKept) await cases.refuseEnded(opened.caseNumber)
      return reply.code(201).send({ ...opened, ...(await askingNow(files)) })
    },
  )
}

/** A case can be opened while the index loads. */
async function askingNow(files: Pick<CaseFiles, 'platformsAsking'>): Promise<{ readonly platformsAsking?: PlatformBucket }> {
  try {
    return { platformsAsking: platformBucket(await files.platformsAsking()) }
  } catch (error) {
    if (error instanceof Problem) return {}
    throw error
  }
}

function openCaseByPinRoute(app: ZodApp, { cases }: CaseRouteOptions): void {
  app.post(
    '/cases/:caseNumber/tokens',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'openCaseByPin',
        summary: 'Get a token for a case with its PIN or recovery code',
        description: `A wrong PIN and an unknown case get the same answer. After ${MAX_PIN_GUESSES} wrong PINs in the lifetime of a case its PIN is locked, with that answer too; the recovery code and existing tokens still work. The time line shows failed attempts. The first use of a new PIN or code (\`POST …/pin\`) ends the old ones and all tokens. If the answer is lost, repeat the request: an unused token expires after twelve hours.`,
        tags: ['cases'],
        params: CaseNumberParam,
        body: Pin,
        response: {
          201: z.object({ token: z.string() }),
          ...may('request-invalid', 'case-unknown', 'store-unavailable'),
        },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send({ token: await cases.token(params.caseNumber, body.pin) }),
  )
}

function renewCaseRoute(app: ZodApp, { cases }: CaseRouteOptions): void {
  app.post(
    '/cases/:caseNumber/renewals',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'renewCase',
        summary: 'Renew a case',
        description: 'The new period starts now. A case that is not renewed expires and is erased as if it were withdrawn.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: {
          200: z.object({ expiresAt: Instant, remindAt: Instant }),
          ...may('token-missing', 'case-unknown', 'case-withdrawn', 'case-expired', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const { expiresAtMs, remindAtMs } = await cases.renew(ownCaseOf(request))
      return { expiresAt: instant(expiresAtMs), remindAt: instant(remindAtMs) }
    },
  )
}

function changePinRoute(app: ZodApp, { cases, idempotency }: CaseRouteOptions): void {
  app.post(
    '/cases/:caseNumber/pin',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'changePin',
        summary: 'Replace the PIN and the recovery code',
        description:
          'Needs a token that was obtained with the recovery code. With one by PIN the answer is 202: the new ones may be used from `effectiveAt` on, in seven days, and can be discarded until then (`DELETE …/wishes`). The old ones stay valid until the new PIN or code is used (`POST …/tokens`), so a lost answer locks nobody out. That first use also ends all earlier tokens. With the same Idempotency-Key the answer is the same; without it, a new pair replaces the previous new one.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        response: {
          201: GivenPin,
          202: GivenPin,
          ...may(
            'recovery-code-needed',
            'request-invalid',
            'token-missing',
            'case-unknown',
            'handover-needed',
            'case-withdrawn',
            'case-expired',
            'idempotency-key-reused',
            'idempotency-key-busy',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const key = request.headers['idempotency-key']
      let isKept = true
      const given = await idempotency.once(['change-pin', own.caseId], key, undefined, GivenPin, async () => {
        isKept = false
        const { pin = null, recoveryCode, effectiveAtMs } = await cases.changePin(own)
        return { pin, recoveryCode, effectiveAt: instantOrNull(effectiveAtMs) }
      })
      if (isKept) await cases.refuseEnded(request.params.caseNumber)
      return reply.code(given.effectiveAt === null ? 201 : 202).send(given)
    },
  )
}

function getCaseRoute(app: ZodApp, { cases }: CaseRouteOptions): void {
  app.get(
    '/cases/:caseNumber',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'getCase',
        summary: 'Get a case',
        tags: ['cases'],
        params: CaseNumberParam,
        response: { 200: CaseView, ...may('token-missing', 'case-unknown', 'store-unavailable') },
      },
    },
    async (request) => presentCase(await cases.view(ownCaseOf(request))),
  )
}

export function presentCase({
  category,
  createdAtMs,
  expiresAtMs,
  remindAtMs,
  endWishAtMs,
  newPinFromMs,
  pausedUntilMs,
  consentVersion,
  assistance,
  organisation,
  hasComplaint,
  end,
  erasedAtMs,
  ...rest
}: CaseFacts): z.infer<typeof CaseView> {
  return {
    ...rest,
    category: category ?? null,
    consentVersion: consentVersion ?? null,
    assisted:
      assistance === undefined
        ? null
        : {
            consent: { kind: assistance.consentKind, on: assistance.consentOn },
            attested: assistance.isAttested,
            handedOverAt: instantOrNull(assistance.handedOverAtMs),
            organisation: organisation ?? null,
            readsSince: instantOrNull(readsSinceMs(assistance)),
          },
    endsAt: instantOrNull(endWishAtMs),
    newPinFrom: instantOrNull(newPinFromMs),
    pausedUntil: instantOrNull(pausedUntilMs),
    complaint: hasComplaint,
    createdAt: instant(createdAtMs),
    expiresAt: instant(expiresAtMs),
    remindAt: instant(remindAtMs),
    withdrawnAt: end?.as === 'withdrawn' ? instant(end.atMs) : null,
    expiredAt: end?.as === 'expired' ? instant(end.atMs) : null,
    erasedAt: instantOrNull(erasedAtMs),
  }
}
