// Matches, gathered in memory and handed on in batches: a match waits for no store. What is lost with a process are counts, no answers.

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

/** Of images and organisations, and of contexts and images: what comes beyond it before the next batch is not counted. */
const MOST_PAIRS = 100_000

export function sightingsKeptBy({ keep, everyMs, onTrouble }: SightingParts): Sightings {
  let hits = new Map<string, Map<string, number>>()
  let contexts = new Map<string, Map<string, Set<string>>>()
  let pairs = 0
  let last: Promise<void> = Promise.resolve()
  let isUnfinished = false

  const flush = () => {
    if (pairs === 0 && !isUnfinished) return last
    const batch = { hits, contexts }
    hits = new Map()
    contexts = new Map()
    pairs = 0
    last = last
      .then(async () => {
        isUnfinished = await keep(batch)
      })
      .catch(onTrouble)
    return last
  }
  const timer = setInterval(flush, everyMs).unref()

  return {
    note(orgId, imageIds, context) {
      if (imageIds.length === 0 || pairs >= MOST_PAIRS) return
      for (const imageId of imageIds) {
        const ofImage = innerOf(hits, imageId, () => new Map<string, number>())
        const before = ofImage.get(orgId)
        if (before === undefined) pairs++
        ofImage.set(orgId, (before ?? 0) + 1)
      }
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
