// The facts that a match reports about an image, packed into two bytes: those registered with it, and its support since.

import {
  CATEGORIES,
  CATEGORY_NAMES,
  type Category,
  nameOfCode,
  TIER_NAMES,
  TIERS,
  type Tier,
} from '../../domain/matching/signal.js'
import { tierWith } from '../../domain/trust/tier.js'

export interface ImageFacts {
  readonly bank: string
  /** The registered tier, raised by the organisations that support the image. */
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
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
const CATEGORY_CODES = 15
/** The number of values of a byte of facts. */
export const FACT_CODES = 256

/** The facts [byte] of an undisputed image. */
export function codeOfFacts(tier: Tier, category: Category | undefined): number {
  return codeOf(TIERS[tier], category === undefined ? 0 : CATEGORIES[category])
}

/** As `codeOfFacts`, from the codes of a stored record: tier 1…7, category 0…15. */
export function codeOf(tierCode: number, categoryCode: number): number {
  return tierCode * 16 + categoryCode
}

/** @param support as `encodeSupport` writes it. @returns `undefined` for a code of no known tier, or without a bank. */
export function factsIn(code: number, support: number, bank: string | undefined): ImageFacts | undefined {
  const registered = nameOfCode(TIER_NAMES, TIERS, (code >>> 4) & TIER_CODES)
  if (registered === undefined || bank === undefined) return undefined
  const tier = support === 0 ? registered : tierWith(registered, support)
  return {
    bank,
    tier,
    category: nameOfCode(CATEGORY_NAMES, CATEGORIES, code & CATEGORY_CODES),
    disputed: (code & DISPUTED) !== 0,
  }
}

/** The code of the facts with the tier that `support` raises it to. */
export function withSupport(code: number, support: number): number {
  const registered = support === 0 ? undefined : nameOfCode(TIER_NAMES, TIERS, (code >>> 4) & TIER_CODES)
  if (registered === undefined) return code
  return (code & ~(TIER_CODES << 4)) | (TIERS[tierWith(registered, support)] << 4)
}

/** For each byte: does it encode the facts of an image? */
export const isFacts: readonly boolean[] = Array.from(
  { length: FACT_CODES },
  (_, code) => factsIn(code, 0, '') !== undefined,
)
