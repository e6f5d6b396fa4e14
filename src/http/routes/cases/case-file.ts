// What happened to a case: its time line, once or as a live stream, and an export of everything known.

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_FAILURES_SHOWN } from '../../../domain/cases/case.js'
import {
  BEFORE_ALL_EVENTS,
  CASE_EVENT_ID_PATTERN,
  CASE_EVENT_KINDS,
  type CaseEvent,
  changedLater,
  platformBucket,
  publicCount,
} from '../../../domain/cases/case-event.js'
import { REPORT_FORMATS, REPORT_LANGUAGES } from '../../../domain/cases/report-words.js'
import { TIER_NAMES } from '../../../domain/matching/signal.js'
import { RECOGNITIONS } from '../../../domain/trust/recognition.js'
import { DISPUTE_ANSWERS } from '../../../domain/trust/trust.js'
import type { CaseFiles, FiledImage } from '../../../services/cases/case-file.js'
import { Receipt, receiptFor } from '../../../services/cases/receipts.js'
import { Report, reportOf } from '../../../services/cases/report.js'
import { reportPrinter } from '../../../services/cases/report-pdf.js'
import type { LimitCounter } from '../../../services/load/limits.js'
import { DurationS, durationView } from '../../../services/records/duration.js'
import type { Signer } from '../../../services/records/signer.js'
import { type EventStreams, eventStreams, wantsEvents } from '../../event-stream.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, CategoryName, Instant, instant, Quality, SignalTypeName } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'
import { CaseView, Platforms, PlatformsAsking } from './case-schemas.js'
import { presentCase } from './cases.js'

const EventView = z
  .object({
    id: z.string(),
    kind: z.enum(CASE_EVENT_KINDS),
    at: Instant,
    images: z.int().optional(),
    platforms: Platforms.optional(),
    changedLater: z
      .literal(true)
      .optional()
      .meta({ description: 'A verdict that the same platform has changed since. Not in a live event.' }),
    attempts: z
      .int()
      .optional()
      .meta({
        description: `pin-failed: how often a wrong PIN or recovery code was tried on this day; ${MAX_FAILURES_SHOWN}: or more. The last event of a day replaces those before.`,
      }),
  })
  .meta({ id: 'CaseEvent' })
type EventView = z.infer<typeof EventView>

const ImageView = z.object({
  imageId: z.uuid(),
  registeredAt: Instant,
  category: CategoryName.nullable(),
  tier: z.enum(TIER_NAMES),
  disputed: z.boolean().meta({ description: 'A dispute is open.' }),
  answer: z.enum(DISPUTE_ANSWERS).nullable().meta({ description: 'The answer to the dispute.' }),
  matching: z.boolean().meta({ description: 'Whether the picture itself is recognised now.' }),
  recognition: z.enum(RECOGNITIONS).meta({
    description:
      'Which copies are recognised, and why not all. full: all. decoration: some parts are not compared, because unrelated pictures share them. narrowed: only nearly unchanged copies. listed: an operator listed it or a similar picture as harmless; copies may be missed. paused, held: none. judged: none, because a dispute was upheld. mistake: none, after the answer added-by-mistake. Against listed and judged you can appeal.',
  }),
  quality: Quality,
  hashes: z.partialRecord(SignalTypeName, z.int()).meta({ description: 'How many of each type.' }),
  durationS: DurationS,
})

const LastEvent = z.string().regex(CASE_EVENT_ID_PATTERN, 'must be the id of an event').optional()

/** The schema of an answer that is a file. */
const Bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value))

export interface CaseFileRouteOptions {
  readonly files: CaseFiles
  readonly signer: Signer
  readonly limits: Pick<LimitCounter, 'nameOfAddress'>
  readonly now: () => number
}

export const caseFileRoutes: FastifyPluginAsyncZod<CaseFileRouteOptions> = async (app, options) => {
  const streams = eventStreams()
  app.addHook('preClose', async () => streams.close())
  getCaseEventsRoute(app, options, streams)
  exportCaseRoute(app, options)
  getReportRoute(app, options)
}

function getCaseEventsRoute(app: ZodApp, { files, limits }: CaseFileRouteOptions, streams: EventStreams): void {
  app.get(
    '/cases/:caseNumber/events',
    {
      config: { scope: 'case', eventStream: true },
      schema: {
        operationId: 'getCaseEvents',
        summary: 'Get the time line of a case, at once or live',
        description:
          'JSON, or Server-Sent Events with `Accept: text/event-stream`: first the events so far (or those after Last-Event-ID), then each new one. The stream ends when the case is erased, and after one hour; then reconnect.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: z.object({ accept: z.string().optional(), 'last-event-id': LastEvent }),
        response: {
          200: z
            .object({
              platformsAsking: PlatformsAsking,
              events: z.array(EventView),
            })
            .or(z.custom<Readable>((value) => value instanceof Readable)),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'overloaded', 'index-loading', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const { accept, 'last-event-id': afterId } = request.headers
      // Nobody would read the stream of a HEAD request, but it would take a place for an hour.
      if (!wantsEvents(accept) || request.method === 'HEAD') {
        const events = await files.events(own, afterId)
        return { platformsAsking: platformBucket(await files.platformsAsking()), events: presentEvents(events) }
      }
      const stream = streams.open(own.caseId, limits.nameOfAddress(request.ip), (send, end) => {
        let told = Promise.resolve()
        return files.follow(own, afterId ?? BEFORE_ALL_EVENTS, (event) => {
          const tell = () => {
            send({ id: event.id, event: event.kind, data: presentEvent(event) })
            if (event.kind === 'erased') end()
          }
          // The token may end, the key may be revoked, the case may be handed over. Then the caller may not receive the event.
          told = told.then(() => request.reauthorize()).then(tell, end)
        })
      })
      reply.type('text/event-stream').header('x-accel-buffering', 'no')
      return reply.send(stream)
    },
  )
}

function exportCaseRoute(app: ZodApp, { files, signer }: CaseFileRouteOptions): void {
  app.get(
    '/cases/:caseNumber/export',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'exportCase',
        summary: 'Get everything that is kept of a case',
        description:
          'Without the hashes: a picture can be partly reconstructed from them, and a stolen token must not reveal them.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: {
          200: z.object({
            case: CaseView,
            events: z.array(EventView),
            images: z.array(ImageView),
            platformsAsking: PlatformsAsking,
            receipt: Receipt.nullable(),
          }),
          ...may('token-missing', 'case-unknown', 'index-loading', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      const { view, events, images } = await files.file(own)
      await files.exported(own)
      return {
        case: presentCase(view),
        events: presentEvents(events),
        images: images.map(presentImage),
        platformsAsking: platformBucket(await files.platformsAsking()),
        receipt: receiptFor(own, signer) ?? null,
      }
    },
  )
}

function getReportRoute(app: ZodApp, { files, signer, now }: CaseFileRouteOptions): void {
  const printer = reportPrinter()
  app.get(
    '/cases/:caseNumber/report',
    {
      config: { scope: 'case', pdf: true },
      schema: {
        operationId: 'getReport',
        summary: 'Get a signed report of a case, for police or a regulator',
        description:
          'Numbers and times; no picture, hash or name. JSON, or PDF with that JSON attached. Check it with `tabir receipts verify`.',
        tags: ['cases'],
        params: CaseNumberParam,
        querystring: z.strictObject({
          format: z.enum(REPORT_FORMATS).default('json'),
          lang: z.enum(REPORT_LANGUAGES).default('en').meta({ description: 'Language of the PDF.' }),
        }),
        response: {
          200: Report.or(Bytes),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'overloaded', 'index-loading', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const file = await files.file(own)
      const { hashes } = own.record
      const report = reportOf({ file, hashes, receipt: receiptFor(own, signer), signer, nowMs: now() })
      const { format, lang } = request.query
      if (format === 'json') return report
      format satisfies 'pdf'
      reply.type('application/pdf').header('content-disposition', 'attachment; filename="report.pdf"')
      return reply.send(await printer.print(report, lang))
    },
  )
}

function presentEvents(events: readonly CaseEvent[]): EventView[] {
  const changed = changedLater(events)
  return events.map((event) => ({ ...presentEvent(event), ...(changed.has(event.id) && { changedLater: true as const }) }))
}

function presentEvent({ id, kind, atMs, count }: CaseEvent): EventView {
  return { id, kind, at: new Date(atMs).toISOString(), ...publicCount(kind, count) }
}

function presentImage({ registeredAtMs, category, answer, durationS, ...rest }: FiledImage): z.infer<typeof ImageView> {
  const registeredAt = instant(registeredAtMs)
  return {
    ...rest,
    registeredAt,
    category: category ?? null,
    answer: answer ?? null,
    ...durationView(durationS),
  }
}
