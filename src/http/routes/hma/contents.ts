// HMA's bank content: pictures and hashes of a bank, each enabled or disabled by itself.

import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { refusalOf } from '../../../../packages/core/src/matching/probable-hash.js'
import type { Caller } from '../../../domain/organisations/access.js'
import type { NewSignal } from '../../../domain/organisations/bank-change.js'
import { Problem } from '../../../domain/problem.js'
import type { Banks, ShownBank } from '../../../services/banks/banks.js'
import type { Registration } from '../../../services/intake/registration.js'
import type { Content, Contents } from '../../../services/interop/contents.js'
import type { Audit } from '../../../services/records/audit.js'
import { type ByAddressOptions, hashedFrom, hashedUpload } from '../../hma/by-address.js'
import { hashTexts, newSignal, videoSignal } from '../../hma/content-signals.js'
import { metadataIn, noteIn, refOf, textIn } from '../../hma/content-text.js'
import { givenHash, INVALID_PDQ, indexedTypeNamed, PDQ, pdqOf, SIGNAL_TYPES } from '../../hma/hma-signals.js'
import { isObject, laxFields } from '../../hma/lax.js'
import { HmaRefusal, problemOfUpload } from '../../hma/refusals.js'
import { callerOf } from '../../plugins/authentication.js'
import type { Exchange } from '../../upload.js'
import { bankOwned, bankSeen, presentBank } from './hma-banks.js'

const FIVE_YEARS_S = 5 * 365 * 86_400
const LOW_QUALITY = `Invalid pdq signal: ${INVALID_PDQ}`

export interface HmaContentOptions extends ByAddressOptions {
  readonly banks: Banks
  readonly contents: Contents
  readonly registration: Registration
  readonly audit: Pick<Audit, 'recordDaily'>
  readonly now: () => number
}

interface BankParam {
  Params: { readonly name: string }
}
interface ContentParam {
  Params: { readonly name: string; readonly id: string }
}

const CONFIG = { scope: 'signals:write', keyAlso: 'in-path' } as const
const schema = { hide: true }

export const hmaContentRoutes: FastifyPluginAsync<HmaContentOptions> = async (app, options) => {
  addContentRoute(app, options)
  addSignalRoute(app, options)
  getContentRoute(app, options)
  changeContentRoute(app, options)
  removeContentRoute(app, options)
}

function addContentRoute(app: FastifyInstance, options: HmaContentOptions): void {
  const { banks, contents, registration } = options
  app.post<BankParam>(
    '/c/bank/:name/content',
    { config: { ...CONFIG, multipart: true }, schema },
    async (request, reply) => {
      const caller = callerOf(request)
      const bank = await bankOwned(banks, caller, request.params.name)
      const { result, ref } = await readContent({ request, reply }, options)
      if ('md5' in result) return await addSignals(options, bank, caller, videoSignal(result, ref))
      if (result instanceof Problem)
        throw result.code === 'quality-too-low' ? new HmaRefusal(400, LOW_QUALITY) : problemOfUpload(result)
      const signals = result.signals.flatMap(({ hashes: [hash], ...rest }) =>
        hash === undefined ? [] : [{ ...rest, hash }],
      )
      const { id, revision } = await registration.pictureForBank(bank, { signals, category: undefined, ref })
      await registration.matchable(revision)
      return { id: contents.idFor(caller.orgId, id), signals: { [PDQ]: pdqOf(result) } }
    },
  )
}

function addSignalRoute(app: FastifyInstance, options: HmaContentOptions): void {
  const { banks } = options
  app.post<BankParam>('/c/bank/:name/signal', { config: CONFIG, schema }, async (request) => {
    const caller = callerOf(request)
    const bank = await bankOwned(banks, caller, request.params.name)
    const body: Record<string, unknown> = isObject(request.body) ? { ...request.body } : {}
    const { note: noted, ...types } = body
    const note = noteIn(noted)
    const names = Object.keys(types)
    if (names.length === 0) throw new HmaRefusal(400, 'No signals given')
    for (const name of names) indexedTypeNamed(name)
    const given = SIGNAL_TYPES.flatMap((type) =>
      names.includes(type) ? [givenHash(type, types[type], `Invalid ${type} signal`)] : [],
    )
    const ref = refOf({ ...(note !== undefined && { note }) })
    const added = newSignal(given, ref)
    const refusal = (added.picture ?? [added.signal]).map(refusalOf).find((why) => why !== undefined)
    if (refusal !== undefined) throw new Problem(refusal)
    return await addSignals(options, bank, caller, added)
  })
}

async function addSignals(
  { contents, registration }: HmaContentOptions,
  bank: ShownBank,
  { orgId }: Caller,
  added: NewSignal,
) {
  const { invalidatedAt, revision } = await registration.changeBank(bank, [{ kind: 'put', signal: added }])
  if (invalidatedAt.size > 0) throw new Problem('signal-invalidated')
  await registration.matchable(revision)
  const signals = hashTexts(added.picture ?? [added.signal], added.video)
  return { id: contents.idFor(orgId, registration.signalIdFor(bank, added)), signals }
}

function getContentRoute(app: FastifyInstance, { banks, contents, audit }: HmaContentOptions): void {
  app.get<ContentParam>(
    '/c/bank/:name/content/:id',
    { config: { ...CONFIG, queries: 'counted' }, schema },
    async (request, reply) => {
      const caller = callerOf(request)
      const fields = laxFields(request.query)
      // This returns a stored hash, so the scope for writing is not enough.
      const wantsSignals = fields.text('include_signals')?.toLowerCase() === 'true'
      if (wantsSignals && !caller.scopes.has('feed')) throw new Problem('scope-missing', { scope: 'feed' })
      const bank = bankSeen(banks, caller, request.params.name)
      if (bank.orgId !== caller.orgId) throw new HmaRefusal(404, 'content not found')
      const content = await contentAt(contents, caller.orgId, bank.name, request.params.id)
      request.consumeQuota(reply, wantsSignals ? 1 : 0)
      if (wantsSignals) audit.recordDaily('feed.read', `key:${caller.keyId}`, { orgId: caller.orgId })
      const { note, metadata } = textIn(content.image.ref)
      return {
        id: Number(request.params.id),
        disable_until_ts: content.disableUntilS,
        original_media_uri: null,
        bank: presentBank(bank),
        ...(wantsSignals && { signals: hashTexts(content.image.signals, content.image.video) }),
        ...(fields.text('include_metadata')?.toLowerCase() !== 'false' &&
          metadata !== undefined && {
            metadata: { content_id: null, content_uri: null, json: null, ...metadata, collab: null },
          }),
        ...(note !== undefined && { note }),
      }
    },
  )
}

function changeContentRoute(app: FastifyInstance, { banks, contents, now }: HmaContentOptions): void {
  app.put<ContentParam>('/c/bank/:name/content/:id', { config: CONFIG, schema }, async (request) => {
    const caller = callerOf(request)
    const bank = await bankOwned(banks, caller, request.params.name)
    const { imageId, image, disableUntilS } = await contentAt(contents, caller.orgId, bank.name, request.params.id)
    const body: Record<string, unknown> = isObject(request.body) ? { ...request.body } : {}
    const until = 'disable_until_ts' in body ? untilIn(body['disable_until_ts'], now()) : undefined
    const before = textIn(image.ref)
    const { metadata } = before
    const note = 'note' in body ? noteIn(body['note']) : before.note
    if ('note' in body)
      await contents.setRef(imageId, image, refOf({ ...(note !== undefined && { note }), ...(metadata && { metadata }) }))
    const shown = until === undefined ? disableUntilS : await contents.disableUntil(imageId, until, `key:${caller.keyId}`)
    return {
      id: Number(request.params.id),
      disable_until_ts: shown,
      collab_metadata: {},
      original_media_uri: null,
      bank: presentBank(bank),
      user_metadata: metadata ?? null,
      note: note ?? null,
    }
  })
}

function removeContentRoute(app: FastifyInstance, { banks, contents, registration }: HmaContentOptions): void {
  app.delete<ContentParam>('/c/bank/:name/content/:id', { config: CONFIG, schema }, async (request) => {
    const caller = callerOf(request)
    const bank = await bankOwned(banks, caller, request.params.name)
    const number = Number(request.params.id)
    const content = Number.isSafeInteger(number) ? await contents.find(caller.orgId, bank.name, number) : undefined
    if (content === undefined) return { deleted: 0 }
    await registration.removeFromBank(bank, content.imageId, `key:${caller.keyId}`)
    return { deleted: 1 }
  })
}

/** Hashes the content to add. It is either fetched from `url`, with note and metadata in a JSON body, or sent in a form together with them. */
async function readContent(exchange: Exchange, options: HmaContentOptions) {
  const { request } = exchange
  const query = laxFields(request.query)
  const url = query.text('url')
  if (url !== undefined) {
    const body: Record<string, unknown> = isObject(request.body) ? { ...request.body } : {}
    const ref = refOf(textOf(body['note'], body['metadata']))
    return { result: await hashedFrom(options, url, query, 'submission', exchange), ref }
  }
  if (!request.isMultipart()) throw new HmaRefusal(400, 'Neither `url` nor multipart file upload was received')
  const { result, fields } = await hashedUpload(options, query.text('types'), 'submission', exchange)
  return { result, ref: refOf(textOf(fields.get('note'), fields.get('metadata'))) }
}

async function contentAt(contents: Contents, orgId: string, bank: string, id: string): Promise<Content> {
  const number = /^\d{1,16}$/.test(id) ? Number(id) : Number.NaN
  const content = Number.isSafeInteger(number) ? await contents.find(orgId, bank, number) : undefined
  if (content === undefined) throw new HmaRefusal(404, 'content not found')
  return content
}

function textOf(note: unknown, metadata: unknown) {
  const [noted, meta] = [noteIn(note), metadataIn(metadata)]
  return { ...(noted !== undefined && { note: noted }), ...(meta !== undefined && { metadata: meta }) }
}

function untilIn(value: unknown, nowMs: number): number {
  // Like Python's int(): a number is truncated, a string with a fraction is refused.
  const seconds =
    typeof value === 'number' ? Math.trunc(value) : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  if (!Number.isInteger(seconds)) throw new HmaRefusal(400, 'Invalid int')
  if (seconds < 0) throw new HmaRefusal(400, 'disable_until_ts must be a non-negative integer')
  if (seconds * 1000 > nowMs + FIVE_YEARS_S * 1000)
    throw new HmaRefusal(400, 'disable_until_ts must be less than 5 years in the future')
  return seconds
}
