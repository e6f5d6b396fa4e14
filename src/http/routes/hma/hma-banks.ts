// HMA's banks. Each is a bank of Tabir; those of other organisations are readable only.

import type { FastifyPluginAsync } from 'fastify'
import { BANK_NAME_PATTERN } from '../../../../packages/core/src/matching/bank.js'
import type { Caller } from '../../../domain/organisations/access.js'
import { Problem } from '../../../domain/problem.js'
import type { Banks, ShownBank } from '../../../services/banks/banks.js'
import { laxFields } from '../../hma/lax.js'
import { HmaRefusal } from '../../hma/refusals.js'
import { callerOf } from '../../plugins/authentication.js'

const HMA_NAME = /^[A-Z_][A-Z0-9_]*$/

/** A bank in HMA's form: its name, and the ratio of queries that it answers. */
export function presentBank({ shownAs, enabledRatio }: ShownBank) {
  return { name: shownAs, matching_enabled_ratio: enabledRatio ?? 1 }
}

/** @throws {HmaRefusal} 404, only if the bank does not exist: on 404 a client forgets the bank */
export function bankSeen(banks: Pick<Banks, 'list'>, caller: Caller, name: string, missing = 'bank not found'): ShownBank {
  const bank = banks.list(caller).find((known) => known.shownAs === name && known.purpose === 'match')
  if (bank === undefined) throw new HmaRefusal(404, missing)
  return bank
}

/** @throws {HmaRefusal} 404 if unknown; 403 if another organisation owns it */
export async function bankOwned(
  banks: Pick<Banks, 'list' | 'writable'>,
  caller: Caller,
  name: string,
  missing?: string,
): Promise<ShownBank> {
  bankSeen(banks, caller, name, missing)
  try {
    return await banks.writable(caller, name)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'bank-unknown') throw error
    throw new HmaRefusal(403, 'The bank belongs to another organisation')
  }
}

export interface HmaBankOptions {
  readonly banks: Banks
}

export const hmaBankRoutes: FastifyPluginAsync<HmaBankOptions> = async (app, { banks }) => {
  const options = { config: { scope: 'signals:write', keyAlso: 'in-path' }, schema: { hide: true } } as const

  app.get('/c/banks', options, async (request) =>
    banks
      .list(callerOf(request))
      .filter(({ purpose }) => purpose === 'match')
      .map(presentBank),
  )

  app.post('/c/banks', options, async (request, reply) => {
    const fields = laxFields(request.body)
    const name = fields.needed('name')
    const ratio = ratioIn(fields.ratio('enabled_ratio'), fields.bool('enabled'))
    fields.check()
    if (!HMA_NAME.test(name) || !BANK_NAME_PATTERN.test(name))
      throw new HmaRefusal(400, 'Bank names must be UPPER_WITH_UNDERSCORE')
    const caller = callerOf(request)
    // Nobody else may read it, as in HMA. PATCH /v1/banks/{bank} adds readers.
    const bank = await orTaken(banks.create(caller, { name, purpose: 'match', thresholdBits: {} }, []))
    return reply.code(201).send(presentBank(ratio === undefined ? bank : await banks.setRatio(caller, name, ratio)))
  })

  app.get<{ Params: { name: string } }>('/c/bank/:name', options, async (request) =>
    presentBank(bankSeen(banks, callerOf(request), request.params.name)),
  )

  app.put<{ Params: { name: string } }>('/c/bank/:name', options, async (request) => {
    const fields = laxFields(request.body)
    const name = fields.text('name')
    const ratio = ratioIn(fields.ratio('enabled_ratio'), fields.bool('enabled'))
    fields.check()
    const caller = callerOf(request)
    const bank = await bankOwned(banks, caller, request.params.name, 'Bank not found')
    if (name !== undefined && name !== bank.shownAs) refuseNewName(name, banks.list(caller))
    return presentBank(ratio === undefined ? bank : await banks.setRatio(caller, bank.shownAs, ratio))
  })

  app.delete<{ Params: { name: string } }>('/c/bank/:name', options, async (request) => {
    const caller = callerOf(request)
    const { name } = request.params
    if (banks.list(caller).some((known) => known.shownAs === name)) {
      await bankOwned(banks, caller, name)
      await banks.remove(caller, name)
    }
    return { message: 'Done' }
  })
}

/** The ratio. It overrides the switch `enabled`, as in HMA. */
function ratioIn(ratio: number | undefined, enabled: boolean | undefined): number | undefined {
  return ratio ?? (enabled === undefined ? undefined : enabled ? 1 : 0)
}

/** Refuses the whole request: a bank cannot be renamed (decision 0031). */
function refuseNewName(name: string, known: readonly ShownBank[]): never {
  if (!HMA_NAME.test(name) || !BANK_NAME_PATTERN.test(name))
    throw new HmaRefusal(400, 'Bank names must be UPPER_WITH_UNDERSCORE')
  if (known.some((bank) => bank.shownAs === name)) throw new HmaRefusal(403, 'Bank name already exists')
  throw new HmaRefusal(400, 'Banks cannot be renamed. Create another one')
}

async function orTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Problem && error.code === 'bank-exists') throw new HmaRefusal(403, 'Bank already exists')
    throw error
  }
}
