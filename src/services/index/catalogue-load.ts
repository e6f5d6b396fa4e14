// Fills a catalogue from the packed columns of a reader, without one object per image.

import { HASH_BYTES } from '../../../packages/hash/src/hash256.js'
import { ROW_TYPES } from '../../domain/matching/signal-types.js'
import type { ImageColumns, SignalColumns } from '../../store/images/reader/columns.js'
import type { CatalogueParts } from './catalogue-dump.js'
import type { DetailPlaces } from './detail-places.js'

/**
 * Adds many images at once. None may be in the catalogue: checking each would double the time. Until `Catalogue.tidy` has
 * nothing left to do, every search scans all their rows.
 */
export function loadColumns({ images: table, places, indexes }: CatalogueParts, columns: ImageColumns): void {
  const { images, ids, tiers, categories, banks, bankNames, signals, heads } = columns
  const bankNumbers = bankNames.map((name) => table.bankNumber(name))
  const ordinals = new Uint32Array(images)
  for (let image = 0; image < images; image++) {
    const id = ids.subarray(16 * image, 16 * image + 16)
    const bank = bankNumbers[banks[image] ?? 0] ?? 0
    ordinals[image] = table.addCoded(id, bank, tiers[image] ?? 0, categories[image] ?? 0)
  }
  for (const type of ROW_TYPES) {
    const { count, images: imagesOf, views, hashes } = signals[type]
    if (count === 0) continue
    const owners = Uint32Array.from(imagesOf, (image) => ordinals[image] ?? 0)
    const numbers = type === 'detail' ? putPlaces(places, owners, signals.detail, heads, ordinals) : views
    indexes[type].load({ images: owners, hashes, views: numbers })
  }
}

/** Stores the positions of details. @returns the number of each row within its image. */
function putPlaces(
  places: DetailPlaces,
  owners: Uint32Array,
  { views: placeCodes, qualities: poses }: SignalColumns,
  heads: SignalColumns,
  ordinals: Uint32Array,
): Uint8Array {
  const bytes = new DataView(heads.hashes.buffer, heads.hashes.byteOffset, heads.hashes.byteLength)
  for (const [i, image] of heads.images.entries()) {
    const subjectGroup = bytes.getUint32(i * HASH_BYTES)
    places.putHead(ordinals[image] ?? 0, heads.views[i] ?? 0, heads.qualities[i] ?? 0, subjectGroup)
  }
  const numbers = new Uint8Array(owners.length)
  for (const [i, owner] of owners.entries()) {
    const number = i > 0 && owners[i - 1] === owner ? (numbers[i - 1] ?? 0) + 1 : 0
    numbers[i] = number
    places.putRow(owner, number, placeCodes[i] ?? 0, poses[i] ?? 0)
  }
  return numbers
}
