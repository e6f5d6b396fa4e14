// Records matches in memory and stores them in batches, so that a match does not wait for the store. A killed process loses the
// counts and recipients since its last batch. The recipients of a batch that the store rejected are recorded again with the
// next batch.

/** Matches of one image that one organisation received. */
export interface OrgHits {
  readonly hits: number
  /** Looks of uploads that the flood guard counts (`lookOf`, `SeenMatches`), each once, with the view if a single one decided; at most `MAX_LOOKS`. */
  readonly looks: ReadonlyMap<number, number | undefined>
}

/** Hits by organisation, by image. */
export type HitsOfImages = ReadonlyMap<string, ReadonlyMap<string, OrgHits>>
/** Images by context, by organisation. */
export type ContextsOfOrgs = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>

export interface MatchEventBatch {
  readonly hits: HitsOfImages
  readonly contexts: ContextsOfOrgs
}

/** An image that an upload matched. */
export interface MatchedImage {
  readonly imageId: string
  /** As `lookOf`; `undefined` for an upload that the flood guard does not count. */
  readonly look: number | undefined
  /** The one view that decided (`flood.ts`); `undefined` if several did, or the whole. */
  readonly view?: number | undefined
}

export interface MatchEvents {
  /** Records the matches of one picture that an organisation received. Does not wait. */
  note(orgId: string, matched: readonly MatchedImage[], context: string | undefined): void
  /** Sends the current batch. @returns once it and all earlier batches are stored, or failed. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface MatchEventParts {
  /**
   * Stores a batch. @returns true when part of it or of an earlier batch has to be retried: `sink` is then called again,
   * possibly with an empty batch.
   */
  readonly sink: (batch: MatchEventBatch) => Promise<boolean>
  readonly intervalMs: number
  readonly onError: (error: unknown) => void
}

/**
 * Maximum pairs in a batch: of image and organisation, of these with looks, and of context and image. Then the next batch
 * begins.
 */
const MAX_PAIRS = 100_000
/** Maximum batches that wait to be stored. While there are as many and the current batch is full, matches are not recorded. */
const MAX_BATCHES = 10
/** Maximum looks for an image and an organisation in a batch: as many as a call may have queries. */
const MAX_LOOKS = 1000

interface OrgNote {
  hits: number
  readonly looks: Map<number, number | undefined>
}

export function createMatchRecorder({ sink, intervalMs, onError }: MatchEventParts): MatchEvents {
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
        isUnfinished = await sink(batch)
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
  /**
   * Recipients must be notified of a withdrawal, so they are recorded again in the next batch, but without hits, which the store
   * may already have counted.
   */
  const noteAgain = (lost: HitsOfImages) => {
    for (const [imageId, ofImage] of lost) {
      for (const orgId of ofImage.keys()) if (pairs < MAX_PAIRS) noteOf(imageId, orgId)
    }
  }
  /** The record of an image and an organisation in the current batch; created if it is new. */
  const noteOf = (imageId: string, orgId: string) =>
    innerOf(
      innerOf(hits, imageId, () => new Map<string, OrgNote>()),
      orgId,
      () => {
        pairs++
        return { hits: 0, looks: new Map<number, number | undefined>() }
      },
    )
  const timer = setInterval(flush, intervalMs).unref()

  return {
    note(orgId, matched, context) {
      if (matched.length === 0) return
      if (pairs >= MAX_PAIRS) {
        if (batches >= MAX_BATCHES) return
        void flush()
      }
      for (const { imageId, look, view } of matched) {
        const noted = noteOf(imageId, orgId)
        noted.hits++
        if (look === undefined || noted.looks.size >= MAX_LOOKS) continue
        pairs -= noted.looks.size
        if (!noted.looks.has(look)) noted.looks.set(look, view)
        pairs += noted.looks.size
      }
      if (context === undefined) return
      const ofOrg = innerOf(contexts, orgId, () => new Map<string, Set<string>>())
      const images = innerOf(ofOrg, context, () => new Set<string>())
      pairs -= images.size
      for (const { imageId } of matched) images.add(imageId)
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
