// Matches, gathered in memory and handed on in batches: a match waits for no store. What is lost with a process that is killed is what it
// answered since the last batch: counts, and who was told. A batch that the store did not take is noted again with the next.

/** What an organisation was told of one image. */
export interface OrgHits {
  readonly hits: number
  /** How the uploads look that are no copies (`sketchOf`, `isCopy`): each once, at most `MAX_LOOKS`. */
  readonly looks: ReadonlySet<number>
}

/** Hits by organisation, by image. */
export type HitsOfImages = ReadonlyMap<string, ReadonlyMap<string, OrgHits>>
/** Images by context, by organisation. */
export type ContextsOfOrgs = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>

export interface MatchEventBatch {
  readonly hits: HitsOfImages
  readonly contexts: ContextsOfOrgs
}

/** An image that an upload was told to show. */
export interface MetImage {
  readonly imageId: string
  /** How the upload looks; `undefined` for a copy. */
  readonly look: number | undefined
}

export interface MatchEvents {
  /** Notes what an organisation was told about one picture. Waits for nothing. */
  note(orgId: string, met: readonly MetImage[], context: string | undefined): void
  /** Hands on what was noted so far. @returns when it was taken, or lost. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface MatchEventParts {
  /** @returns whether something of it, or of what came before, has to be tried once more: then it is called again, if with nothing new. */
  readonly keep: (batch: MatchEventBatch) => Promise<boolean>
  readonly intervalMs: number
  readonly onError: (error: unknown) => void
}

/** Of images and organisations, of these and looks, and of contexts and images, in a batch: then the next one begins. */
const MAX_PAIRS = 100_000
/** Batches in memory. What comes while the store takes none of them is not noted. */
const MAX_BATCHES = 10
/** Of an image and an organisation in a batch: as many as one call may ask about. */
const MAX_LOOKS = 1000

interface OrgNote {
  hits: number
  readonly looks: Set<number>
}

export function createMatchRecorder({ keep, intervalMs, onError }: MatchEventParts): MatchEvents {
  let hits = new Map<string, Map<string, OrgNote>>()
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
        onError(error)
      })
      .finally(() => {
        batches--
      })
    return last
  }
  /** Who was told has to hear of a withdrawal, so it is noted in the next batch; without hits, for they may be counted already. */
  const noteAgain = (lost: HitsOfImages) => {
    for (const [imageId, ofImage] of lost) {
      for (const orgId of ofImage.keys()) if (pairs < MAX_PAIRS) noteOf(imageId, orgId)
    }
  }
  /** What is noted of an image and an organisation, to be added to. */
  const noteOf = (imageId: string, orgId: string) =>
    innerOf(
      innerOf(hits, imageId, () => new Map<string, OrgNote>()),
      orgId,
      () => {
        pairs++
        return { hits: 0, looks: new Set<number>() }
      },
    )
  const timer = setInterval(flush, intervalMs).unref()

  return {
    note(orgId, met, context) {
      if (met.length === 0) return
      if (pairs >= MAX_PAIRS) {
        if (batches >= MAX_BATCHES) return
        void flush()
      }
      for (const { imageId, look } of met) {
        const noted = noteOf(imageId, orgId)
        noted.hits++
        if (look === undefined || noted.looks.size >= MAX_LOOKS) continue
        pairs -= noted.looks.size
        noted.looks.add(look)
        pairs += noted.looks.size
      }
      if (context === undefined) return
      const ofOrg = innerOf(contexts, orgId, () => new Map<string, Set<string>>())
      const images = innerOf(ofOrg, context, () => new Set<string>())
      pairs -= images.size
      for (const { imageId } of met) images.add(imageId)
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
