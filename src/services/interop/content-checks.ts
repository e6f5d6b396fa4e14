// Checks contents of one bank of an HMA, and removes those whose hash no longer matches here.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { inChunks } from '../../domain/in-chunks.js'
import type { ReconcileCursor } from '../../domain/organisations/reconciler.js'
import type { Became, Reconcilers as ReconcilerStore } from '../../store/exchange/reconcilers.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { Matcher } from '../matching/matcher.js'
import { type HmaBank, ReconcileError } from './hma-client.js'
import { withHoles } from './missing-ids.js'
import type { RunState } from './run-state.js'

export interface ContentChecks {
  /**
   * Checks contents, removes those whose hash matches nothing that the organisation may see, and saves the progress of the run.
   * @param isKnown the ids are known to come from here. Otherwise the run stops if too many have no match.
   * @param placeAfter the changed fields of the position, given the ids that do not exist.
   * @throws {ReconcileError} bank-content-foreign, or when the HMA fails more than `MAX_FAILED` times
   */
  check(
    orgId: string,
    ids: readonly number[],
    isKnown: boolean,
    placeAfter: (missing: readonly number[]) => Partial<ReconcileCursor>,
  ): Promise<void>
  /** Failures that did not stop the run, oldest first. */
  readonly failures: readonly ReconcileError[]
}

export interface ContentCheckParts {
  /** The name of the state in the store. */
  readonly name: string
  readonly bank: Pick<HmaBank, 'look' | 'remove'>
  readonly state: RunState
  readonly states: Pick<ReconcilerStore, 'known'>
  readonly matcher: Pick<Matcher, 'match'>
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly now: () => number
}

const ASKED_AT_ONCE = 8
/** Maximum failed contents in a run. With more, the HMA itself is at fault. */
const MAX_FAILED = 20
/** If more contents than this have no match here, and more than ever had one, something else fills the bank. Then the run stops. */
const MAX_UNKNOWN = 10

export function createContentChecks(parts: ContentCheckParts): ContentChecks {
  const { name, bank, state, states, now } = parts
  const failures: ReconcileError[] = []
  let unknown = 0

  /** Lets the run continue if the HMA fails for one content. The run reports the failure at its end. */
  async function orFailed<T>(work: Promise<T>): Promise<T | 'failed'> {
    try {
      return await work
    } catch (error) {
      const isOfOneContent = error instanceof ReconcileError && ['unreachable', 'response-invalid'].includes(error.failure)
      if (!isOfOneContent || failures.length >= MAX_FAILED) throw error
      failures.push(error)
      return 'failed'
    }
  }

  return {
    failures,
    async check(orgId, ids, isKnown, placeAfter) {
      const found = await mapAtOnce(ids, async (id) => ({ id, content: await orFailed(bank.look(id)) }))
      const ours = found.flatMap(({ id, content }) => (typeof content === 'object' ? [{ id, content }] : []))
      const images = await imagesOf(
        parts,
        orgId,
        ours.map(({ content }) => content.hash),
      )
      // Removes what matches nothing here, and marks: contents that a run added to learn the newest id, and could not remove.
      const gone = [
        ...ours.filter((_, i) => images[i]?.length === 0),
        ...found.flatMap(({ id, content }) => (content === 'mark' ? [{ id, content }] : [])),
      ]
      if (!isKnown) unknown += gone.length
      if (unknown > MAX_UNKNOWN && unknown > (await states.known(name)) + ours.length - gone.length)
        throw new ReconcileError('bank-content-foreign')
      const removals = await mapAtOnce(gone, async ({ id, content }) => ({
        id,
        outcome: await orFailed(bank.remove(id, content)),
      }))
      const failed = [
        ...found.flatMap(({ id, content }) => (content === 'failed' ? [id] : [])),
        ...removals.flatMap(({ id, outcome }) => (outcome === 'failed' ? [id] : [])),
      ]
      const became = ours.flatMap(({ id }, i) => (images[i] ?? []).map((imageId): Became => [imageId, id]))
      const missing = found.flatMap(({ id, content }) => (content === undefined ? [id] : []))
      const { checked, removed } = state.current.progress
      const place = placeAfter(missing)
      // A failed id is kept like a missing one: the next runs check it again, and so does the daily run over all contents.
      const holes = failed.reduce(
        (before, id) => withHoles(before, id, id, [id], now()),
        place.holes ?? state.current.place.holes,
      )
      const counts = {
        checked: checked + ids.length,
        removed: removed + removals.filter(({ outcome }) => outcome !== 'failed').length,
      }
      await state.note({ place: { ...place, holes }, progress: counts }, became)
    },
  }
}

/** Works on `ASKED_AT_ONCE` items at a time. @returns the results in order. @throws the first error */
async function mapAtOnce<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const done: B[] = []
  for (const some of inChunks(items, ASKED_AT_ONCE)) done.push(...(await Promise.all(some.map(work))))
  return done
}

/** For each hash, the ids of images that have exactly this hash and match now. Records no match, because no platform queried. */
async function imagesOf(
  { matcher, matchIds }: Pick<ContentCheckParts, 'matcher' | 'matchIds'>,
  orgId: string,
  hashes: readonly Hash256[],
): Promise<string[][]> {
  const pictures = hashes.map(
    (hash) => ({ signals: [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }] }) as const,
  )
  const results = await matcher.match(pictures, { orgId, banks: undefined, thresholdBits: 0, depth: 'hashes' })
  return results.map(({ matches }) => matches.flatMap(({ matchId }) => matchIds.imageOf(orgId, matchId) ?? []))
}
