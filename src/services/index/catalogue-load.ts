// Fills a catalogue from the packed columns of a reader, without one object per image.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import { TIERS } from '../../../packages/core/src/matching/signal.js'
import { ROW_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import { HASH_BYTES } from '../../../packages/hash/src/hash256.js'
import type { ImageColumns, SignalColumns } from '../../store/images/reader/columns.js'
import type { CatalogueParts } from './catalogue-dump.js'
import type { DetailPlaces } from './detail-places.js'

/**
 * Adds many images at once. None may be in the catalogue: checking each would double the time. Until `Catalogue.tidy` has
 * nothing left to do, every search scans all their rows.
 */
export function loadColumns({ images: table, rows }: CatalogueParts, columns: ImageColumns): void {
  const { images, ids, tiers, categories, banks, bankNames, createdAtMs, frameCounts, framesAtMs, signals, heads } = columns
  const bankNumbers = bankNames.map((name) => table.bankNumber(name))
  const first = table.ordinals
  const pdqOwners = signals.pdq.owners
  let frames = 0
  let pdqRow = 0
  for (let image = 0; image < images; image++) {
    const id = ids.subarray(16 * image, 16 * image + 16)
    const bank = bankNumbers[banks[image] ?? 0] ?? 0
    const ordinal = table.addCoded(id, bank, tiers[image] ?? 0, categories[image] ?? 0)
    const count = frameCounts[image] ?? 0
    table.reserve(count)
    rows.frames.put(ordinal, framesAtMs.subarray(frames, frames + count))
    frames += count
    const firstRow = pdqRow
    while ((pdqOwners[pdqRow] ?? Number.POSITIVE_INFINITY) <= ordinal - first + count) pdqRow++
    if (tiers[image] === TIERS['self-reported'] && bankNames[banks[image] ?? 0] === CASES_BANK_NAME)
      table.recent.note(ordinal, createdAtMs[image] ?? 0, pdqRow - firstRow)
  }
  for (const type of ROW_TYPES) {
    const { count, owners, views, hashes } = signals[type]
    if (count === 0) continue
    const ordinals = Uint32Array.from(owners, (owner) => first + owner)
    const numbers = type === 'detail' ? putPlaces(rows.places, ordinals, signals.detail, heads, first) : views
    rows.indexes[type].load({ images: ordinals, hashes, views: numbers })
  }
}

/** Stores the positions of details. @returns the number of each row within its image. */
function putPlaces(
  places: DetailPlaces,
  ordinals: Uint32Array,
  { views: placeCodes, qualities: poses }: SignalColumns,
  heads: SignalColumns,
  first: number,
): Uint8Array {
  const bytes = new DataView(heads.hashes.buffer, heads.hashes.byteOffset, heads.hashes.byteLength)
  for (const [i, owner] of heads.owners.entries()) {
    const subjectGroup = bytes.getUint32(i * HASH_BYTES)
    places.putHead(first + owner, heads.views[i] ?? 0, heads.qualities[i] ?? 0, subjectGroup)
  }
  const numbers = new Uint8Array(ordinals.length)
  for (const [i, ordinal] of ordinals.entries()) {
    const number = i > 0 && ordinals[i - 1] === ordinal ? (numbers[i - 1] ?? 0) + 1 : 0
    numbers[i] = number
    places.putRow(ordinal, number, placeCodes[i] ?? 0, poses[i] ?? 0)
  }
  return numbers
}
