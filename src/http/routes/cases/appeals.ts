// Appeals of submitters whose picture is blocked. For operators: these appeals and the resubmission blocks.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseSignalHash } from '../../../../packages/core/src/matching/hash-text.js'
import type { Signal } from '../../../../packages/core/src/matching/signal.js'
import { MAX_IMAGE_SIGNALS } from '../../../../packages/hash/src/file-frames.js'
import { APPEAL_STATES, BLOCK_ID_PATTERN } from '../../../domain/cases/appeal.js'
import { Problem } from '../../../domain/problem.js'
import { DurationS, durationView } from '../../../services/records/duration.js'
import type { AppealService } from '../../../services/trust/appeals.js'
import { Next, nextOf, PageQuery } from '../../pages.js'
import { callerOf, ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, GivenSignal, Instant, instant } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'

const MAX_SIGNALS = MAX_IMAGE_SIGNALS + 2

const BlockId = z.string().regex(BLOCK_ID_PATTERN, 'must be the id of a block')
const Frames = z
  .int()
  .min(2)
  .exactOptional()
  .meta({ description: 'Number of blocked frames. Only for blocks of videos and animations.' })
const About = z.object({
  signalId: z.uuid().nullable().meta({ description: 'The registered picture that was judged harmless.' }),
  blockId: z.string().nullable().meta({ description: 'The block that remains after a picture was withdrawn.' }),
  durationS: DurationS,
  frames: Frames,
})

const AppealState = z.object({ state: z.enum(APPEAL_STATES) })
/** Problems of both routes that appeal. */
const FOR_APPEALS = [
  'request-invalid',
  'token-missing',
  'case-unknown',
  'case-withdrawn',
  'case-expired',
  'appeal-unneeded',
  'overloaded',
  'index-loading',
  'store-unavailable',
] as const

export interface AppealRouteOptions {
  readonly appeals: AppealService
}

export const appealRoutes: FastifyPluginAsyncZod<AppealRouteOptions> = async (app, options) => {
  appealRoute(app, options)
  appealForImageRoute(app, options)
  listAppealsRoute(app, options)
  decideAppealRoute(app, options)
  listResubmissionBlocksRoute(app, options)
  liftResubmissionBlockRoute(app, options)
}

function appealRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.post(
    '/cases/:caseNumber/appeals',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'appeal',
        summary: 'Appeal against the refusal of a picture',
        description:
          'For a picture that was refused as known-harmless. The operator sees that there is an appeal, but no hash, picture or case. The same request again returns its state: open or denied; once the picture may be registered, it returns appeal-unneeded.',
        tags: ['cases'],
        params: CaseNumberParam,
        body: z.strictObject({ signals: z.array(GivenSignal).min(1).max(MAX_SIGNALS) }),
        response: { 200: AppealState, ...may(...FOR_APPEALS) },
      },
    },
    async (request) => ({ state: await appeals.make(ownCaseOf(request), signalsIn(request.body.signals)) }),
  )
}

function appealForImageRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.post(
    '/cases/:caseNumber/images/:imageId/appeal',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'appealForImage',
        summary: 'Appeal for a registered picture that is not recognised',
        description:
          'If its `recognition` is judged or listed. The operator sees the signal that was judged or listed, but no hash, picture or case. The same request again returns the state of the appeal; once the picture is recognised, it returns appeal-unneeded.',
        tags: ['cases'],
        params: CaseNumberParam.extend({ imageId: z.uuid().transform((id) => id.toLowerCase()) }),
        response: { 200: AppealState, ...may(...FOR_APPEALS, 'signal-unknown') },
      },
    },
    async (request) => ({ state: await appeals.makeFor(ownCaseOf(request), request.params.imageId) }),
  )
}

function listAppealsRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.get(
    '/appeals',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listAppeals',
        summary: 'List undecided appeals',
        tags: ['signals'],
        querystring: PageQuery,
        response: {
          200: z.object({
            appeals: z
              .array(About.extend({ madeAt: Instant }))
              .meta({ description: 'Oldest first. Each has a signalId or a blockId.' }),
            next: Next,
          }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async ({ query }) => {
      const page = await appeals.waiting(query.after, query.limit)
      return {
        appeals: page.appeals.map(({ about, atMs, durationS, frames }) => ({
          signalId: 'signalId' in about ? about.signalId : null,
          blockId: 'blockId' in about ? about.blockId : null,
          ...durationView(durationS),
          ...framesView(frames),
          madeAt: instant(atMs),
        })),
        next: nextOf(page.next),
      }
    },
  )
}

function decideAppealRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.post(
    '/appeals/:appealed/decision',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'decideAppeal',
        summary: 'Decide an appeal',
        description:
          'granted: removes the block and its digest, reverses the decision about a registered picture, and removes a picture of the bank `harmless`. denied: no new appeal for 180 days, or while the block lasts.',
        tags: ['signals'],
        params: z.object({
          appealed: z
            .union([z.uuid().transform((id) => id.toLowerCase()), BlockId])
            .meta({ description: 'The signalId or blockId of the appeal.' }),
        }),
        body: z.strictObject({ outcome: z.enum(['granted', 'denied']) }),
        response: {
          204: z.null(),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'appeal-unknown', 'signal-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { appealed } = request.params
      const about = BLOCK_ID_PATTERN.test(appealed) ? { blockId: appealed } : { signalId: appealed }
      await appeals.decide(about, request.body.outcome, `key:${callerOf(request).keyId}`)
      return reply.code(204).send(null)
    },
  )
}

function listResubmissionBlocksRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.get(
    '/resubmission-blocks',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listResubmissionBlocks',
        summary: 'List resubmission blocks',
        description:
          'Keyed digests of pictures of cases that were judged harmless, including withdrawn pictures. No case may register such a picture.',
        tags: ['signals'],
        querystring: PageQuery,
        response: {
          200: z.object({
            blocks: z
              .array(z.object({ blockId: z.string(), frames: Frames, until: Instant }))
              .meta({ description: 'One for each picture or video. Sorted by expiry, soonest first.' }),
            next: Next,
          }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async ({ query }) => {
      const { blocks, next } = await appeals.blocks(query.after, query.limit)
      return {
        blocks: blocks.map(({ blockId, untilMs, frames }) => ({ blockId, ...framesView(frames), until: instant(untilMs) })),
        next: nextOf(next),
      }
    },
  )
}

function liftResubmissionBlockRoute(app: ZodApp, { appeals }: AppealRouteOptions): void {
  app.delete(
    '/resubmission-blocks/:blockId',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'liftResubmissionBlock',
        summary: 'Lift a block',
        description:
          'Erases its digests. A registered picture that was judged harmless still blocks: reverse that decision as well.',
        tags: ['signals'],
        params: z.object({ blockId: BlockId }),
        response: {
          204: z.null(),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'block-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      await appeals.lift(request.params.blockId, `key:${callerOf(request).keyId}`)
      return reply.code(204).send(null)
    },
  )
}

function framesView(frames = 1) {
  return frames > 1 ? { frames } : {}
}

function signalsIn(given: readonly z.infer<typeof GivenSignal>[]): Signal[] {
  return given.map(({ type, view, quality, hash: text }) => {
    const hash = parseSignalHash(type, text)
    if (hash === undefined) throw new Problem('request-invalid')
    return { type, view: view ?? 'whole', quality, hash }
  })
}
