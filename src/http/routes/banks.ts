// Banks of organisations: create them, list them, and set which organisations may read them.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { pageOfList } from '../../domain/page-cursor.js'
import type { ShownBank } from '../../services/banks/banks.js'
import { LongPage, Next, nextOf } from '../pages.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { BankName, instant } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { BankView, NewBank, Readers } from './bank-schemas.js'
import { addSignalsRoute, type BankRouteOptions, removeSignalRoute } from './bank-signals.js'

const NDJSON = 'application/x-ndjson'

const cursorOfBank = ({ shownAs }: ShownBank) => ({ score: 0, member: Buffer.from(shownAs).toString('hex') })

export const bankRoutes: FastifyPluginAsyncZod<BankRouteOptions> = async (app, options) => {
  app.addContentTypeParser(NDJSON, (_request, payload, done) => done(null, payload)) // read as it arrives, never as a whole
  createBankRoute(app, options)
  listBanksRoute(app, options)
  changeBankRoute(app, options)
  addSignalsRoute(app, options)
  removeSignalRoute(app, options)
}

function createBankRoute(app: ZodApp, { banks }: BankRouteOptions): void {
  app.post(
    '/banks',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'createBank',
        summary: 'Create a bank',
        description:
          'A name is taken if a bank that is visible to you has it. If two visible banks later have the same name, `NAME` means your own, or the one that became visible to you first; use `exactName` for the other.',
        tags: ['banks'],
        body: NewBank,
        response: {
          201: BankView,
          ...may(
            'request-invalid',
            'key-missing',
            'scope-missing',
            'bank-exists',
            'banks-full',
            'organisation-unknown',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { name, purpose, thresholdBits, readers } = request.body
      const bank = await banks.create(
        callerOf(request),
        {
          name,
          purpose,
          thresholdBits,
        },
        readers ?? undefined,
      )
      return reply.code(201).send(present(bank, callerOf(request).orgId))
    },
  )
}

function listBanksRoute(app: ZodApp, { banks }: BankRouteOptions): void {
  app.get(
    '/banks',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'listBanks',
        summary: 'List the banks that are visible to you',
        description: 'Sorted by name.',
        tags: ['banks'],
        querystring: LongPage,
        response: {
          200: z.object({ banks: z.array(BankView), next: Next }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'index-loading'),
        },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { page, next } = pageOfList(banks.list(caller), cursorOfBank, request.query)
      return { banks: page.map((bank) => present(bank, caller.orgId)), next: nextOf(next) }
    },
  )
}

function changeBankRoute(app: ZodApp, { banks }: BankRouteOptions): void {
  app.patch(
    '/banks/:bank',
    {
      config: { scope: 'signals:write' },
      schema: {
        operationId: 'changeBank',
        summary: 'Set the organisations that can see a bank',
        description:
          'Takes effect before the answer here, and within one second on all processes. Earlier match ids from this bank become unknown to organisations that no longer see it. A harmless bank vetoes for all organisations.',
        tags: ['banks'],
        params: z.object({ bank: BankName }),
        body: z.strictObject({ readers: Readers.nullable() }),
        response: {
          200: BankView,
          ...may(
            'request-invalid',
            'key-missing',
            'scope-missing',
            'bank-unknown',
            'organisation-unknown',
            'store-unavailable',
          ),
        },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const bank = await banks.setReaders(caller, request.params.bank, request.body.readers ?? undefined)
      return present(bank, caller.orgId)
    },
  )
}

function present(
  { shownAs, exactName, purpose, orgId, thresholdBits, createdAtMs, readers }: ShownBank,
  callerOrgId: string,
): z.infer<typeof BankView> {
  return {
    bank: shownAs,
    exactName,
    purpose,
    own: orgId === callerOrgId,
    thresholdBits: { ...thresholdBits },
    createdAt: createdAtMs === 0 ? null : instant(createdAtMs),
    ...(orgId === callerOrgId && { readers: readers === undefined ? null : Object.values(readers) }),
  }
}
