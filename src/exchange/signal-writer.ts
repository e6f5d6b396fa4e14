// Writes a bank as a file, in formats that other systems read.

import { labelOf } from '../../packages/core/src/matching/bank.js'
import { formatSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { RegisteredImage, Signal, Tier } from '../../packages/core/src/matching/signal.js'
import { timedSignals } from '../../packages/core/src/matching/timed-signals.js'
import { namesOf } from '../../packages/core/src/own-value.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { csvLine } from './csv-fields.js'

/** The formats of an export, with their descriptions for the API and the CLI. */
export const EXPORTS = {
  ndjson:
    'all there is to know, a line for each signal, picture or video (`signals`: all of its hashes, those of a video with `atMs`; a long video takes several lines, and the first says how many), with `"deleted":true` for what is held back. An import of it gives the same bank; with `"deleted":true` in each line, an empty one.',
  csv: 'signal_type,signal_str,collab,category,tags, without frames of videos.',
  lines: 'a type and hex digits, without frames of videos.',
  hex: 'PDQ alone, without frames of videos.',
} as const satisfies Readonly<Record<string, string>>

export type ExportFormat = keyof typeof EXPORTS
export const EXPORT_FORMATS = namesOf(EXPORTS)

/** A picture or video of a bank. Where `matches` is false, because it is held or was invalidated, the file says that it is deleted. */
export interface BankedImage {
  readonly id: string
  readonly image: RegisteredImage
  readonly tier: Tier
  readonly disputed: boolean
  readonly matches: boolean
}

/** The first line of the file, such as a header; empty for formats without one. */
export function headOf(format: ExportFormat): string {
  return WRITERS[format].head
}

/** The lines of one picture, each with its line break; empty if the format has nothing to say about it. */
export function linesOf(format: ExportFormat, banked: BankedImage): string {
  const writer = WRITERS[format]
  return banked.matches ? writer.lines(banked, wholeOf(banked)) : writer.deleted(banked.id)
}

/** Frames of a video are left out: a reader of the formats that need this would take each for a picture. */
function wholeOf({ image }: BankedImage): readonly Signal[] {
  return image.signals.filter(({ view, frame }) => view === 'whole' && frame === undefined)
}

/** Signals in a line: a reader takes lines of a limited length. Enough for any picture. */
const LINE_SIGNALS = 200

/** A picture with all its signals in one line, a video in as many as it needs, so that readers add or remove it as a whole. */
function linesWith({ id, image, tier, disputed }: BankedImage, { type, quality, hash }: Signal): string {
  const { ref, category, createdAtMs, video } = image
  const signals = timedSignals(image)
  const part = (from: number) =>
    signals
      .slice(from, from + LINE_SIGNALS)
      .map((signal) => ({ ...signal, hash: formatSignalHash(signal.type, signal.hash) }))
  const lines = Math.max(1, Math.ceil(signals.length / LINE_SIGNALS))
  const line = {
    ...{ signalId: id, type, hash: formatSignalHash(type, hash), quality, ref, category, tier },
    ...(tier !== image.tier && { registeredTier: image.tier }),
    ...{ disputed, createdAt: new Date(createdAtMs).toISOString() },
    ...(video !== undefined && { video: { durationMs: video.durationMs } }),
    ...(lines > 1 && { lines }),
    ...((signals.length > 1 || video !== undefined) && { signals: part(0) }),
  }
  let text = `${JSON.stringify(line)}\n`
  for (let next = 2; next <= lines; next++)
    text += `${JSON.stringify({ signalId: id, line: next, signals: part((next - 1) * LINE_SIGNALS) })}\n`
  return text
}

function firstFrameOf({ image }: BankedImage): Signal | undefined {
  const whole = image.signals.filter(({ view }) => view === 'whole')
  return whole.find(({ type }) => type === 'pdq') ?? whole[0]
}

interface Writer {
  readonly head: string
  readonly lines: (banked: BankedImage, whole: readonly Signal[]) => string
  /** The lines of a signal that does not match. */
  readonly deleted: (id: string) => string
}
const NO_LINES = () => ''

const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  ndjson: {
    head: '',
    lines(banked, whole) {
      const itself = whole.find(({ type }) => type === 'pdq') ?? whole[0] ?? firstFrameOf(banked)
      return itself === undefined ? '' : linesWith(banked, itself)
    },
    deleted: (signalId) => `${JSON.stringify({ signalId, deleted: true })}\n`,
  },
  /** ThreatExchange's five columns. */
  csv: {
    head: 'signal_type,signal_str,collab,category,tags\n',
    lines({ image, tier, disputed }, whole) {
      const opinion = disputed ? 'DISPUTED' : tier === 'self-reported' ? 'INVESTIGATION_SEED' : 'POSITIVE_CLASS'
      const line = ({ type, hash }: Signal) =>
        `${csvLine([type, formatSignalHash(type, hash), labelOf(image.bank), opinion, image.category ?? ''])}\n`
      return whole.map(line).join('')
    },
    deleted: NO_LINES,
  },
  /** As HMA's `local_file` reads it. */
  lines: {
    head: '',
    lines: (_, whole) => whole.map(({ type, hash }) => `${type} ${formatSignalHash(type, hash)}\n`).join(''),
    deleted: NO_LINES,
  },
  hex: {
    head: '',
    lines: (_, whole) => whole.map(({ type, hash }) => (type === 'pdq' ? `${formatHash(hash)}\n` : '')).join(''),
    deleted: NO_LINES,
  },
}
