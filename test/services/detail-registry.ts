// A registry of pictures by name, and pictures to search for in it.

import { createHash } from 'node:crypto'
import { formatUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import { detailsWith } from '../../packages/hash/src/details/details.js'
import type { AskedView } from '../../packages/hash/src/details/features.js'
import type { Points } from '../../packages/hash/src/details/rows.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createBitPermutation } from '../../src/services/matching/details/bit-permutation.js'
import { type CommonRows, createCommonRows } from '../../src/services/matching/details/common-rows.js'
import { createDetailFinder } from '../../src/services/matching/details/detail-finder.js'
import { chosenRows } from '../../src/services/matching/details/detail-rows.js'
import { shaded } from '../hash/patterns.js'

export const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
export const permutation = createBitPermutation(Buffer.alloc(32, 5))
export const common = createCommonRows(permutation)
export const [MIRRORED] = transforms.filter(({ name }) => name === 'flipY')

export const looked = new Map<Pixels, ReturnType<typeof details.register>>()
export function look(pixels: Pixels) {
  const found = looked.get(pixels) ?? details.register(pixels)
  looked.set(pixels, found)
  return found
}

export type Permuted = ReturnType<typeof permutation.details>

export function subjectGroupNumber(subjectGroup: string): number {
  return createHash('sha256').update(subjectGroup).digest().readUInt32BE()
}

/** A registry of pictures by name; each is its own subject group unless stated otherwise. */
export function registry(known: CommonRows = common) {
  const catalogue = new Catalogue()
  const kept = new Map<string, Points>()
  let read = 0
  const points = async (ids: readonly string[]) => {
    read += ids.length
    return ids.map((id) => kept.get(id))
  }
  const finder = createDetailFinder({ images: { points }, permutation, common: known })
  /** As given, without choosing rows. */
  function put(
    name: string,
    { ranked, points }: Permuted,
    { subjectGroup = name, bank = CASES_BANK_NAME, rows = ranked.rows, tier = 'verified' as Tier } = {},
  ) {
    const image = { bank, tier, category: undefined, ref: undefined, createdAtMs: 1, signals: [] } as const
    const details = { ...ranked, rows: rows.slice(0, 16), subjectGroup: subjectGroupNumber(subjectGroup) }
    catalogue.put(idOf(name), { ...image, details })
    kept.set(idOf(name), points)
  }
  async function findIn(views: readonly AskedView[], { mirrors = true } = {}) {
    const role = (ordinal: number) => {
      const bank = catalogue.image(ordinal)?.bank
      return bank === HARMLESS_BANK_NAME ? 'harmless' : bank === CASES_BANK_NAME ? 'wanted' : undefined
    }
    return finder.find(views, { searcher: catalogue.searcher(), mirrors, role, yieldIfNeeded: () => undefined })
  }
  return {
    catalogue,
    forget: (name: string) => kept.delete(idOf(name)),
    get read() {
      return read
    },
    add(
      name: string,
      pixels: Pixels,
      { subjectGroup = name, bank = CASES_BANK_NAME, most = 16, tier = 'verified' as Tier } = {},
    ) {
      const { ranked, points } = permutation.details(look(pixels))
      const choosing = chosenRows({ searcher: catalogue.searcher(), common }, ranked, subjectGroupNumber(subjectGroup))
      let step = choosing.next()
      while (step.done !== true) step = choosing.next()
      put(name, { ranked, points }, { subjectGroup, bank, tier, rows: step.value.rows.slice(0, most) })
      return step.value.rows.length
    },
    put,
    find: (pixels: Pixels, options?: { readonly mirrors: boolean }) => findIn(details.ask(pixels), options),
    findIn,
  }
}

export function idOf(name: string): string {
  return formatUuid(createHash('sha256').update(name).digest().subarray(0, 16))
}

export function onPage(inner: Pixels, width: number, height: number, left: number, top: number, outer?: Pixels): Pixels {
  const around = (x: number, y: number) => (outer === undefined ? [238, 238, 238] : (at(outer, x, y) ?? [0, 0, 0]))
  return shaded(width, height, (x, y) => at(inner, x - left, y - top) ?? around(x, y))
}

export function at({ data, width, height, channels }: Pixels, x: number, y: number): number[] | undefined {
  if (x < 0 || y < 0 || x >= width || y >= height) return undefined
  return Array.from(data.subarray((y * width + x) * channels, (y * width + x) * channels + 3))
}
