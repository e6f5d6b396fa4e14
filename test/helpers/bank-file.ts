// Exports a bank to a file and imports it again.

import type { Test } from 'tap'
import { parseSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { View } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES, type SignalType } from '../../packages/core/src/matching/signal-types.js'
import type { Chance } from '../fuzz/chance.js'
import { HMA_SCOPES, hmaClient } from './hma.js'
import { keyFor, startService } from './service.js'
import { ask } from './trust.js'

export type Line = Readonly<Record<string, unknown>> & { readonly signalId: string }
interface Report {
  readonly accepted: number
  readonly removed: number
  readonly rejected: number
  readonly notFound: number
  readonly notFoundLines: readonly { readonly fromLine: number; readonly toLine: number }[]
}

export async function bankWorld(t: Test) {
  const service = await startService(t)
  const { headers, key } = await keyFor(service, 'owner', [...HMA_SCOPES, 'feed'], 'ngo')
  await ask(service, 'POST', '/v1/banks', headers, { name: 'B' })
  const exported = async (): Promise<Line[]> => {
    const { body } = await ask(service, 'POST', '/v1/banks/B/exports', headers, { format: 'ndjson', plain: true })
    return body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
  }
  const imported = async (lines: readonly object[]) => {
    const type = { ...headers, 'content-type': 'application/x-ndjson' }
    const text = lines.map((line) => JSON.stringify(line)).join('\n')
    return (await ask(service, 'POST', '/v1/banks/B/imports', type, text)).json<Report>()
  }
  const caller = service.services.identify(key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const bank = await service.services.banks.writable(caller, 'B')
  return { service, headers, bank, hma: hmaClient(service, headers), exported, imported }
}
export type BankWorld = Awaited<ReturnType<typeof bankWorld>>

export const deleted = (lines: readonly Line[]) => lines.map((line) => ({ ...line, deleted: true }))

/** The content of a line, without times and the judgement of others. */
function contentOf({ signalId: _, createdAt: __, disputed: ___, tier, registeredTier = tier, ...content }: Line) {
  return JSON.stringify({ ...content, tier: registeredTier })
}
export const contentsOf = (lines: readonly Line[]) => lines.map(contentOf).sort()

export function signalOf(chance: Chance, type: SignalType, view: View = 'whole') {
  const quality = SIGNAL_TYPES[type].minQuality + chance.below(101 - SIGNAL_TYPES[type].minQuality)
  const hash = parseSignalHash(type, hex(chance, type))
  if (hash === undefined) throw new Error('it has as many hex digits as hashes of its type')
  return { type, view, quality, hash }
}

export function hex(chance: Chance, type: SignalType = 'pdq'): string {
  return chance.bytes(type === 'video_md5' ? 16 : 32).toString('hex')
}
