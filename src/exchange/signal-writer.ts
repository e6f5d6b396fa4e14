// A bank as a file, in forms that other systems read.

import type { RegisteredImage, Signal, Tier } from '../domain/signal.js'
import { formatHash } from '../hash/hash256.js'
import { csvLine } from './csv.js'

export const EXPORT_FORMATS = ['ndjson', 'csv', 'lines', 'hex'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** A signal of a bank, or what is left of it: one that is held back or was struck is as good as gone for whoever reads the file. */
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
 * ndjson: everything, with a tombstone for what is held back. csv: ThreatExchange's five columns. lines: `pdq <hex>`, as
 * HMA's `local_file` reads it. hex: PDQ alone. Empty, or whole lines.
 */
export function linesOf(format: ExportFormat, banked: BankedImage): string {
  if (!banked.matches) return format === 'ndjson' ? `${JSON.stringify({ signalId: banked.id, deleted: true })}\n` : ''
  return banked.image.signals
    .filter(({ view }) => view === 'whole')
    .map((signal) => WRITERS[format](banked, signal))
    .join('')
}

const WRITERS: Readonly<Record<ExportFormat, (banked: BankedImage, signal: Signal) => string>> = {
  ndjson: ({ id, image, tier, disputed }, { type, quality, hash }) => {
    const { ref, category, createdAtMs } = image
    const createdAt = new Date(createdAtMs).toISOString()
    return `${JSON.stringify({ signalId: id, type, hash: formatHash(hash), quality, ref, category, tier, disputed, createdAt })}\n`
  },
  csv: ({ image, tier, disputed }, { type, hash }) => {
    const opinion = disputed ? 'DISPUTED' : tier === 'self-reported' ? 'INVESTIGATION_SEED' : 'POSITIVE_CLASS'
    return `${csvLine([type, formatHash(hash), image.bank, opinion, image.category ?? ''])}\n`
  },
  lines: (_, { type, hash }) => `${type} ${formatHash(hash)}\n`,
  hex: (_, { type, hash }) => (type === 'pdq' ? `${formatHash(hash)}\n` : ''),
}
