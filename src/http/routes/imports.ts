// Imports a file of any length into a bank, and reports its progress.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { FILE_FORMATS, IMPORT_STATES, type LineNote, RECORD_REJECTIONS } from '../../domain/organisations/bank-import.js'
import { PROBLEM_CODES, Problem } from '../../domain/problem.js'
import type { Banks } from '../../services/banks/banks.js'
import type { ImportReport, Imports } from '../../services/intake/imports.js'
import { isStream } from '../ndjson.js'
import { Next, nextOf, PageQuery } from '../pages.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { BankName, IdempotencyKey, Instant, instant } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'

/** Accepted content types. The format itself is detected by the first line, gzip by its first two bytes. */
const FILE_TYPES = [
  'application/octet-stream',
  'application/gzip',
  'application/x-gzip',
  'application/x-ndjson',
  'text/plain',
  'text/csv',
]

const Progress = z.object({
  importId: z.uuid(),
  state: z.enum(IMPORT_STATES).meta({
    description:
      'running: in progress, or broken off if `updatedAt` is long ago. stopped: by `problem`. In both cases send the same file with the same Idempotency-Key to continue.',
  }),
  problem: z.enum(PROBLEM_CODES).nullable(),
  format: z.enum(FILE_FORMATS).nullable(),
  startedAt: Instant,
  updatedAt: Instant,
  lines: z.int().meta({ description: 'Lines processed so far.' }),
  accepted: z.int(),
  removed: z.int().meta({ description: 'Signals that tombstones in the file removed.' }),
  notFound: z.int().meta({
    description:
      'Tombstones whose signal is not in the bank; not counted as accepted. After an import that broke off and continued, the first run may have removed it.',
  }),
  categoriesIgnored: z.int().meta({
    description: 'Accepted signals of a CSV whose `category` is none of ours: added without one.',
  }),
  rejected: z.int(),
  rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
})
const Stretch = z.object({ fromLine: z.int(), toLine: z.int() })
const Report = Progress.extend({
  rejections: z.array(Stretch.extend({ reason: z.enum(RECORD_REJECTIONS) })).meta({
    description: 'Ranges of lines, counted from 1, inclusive; at most 10,000 together with the other lists of lines.',
  }),
  notFoundLines: z.array(Stretch).meta({ description: 'Ranges of lines with tombstones that removed nothing.' }),
  categoryIgnoredLines: z
    .array(Stretch)
    .meta({ description: 'Ranges of lines whose signal was added without its category.' }),
}).meta({ id: 'Import' })

const BankParam = z.object({ bank: BankName })

export interface ImportRouteOptions {
  readonly banks: Banks
  readonly imports: Imports
}

export const importRoutes: FastifyPluginAsyncZod<ImportRouteOptions> = async (app, options) => {
  app.removeContentTypeParser('text/plain')
  // Fastify's own parser would buffer the whole body
  app.addContentTypeParser(FILE_TYPES, (_request, payload, done) => done(null, payload))
  importFileRoute(app, options)
  listImportsRoute(app, options)
  getImportRoute(app, options)
}

function importFileRoute(app: ZodApp, { banks, imports }: ImportRouteOptions): void {
  app.post(
    '/banks/:bank/imports',
    {
      config: { scope: 'signals:write', fileBody: true },
      schema: {
        operationId: 'importFile',
        summary: 'Import a file of signals',
        description:
          'Formats: lines of 64 hex digits; lines of a type and hex digits; CSV with a header, such as `signal_type,signal_str,collab,category,tags`; or NDJSON as written by `tabir export`, where `"deleted":true` removes a signal, held or not: by its `signalId` if this bank has it, otherwise by its hashes and `ref`. Each may be compressed with gzip. A bad line is refused with its number and a reason; the other lines are imported. The same signal twice is one signal. With an Idempotency-Key, sending the same file again continues where it broke off; after the end it returns the report, whatever happened to the signals since. To import the file again, send a new key.',
        tags: ['banks'],
        params: BankParam,
        headers: IdempotencyKey,
        response: {
          201: Report,
          ...may(
            'request-invalid',
            'body-unreadable',
            'upload-incomplete',
            'body-too-large',
            'media-unsupported',
            'key-missing',
            'scope-missing',
            'account-suspended',
            'bank-unknown',
            'idempotency-key-reused',
            'idempotency-key-busy',
            'quota-exceeded',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const bank = await banks.writable(callerOf(request), request.params.bank)
      if (!isStream(request.body)) throw new Problem('media-unsupported')
      const taken = await imports.take(bank, request.headers['idempotency-key'], request.body, () => request.reauthorize())
      return reply.code(201).send(reportOf(taken))
    },
  )
}

function listImportsRoute(app: ZodApp, { banks, imports }: ImportRouteOptions): void {
  app.get(
    '/banks/:bank/imports',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'listImports',
        summary: 'List imports and their progress',
        description: 'Newest first, for the last 30 days.',
        tags: ['banks'],
        params: BankParam,
        querystring: PageQuery,
        response: {
          200: z.object({ imports: z.array(Progress), next: Next }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'bank-unknown', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const { after, limit } = request.query
      const page = await imports.list(await banks.writable(callerOf(request), request.params.bank), after, limit)
      return { imports: page.imports.map(progressOf), next: nextOf(page.next) }
    },
  )
}

function getImportRoute(app: ZodApp, { banks, imports }: ImportRouteOptions): void {
  app.get(
    '/banks/:bank/imports/:importId',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'getImport',
        summary: 'Get an import and its refused lines',
        tags: ['banks'],
        params: BankParam.extend({ importId: z.uuid() }),
        response: {
          200: Report,
          ...may('request-invalid', 'key-missing', 'scope-missing', 'bank-unknown', 'import-unknown', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const bank = await banks.writable(callerOf(request), request.params.bank)
      return reportOf(await imports.report(bank, request.params.importId.toLowerCase()))
    },
  )
}

function reportOf({ notes, ...report }: ImportReport): z.infer<typeof Report> {
  const rejections = notes.flatMap(({ fromLine, toLine, why }) =>
    why === 'not-found' || why === 'category-ignored' ? [] : [{ fromLine, toLine, reason: why }],
  )
  const linesWith = (note: LineNote) =>
    notes.flatMap(({ fromLine, toLine, why }) => (why === note ? [{ fromLine, toLine }] : []))
  const lists = { notFoundLines: linesWith('not-found'), categoryIgnoredLines: linesWith('category-ignored') }
  return { ...progressOf(report), rejections, ...lists }
}

function progressOf({ importId, progress }: Omit<ImportReport, 'notes'>): z.infer<typeof Progress> {
  const { digest: _, startedAtMs, updatedAtMs, problem = null, format = null, rejectedFor, ...counts } = progress
  return {
    importId,
    ...counts,
    problem,
    format,
    startedAt: instant(startedAtMs),
    updatedAt: instant(updatedAtMs),
    rejectedFor: { ...rejectedFor },
  }
}
