// Everything a match needs, in this process's memory: images, banks, API keys. What the store says, at one revision.

import { type Bank, CASES_BANK } from '../domain/bank.js'
import type { Category, RegisteredImage, Tier, View } from '../domain/signal.js'
import { nameOfCode, VIEW_NAMES, VIEWS } from '../domain/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../domain/signal-types.js'
import type { Hash256 } from '../hash/hash256.js'
import { SignalIndex } from '../search/signal-index.js'
import type { ApiKey } from '../store/api-keys.js'

/** What a match says about an image; its hashes stay behind. */
export interface CatalogueImage {
  readonly id: string
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  /** Hashes that can confirm a match which another type found; views of a picture have none. */
  readonly corroborating: Partial<Readonly<Record<SignalType, Hash256>>>
}

export class Catalogue {
  readonly banks = new Map<string, Bank>([[CASES_BANK.name, CASES_BANK]])
  readonly apiKeys = new Map<string, ApiKey>()
  readonly #indexes: Readonly<Record<SignalType, SignalIndex>> = {
    pdq: new SignalIndex(),
    blockhash: new SignalIndex(),
    sha256: new SignalIndex(),
  }

  // Invariant: #ordinals has exactly the live images, and an ordinal is never given twice, so a row whose image is gone
  // cannot be taken for another's.
  readonly #ordinals = new Map<string, number>()
  readonly #images = new Map<number, CatalogueImage>()
  #nextOrdinal = 0

  /** Adds or replaces an image. */
  put(id: string, image: RegisteredImage): void {
    this.remove(id)
    const ordinal = this.#nextOrdinal++
    this.#ordinals.set(id, ordinal)
    this.#images.set(ordinal, describe(id, image))
    for (const { type, view, hash } of image.signals) this.#indexes[type].insert(ordinal, VIEWS[view], hash)
  }

  /** From here on no search finds it. Unknown ids change nothing. */
  remove(id: string): void {
    const ordinal = this.#ordinals.get(id)
    if (ordinal === undefined) return
    this.#ordinals.delete(id)
    this.#images.delete(ordinal)
    for (const type of SIGNAL_TYPE_NAMES) this.#indexes[type].remove(ordinal)
  }

  /**
   * Forgets the bits of removed images, a piece at a time; for when there is nothing else to do.
   * Cost: a few ms at most.
   */
  tidy(): void {
    for (const type of SIGNAL_TYPE_NAMES) this.#indexes[type].compact(TIDY_ROWS)
  }

  index(type: SignalType): SignalIndex {
    return this.#indexes[type]
  }

  /** The image behind a row; `undefined` when it was removed since the search. */
  image(ordinal: number): CatalogueImage | undefined {
    return this.#images.get(ordinal)
  }

  get images(): number {
    return this.#images.size
  }
}

const TIDY_ROWS = 50_000

/** The name of a row's view. */
export function viewOf(code: number): View {
  const view = nameOfCode(VIEW_NAMES, VIEWS, code)
  if (view === undefined) throw new RangeError('an index holds only views that were put into it')
  return view
}

function describe(id: string, { bank, tier, category, signals }: RegisteredImage): CatalogueImage {
  const corroborating: Partial<Record<SignalType, Hash256>> = {}
  for (const { type, view, hash } of signals) if (view === 'whole') corroborating[type] = hash
  return { id, bank, tier, category, corroborating }
}
