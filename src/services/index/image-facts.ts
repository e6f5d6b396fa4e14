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
import { BY_HASHES } from '../../store/images/image-record.js'

export interface ImageFacts {
  readonly bank: string
  /** The registered tier, raised by the organisations that support the image. */
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** As `RegisteredFacts`, until an organisation supports the image. */
  readonly isByHashes?: true
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
    ...(tier === 'self-reported' && tierCodeIn(code) === TIER_BY_HASHES && { isByHashes: true }),
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

/** For each byte: does it encode the facts of an image? */
export const isFacts: readonly boolean[] = Array.from(
  { length: FACT_CODES },
  (_, code) => factsIn(code, 0, '') !== undefined,
)
