// Matches, gathered in memory and handed on in batches: a match waits for no store. What is lost with a process that is killed is what it
// answered since the last batch: counts, and who was told. A batch that the store did not take is noted again with the next.

/** Hits by organisation, by image. */
export type HitsOfImages = ReadonlyMap<string, ReadonlyMap<string, number>>
/** Images by context, by organisation. */
export type ContextsOfOrgs = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>

export interface SightingBatch {
  readonly hits: HitsOfImages
  readonly contexts: ContextsOfOrgs
}

export interface Sightings {
  /** Notes what an organisation was told about one picture. Waits for nothing. */
  note(orgId: string, imageIds: readonly string[], context: string | undefined): void
  /** Hands on what was noted so far. @returns when it was taken, or lost. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface SightingParts {
  /** @returns whether something of it, or of what came before, has to be tried once more: then it is called again, if with nothing new. */
  readonly keep: (batch: SightingBatch) => Promise<boolean>
  readonly everyMs: number
  readonly onTrouble: (error: unknown) => void
}

/** Of images and organisations, and of contexts and images, in a batch: then the next one begins. */
const MOST_PAIRS = 100_000
/** Batches in memory. What comes while the store takes none of them is not noted. */
const MOST_BATCHES = 10

export function sightingsKeptBy({ keep, everyMs, onTrouble }: SightingParts): Sightings {
  let hits = new Map<string, Map<string, number>>()
  let contexts = new Map<string, Map<string, Set<string>>>()
  let pairs = 0
  let last: Promise<void> = Promise.resolve()
  let batches = 0
  let isUnfinished = false

  const flush = () => {
    if (pairs === 0 && !isUnfinished) return last
    const batch = { hits, contexts }
    hits = new Map()
    contexts = new Map()
    pairs = 0
    batches++
    last = last
      .then(async () => {
        isUnfinished = await keep(batch)
      })
      .catch((error: unknown) => {
        noteAgain(batch.hits)
        onTrouble(error)
      })
      .finally(() => {
        batches--
      })
    return last
  }
  /** Who was told has to hear of a withdrawal, so it is noted in the next batch; without hits, for they may be counted already. */
  const noteAgain = (lost: HitsOfImages) => {
    for (const [imageId, ofImage] of lost) {
      for (const orgId of ofImage.keys()) if (pairs < MOST_PAIRS) add(imageId, orgId, 0)
    }
  }
  const add = (imageId: string, orgId: string, count: number) => {
    const ofImage = innerOf(hits, imageId, () => new Map<string, number>())
    const before = ofImage.get(orgId)
    if (before === undefined) pairs++
    ofImage.set(orgId, (before ?? 0) + count)
  }
  const timer = setInterval(flush, everyMs).unref()

  return {
    note(orgId, imageIds, context) {
      if (imageIds.length === 0) return
      if (pairs >= MOST_PAIRS) {
        if (batches >= MOST_BATCHES) return
        void flush()
      }
      for (const imageId of imageIds) add(imageId, orgId, 1)
      if (context === undefined) return
      const ofOrg = innerOf(contexts, orgId, () => new Map<string, Set<string>>())
      const images = innerOf(ofOrg, context, () => new Set<string>())
      pairs -= images.size
      for (const imageId of imageIds) images.add(imageId)
      pairs += images.size
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

function innerOf<Key, Inner>(map: Map<Key, Inner>, key: Key, make: () => Inner): Inner {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
