// The facts that a match reports about an image, packed into two bytes: those registered with it, and its support since.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import {
  CATEGORIES,
  CATEGORY_NAMES,
  type Category,
  nameOfCode,
  type RegisteredImage,
  TIER_NAMES,
  TIERS,
  type Tier,
} from '../../../packages/core/src/matching/signal.js'
import { isVouched, tierWith } from '../../domain/trust/tier.js'
import { BY_HASHES } from '../../store/images/image-record.js'

export interface ImageFacts {
  readonly bank: string
  /** The registered tier, raised by the organisations that support the image. */
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** As `RegisteredFacts`, until an organisation supports the image. */
  readonly isByHashes?: true
  /** As `isByHashes`, until an NGO or the operator vouches for the image: platforms confirm only the hash that they saw, and it may have others. */
  readonly isUnvouched?: true
  /** Set if it does not count in the size of the registry yet (`RecentImages`). */
  readonly isRecent?: true
}

/** The facts that a match reports about an image. It has no hashes. */
export interface CatalogueImage extends ImageFacts {
  readonly id: string
}

/** The number of images with the same facts. */
export interface OwnerCount extends ImageFacts {
  readonly images: number
}

/** A byte of facts: DISPUTED or 0, plus 16 × the registered tier, plus the category; 0 where there is no image. */
export const DISPUTED = 128
const TIER_CODES = 7
/** Stands for the tier `self-reported` of an image with `isByHashes`. */
const TIER_BY_HASHES = 7
const CATEGORY_CODES = 15
/** The number of values of a byte of facts. */
export const FACT_CODES = 256

/** The facts [byte] of an undisputed image. */
export function codeOfFacts({ tier, category, isByHashes }: Pick<ImageFacts, 'tier' | 'category' | 'isByHashes'>): number {
  return codeOf(TIERS[tier], (category === undefined ? 0 : CATEGORIES[category]) | (isByHashes ? BY_HASHES : 0))
}

/** As `codeOfFacts`, from the codes of a stored record: tier 1…4, category 0…15 with `BY_HASHES`. */
export function codeOf(tierCode: number, categoryCode: number): number {
  const isByHashes = (categoryCode & BY_HASHES) !== 0 && tierCode === TIERS['self-reported']
  return (isByHashes ? TIER_BY_HASHES : tierCode) * 16 + (categoryCode & CATEGORY_CODES)
}

/** @param support as `encodeSupport` writes it. @returns `undefined` for a code of no known tier, or without a bank. */
export function factsIn(code: number, support: number, bank: string | undefined): ImageFacts | undefined {
  const registered = registeredTierIn(code)
  if (registered === undefined || bank === undefined) return undefined
  const tier = support === 0 ? registered : tierWith(registered, support)
  return {
    bank,
    tier,
    category: nameOfCode(CATEGORY_NAMES, CATEGORIES, code & CATEGORY_CODES),
    disputed: (code & DISPUTED) !== 0,
    ...(tierCodeIn(code) === TIER_BY_HASHES && {
      ...(tier === 'self-reported' && { isByHashes: true as const }),
      ...(!isVouched(support) && { isUnvouched: true as const }),
    }),
  }
}

/** The code of the facts with the tier that `support` raises it to, without `isByHashes`. */
export function withSupport(code: number, support: number): number {
  const registered = registeredTierIn(code)
  if (registered === undefined) return code
  return (code & ~(TIER_CODES << 4)) | (TIERS[support === 0 ? registered : tierWith(registered, support)] << 4)
}

function registeredTierIn(code: number): Tier | undefined {
  const tierCode = tierCodeIn(code)
  return tierCode === TIER_BY_HASHES ? 'self-reported' : nameOfCode(TIER_NAMES, TIERS, tierCode)
}

function tierCodeIn(code: number): number {
  return (code >>> 4) & TIER_CODES
}

/** How many pictures an upload is compared with, as `comparedImages` takes them. */
export interface RegistrySize {
  readonly images: number
  readonly pdqRows: number
}

export const RECENT_MS = 86_400_000
/** How often images are looked for that are recent no more. */
const SETTLE_EVERY_MS = 600_000

/**
 * Images of cases that nobody attests, for a day. One case can have 50,000 rows, so they do not count in the size by which others are graded.
 * By ordinal. Cost: some 100 bytes each, and 50 ns each in `SETTLE_EVERY_MS`.
 */
export class RecentImages {
  readonly #now: () => number
  readonly #registered = new Map<number, { readonly createdAtMs: number; readonly pdqRows: number }>()
  #pdqRows = 0
  #settledAtMs = Number.NEGATIVE_INFINITY

  /** @param timeOfDay [ms] When left out, no image is recent. */
  constructor(timeOfDay = () => Number.POSITIVE_INFINITY) {
    this.#now = timeOfDay
  }

  get size(): RegistrySize {
    this.#settle()
    return { images: this.#registered.size, pdqRows: this.#pdqRows }
  }

  has(ordinal: number): boolean {
    return this.#registered.size > 0 && this.#registered.has(ordinal)
  }

  /** Notes the image if it is of a case and nobody attests it. */
  put(ordinal: number, { bank, tier, createdAtMs, signals }: RegisteredImage): void {
    if (bank === CASES_BANK_NAME && tier === 'self-reported')
      this.note(ordinal, createdAtMs, signals.filter(({ type }) => type === 'pdq').length)
  }

  note(ordinal: number, createdAtMs: number, pdqRows: number): void {
    if (!this.#isRecent(createdAtMs, this.#now())) return
    this.#registered.set(ordinal, { createdAtMs, pdqRows })
    this.#pdqRows += pdqRows
  }

  remove(ordinal: number): void {
    this.#pdqRows -= this.#registered.get(ordinal)?.pdqRows ?? 0
    this.#registered.delete(ordinal)
  }

  /** Of the ordinals `from` to `to` − 1: for each its distance from `from`, when it was registered, and its rows. */
  dump(from: number, to: number): Float64Array {
    const numbers: number[] = []
    for (const [ordinal, { createdAtMs, pdqRows }] of this.#registered)
      if (ordinal >= from && ordinal < to) numbers.push(ordinal - from, createdAtMs, pdqRows)
    return Float64Array.from(numbers)
  }

  /** @param isThere whether the ordinal, counted from `first`, has an image. @throws {RangeError} if the numbers are not of `dump`. */
  restore(numbers: Float64Array, first: number, isThere: (at: number) => boolean): void {
    for (let i = 0; i < numbers.length; i += 3) {
      const [at = -1, createdAtMs, pdqRows] = numbers.subarray(i, i + 3)
      if (createdAtMs === undefined || pdqRows === undefined || !isThere(at)) throw new RangeError('no recent image')
      this.note(first + at, createdAtMs, pdqRows)
    }
  }

  /** What a wrong clock registered in the future is not recent. */
  #isRecent(createdAtMs: number, now: number): boolean {
    return Math.abs(now - createdAtMs) < RECENT_MS
  }

  #settle(): void {
    const now = this.#now()
    if (Math.abs(now - this.#settledAtMs) < SETTLE_EVERY_MS) return
    this.#settledAtMs = now
    for (const [ordinal, { createdAtMs }] of this.#registered) if (!this.#isRecent(createdAtMs, now)) this.remove(ordinal)
  }
}

/** For each byte: does it encode the facts of an image? */
export const isFacts: readonly boolean[] = Array.from(
  { length: FACT_CODES },
  (_, code) => factsIn(code, 0, '') !== undefined,
)
