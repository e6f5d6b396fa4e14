// A bank as a file, in forms that other systems read.

import { formatHash } from '../../packages/hash/src/hash256.js'
import type { RegisteredImage, Signal, Tier } from '../domain/matching/signal.js'
import { labelOf } from '../domain/organisations/bank.js'
import { csvLine } from './csv-fields.js'

export const EXPORT_FORMATS = ['ndjson', 'csv', 'lines', 'hex'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** A signal of a bank, or what is left of it: one that is held back or was invalidated is as good as gone for whoever reads the file. */
export interface BankedImage {
  readonly id: string
  readonly image: RegisteredImage
  readonly tier: Tier
  readonly disputed: boolean
  readonly matches: boolean
}

/** What stands before the first signal. */
export function headOf(format: ExportFormat): string {
  return format === 'csv' ? 'signal_type,signal_str,collab,category,tags\n' : ''
}

/**
 * ndjson: everything, a line for a picture, with a tombstone for what is held back. csv: ThreatExchange's five columns. lines: `pdq <hex>`, as
 * HMA's `local_file` reads it. hex: PDQ alone. Empty, or whole lines.
 */
export function linesOf(format: ExportFormat, banked: BankedImage): string {
  if (!banked.matches) return format === 'ndjson' ? `${JSON.stringify({ signalId: banked.id, deleted: true })}\n` : ''
  const whole = banked.image.signals.filter(({ view }) => view === 'whole')
  if (format !== 'ndjson') return whole.map((signal) => WRITERS[format](banked, signal)).join('')
  const itself = whole.find(({ type }) => type === 'pdq') ?? whole[0]
  return itself === undefined ? '' : lineOf(banked, itself)
}

/** One line for a picture, however many signals it has: what reads it takes or removes it as a whole. */
function lineOf({ id, image, tier, disputed }: BankedImage, { type, quality, hash }: Signal): string {
  const { ref, category, createdAtMs, signals } = image
  const line = {
    ...{ signalId: id, type, hash: formatHash(hash), quality, ref, category, tier },
    ...(tier !== image.tier && { registeredTier: image.tier }),
    ...{ disputed, createdAt: new Date(createdAtMs).toISOString() },
    ...(signals.length > 1 && { signals: signals.map((signal) => ({ ...signal, hash: formatHash(signal.hash) })) }),
  }
  return `${JSON.stringify(line)}\n`
}

const WRITERS: Readonly<Record<Exclude<ExportFormat, 'ndjson'>, (banked: BankedImage, signal: Signal) => string>> = {
  csv: ({ image, tier, disputed }, { type, hash }) => {
    const opinion = disputed ? 'DISPUTED' : tier === 'self-reported' ? 'INVESTIGATION_SEED' : 'POSITIVE_CLASS'
    return `${csvLine([type, formatHash(hash), labelOf(image.bank), opinion, image.category ?? ''])}\n`
  },
  lines: (_, { type, hash }) => `${type} ${formatHash(hash)}\n`,
  hex: (_, { type, hash }) => (type === 'pdq' ? `${formatHash(hash)}\n` : ''),
}
