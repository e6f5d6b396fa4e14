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
import { REPORT_FORMATS } from '../../../domain/cases/report-format.js'
import { LANGUAGE_TAGS } from '../../../domain/languages.js'
import type { CaseFiles } from '../../../services/cases/case-file.js'
import { Receipt, receiptFor } from '../../../services/cases/receipts.js'
import { Report, reportOf } from '../../../services/cases/report.js'
import { reportPrinter } from '../../../services/cases/report-pdf.js'
import type { LimitCounter } from '../../../services/load/limits.js'
import type { Signer } from '../../../services/records/signer.js'
import { type EventStreams, eventStreams, wantsEvents } from '../../event-stream.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, Instant } from '../../schemas.js'
import type { ZodApp } from '../../zod-app.js'
import { Contact, FeedReaders, FiledImageView, presentImage } from './case-file-schemas.js'
import { CaseView, Platforms, PlatformsAsking } from './case-schemas.js'
import { presentCase } from './cases.js'
import { NoticeView, noticeView } from './notices.js'

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
          'Without the hashes: a picture can be partly reconstructed from them, and a stolen PIN must not reveal them. `GET …/hashes` gives them to a token that was obtained with the recovery code. Organisations are counted in ranges and not named, but for the one that opened the case and the contact of the notice.',
        tags: ['cases'],
        params: CaseNumberParam,
        response: {
          200: z.object({
            case: CaseView,
            events: z.array(EventView),
            images: z.array(FiledImageView),
            notice: NoticeView.extend(Contact).nullable(),
            platformsAsking: PlatformsAsking,
            feedReaders: FeedReaders,
            receipt: Receipt.nullable(),
          }),
          ...may('token-missing', 'case-unknown', 'index-loading', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      const file = await files.file(own)
      const beside = await files.keptBeside(own, file)
      await files.exported(own)
      return {
        case: presentCase(file.view),
        events: presentEvents(file.events),
        images: file.images.map((image, i) => presentImage(image, beside.images[i])),
        notice:
          beside.notice === undefined ? null : { ...noticeView(beside.notice), contact: beside.notice.contact ?? null },
        platformsAsking: platformBucket(await files.platformsAsking()),
        feedReaders: platformBucket(files.feedReaders()),
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
          lang: z.enum(LANGUAGE_TAGS).default('en').meta({ description: 'Language of the PDF.' }),
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
