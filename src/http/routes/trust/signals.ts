// For operators: disputes, the quarantine, and decisions about signals.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditActor } from '../../../domain/organisations/audit.js'
import type { ProblemCode } from '../../../domain/problem.js'
import { CIRCULATIONS, HOLD_CAUSES } from '../../../domain/trust/quarantine.js'
import { DISPUTE_ANSWERS, DISPUTE_REASONS } from '../../../domain/trust/trust.js'
import { MAX_OTHER_ENTRIES, type OtherEntries } from '../../../services/trust/other-entries.js'
import type { JudgedSignal } from '../../../services/trust/signal-trust.js'
import type { TrustService } from '../../../services/trust/trust.js'
import { Next, nextOf, PageQuery } from '../../pages.js'
import { callerOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { Instant, instantOrNull } from '../../schemas.js'
import { presentTrust, SignalTrustView } from '../../schemas-trust.js'
import type { ZodApp } from '../../zod-app.js'

const SignalParam = z.object({ signalId: z.uuid().transform((id) => id.toLowerCase()) })

const JudgedView = SignalTrustView.extend({
  signalId: z.uuid(),
  bank: z.string(),
  circulation: z.enum(CIRCULATIONS).meta({
    description:
      'matching: also where one or two views of it are stopped because they alone matched many uploads that look unlike one another (heldFor: decoration). narrowed: matches only near-identical copies of the whole picture until it is released. Set automatically when it matched many uploads that look unlike one another (heldFor: look-alikes). held: stored, but matches nothing until it is released. invalidated: judged a false report; matches nothing unless the decision is reversed.',
  }),
  heldFor: z.enum(HOLD_CAUSES).nullable(),
  heldAt: Instant.nullable(),
  disputedAt: Instant.nullable(),
  decidedAt: Instant.nullable(),
  answer: z
    .enum(DISPUTE_ANSWERS)
    .nullable()
    .meta({ description: 'The answer to the dispute by the person in the picture, or by her representative.' }),
  otherEntries: z
    .array(z.uuid())
    .max(MAX_OTHER_ENTRIES)
    .nullable()
    .meta({
      description: `Signals of other cases near to this picture, at most ${MAX_OTHER_ENTRIES}. A decision is about this entry alone: decide about each. null: not known while the index loads.`,
    }),
}).meta({ id: 'JudgedSignal' })

const Listed = z.object({
  signals: z.array(JudgedView).meta({ description: 'Oldest first.' }),
  next: Next,
})

export interface SignalRouteOptions {
  readonly trust: Omit<TrustService, 'match' | 'feedback' | 'attest' | 'answer' | 'pause' | 'resume' | 'resumeIfDue'>
  readonly otherEntries: OtherEntries
}

const judging = (operationId: string, summary: string, problems: readonly ProblemCode[], description?: string) => ({
  operationId,
  summary,
  ...(description !== undefined && { description }),
  tags: ['signals'],
  params: SignalParam,
  response: {
    200: JudgedView,
    ...may('signal-unknown', ...problems),
  },
})

export const signalRoutes: FastifyPluginAsyncZod<SignalRouteOptions> = async (app, options) => {
  waitingSignalsRoute(app, options, 'disputes')
  waitingSignalsRoute(app, options, 'quarantine')
  getSignalRoute(app, options)
  disputeSignalRoute(app, options)
  decideDisputeRoute(app, options)
  takeBackDecisionRoute(app, options)
  verifySignalRoute(app, options)
  holdSignalRoute(app, options)
  releaseSignalRoute(app, options)
}

function waitingSignalsRoute(
  app: ZodApp,
  { trust, otherEntries }: SignalRouteOptions,
  list: 'disputes' | 'quarantine',
): void {
  app.get(
    `/${list}`,
    {
      config: { scope: 'admin' },
      schema: {
        operationId: list === 'disputes' ? 'listDisputes' : 'listQuarantine',
        summary: list === 'disputes' ? 'List the signals with an open dispute' : 'List the signals in quarantine',
        tags: ['signals'],
        querystring: PageQuery,
        response: { 200: Listed, ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable') },
      },
    },
    async ({ query }) => {
      const { signals, next } = await trust.waiting(list, query.after, query.limit)
      const presented: z.infer<typeof JudgedView>[] = []
      for (const signal of signals) presented.push(await present(signal, otherEntries)) // one after the other: each searches
      return { signals: presented, next: nextOf(next) }
    },
  )
}

function getSignalRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.get(
    '/signals/:signalId',
    { config: { scope: 'admin' }, schema: judging('getSignal', 'Get reviews and decisions about a signal', []) },
    async ({ params }) => await present(await trust.signal(params.signalId), otherEntries),
  )
}

function disputeSignalRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.post(
    '/signals/:signalId/dispute',
    {
      config: { scope: 'admin' },
      schema: {
        ...judging(
          'disputeSignal',
          'Dispute a signal',
          ['dispute-settled', 'feedback-conflict', 'signal-invalidated'],
          'After the answer, every match shows the dispute.',
        ),
        body: z.strictObject({ reason: z.enum(DISPUTE_REASONS) }),
      },
    },
    async (request) =>
      await present(await trust.dispute(callerOf(request), request.params.signalId, request.body.reason), otherEntries),
  )
}

function decideDisputeRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.post(
    '/signals/:signalId/dispute/decision',
    {
      config: { scope: 'admin' },
      schema: {
        ...judging(
          'decideDispute',
          'Decide a dispute',
          ['dispute-not-open', 'signal-invalidated'],
          'upheld: invalidates the signal; it no longer matches, and its account gets a strike. rejected: the signal stays, and cannot be disputed again for the same reason.',
        ),
        body: z.strictObject({ outcome: z.enum(['upheld', 'rejected']) }),
      },
    },
    async (request) =>
      await present(await trust.decide(request.params.signalId, request.body.outcome, keyOf(request)), otherEntries),
  )
}

function takeBackDecisionRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.delete(
    '/signals/:signalId/dispute/decision',
    {
      config: { scope: 'admin' },
      schema: judging(
        'takeBackDecision',
        'Reverse an upheld dispute',
        ['signal-not-invalidated'],
        'As if it had been rejected: the signal matches again, its account loses the strike, the same organisation may submit it again, and the harmless entry that the decision created is removed.',
      ),
    },
    async (request) => await present(await trust.reinstate(request.params.signalId, keyOf(request)), otherEntries),
  )
}

function verifySignalRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.post(
    '/signals/:signalId/verification',
    {
      config: { scope: 'admin' },
      schema: judging('verifySignal', 'Verify a signal as the operator', ['signal-invalidated']),
    },
    async (request) => await present(await trust.verify(request.params.signalId, keyOf(request)), otherEntries),
  )
}

function holdSignalRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.post(
    '/signals/:signalId/quarantine',
    {
      config: { scope: 'admin' },
      schema: judging(
        'holdSignal',
        'Put a signal into quarantine',
        ['signal-invalidated'],
        'The signal stays stored. After the answer, it matches nothing.',
      ),
    },
    async (request) =>
      await present(
        await trust.hold(request.params.signalId, { cause: 'operator', flood: 0 }, keyOf(request)),
        otherEntries,
      ),
  )
}

function releaseSignalRoute(app: ZodApp, { trust, otherEntries }: SignalRouteOptions): void {
  app.delete(
    '/signals/:signalId/quarantine',
    {
      config: { scope: 'admin' },
      schema: judging('releaseSignal', 'Take a signal out of quarantine', ['quarantine-conflict', 'signal-invalidated']),
    },
    async (request) => await present(await trust.release(request.params.signalId, keyOf(request)), otherEntries),
  )
}

/** @returns the key that the audit log records as the actor. */
function keyOf(request: Parameters<typeof callerOf>[0]): AuditActor {
  return `key:${callerOf(request).keyId}`
}

async function present(
  {
    signalId,
    bank,
    circulation,
    heldFor,
    heldAtMs,
    disputedAtMs,
    decidedAtMs,
    answer,
    silentUntilS: _,
    ...trust
  }: JudgedSignal,
  otherEntries: OtherEntries,
): Promise<z.infer<typeof JudgedView>> {
  const others = await otherEntries(signalId)
  return {
    signalId,
    bank,
    circulation,
    heldFor: heldFor ?? null,
    heldAt: instantOrNull(heldAtMs),
    disputedAt: instantOrNull(disputedAtMs),
    decidedAt: instantOrNull(decidedAtMs),
    answer: answer ?? null,
    otherEntries: others === undefined ? null : [...others],
    ...presentTrust(trust),
  }
}
