// What clients of StopNCII's interface fetch, hand in and report.

import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { Caller } from '../../domain/organisations/access.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import type { FeedLine, FeedSignal, PlainHash } from '../../domain/organisations/feed.js'
import { Problem } from '../../domain/problem.js'
import type { FetchCursors } from '../../store/exchange/fetch-cursors.js'
import type { Banks } from '../banks/banks.js'
import type { Feed } from '../feed/feed.js'
import type { FeedCursors } from '../feed/feed-cursor.js'
import type { Registration } from '../intake/registration.js'
import type { Matcher } from '../matching/matcher.js'
import type { Feedback, TrustService } from '../trust/trust.js'
import type { FetchedHashes } from './fetched-hashes.js'

export interface FetchedPage {
  readonly signals: readonly FeedSignal[]
  /** Hashes that this key fetched, and that no longer belong to any registered image that it may see. */
  readonly withdrawn: readonly PlainHash[]
  /** [Unix seconds] Never earlier than the requested time, or than a time that this key was given before. */
  readonly timeS: number
  readonly token: string
  readonly more: boolean
}

export interface StopNcii {
  /**
   * @param sinceS [Unix seconds] a time that this key was given before. For any other time everything is sent, because the time does not show what
   *   the client has.
   * @param token from the previous page, to continue at once.
   * @throws {Problem} cursor-unknown, index-loading, store-unavailable
   */
  page(
    caller: Caller,
    ask: { readonly sinceS: number; readonly token: string | undefined; readonly limit: number },
  ): Promise<FetchedPage>
  /**
   * Registers hashes in a bank that the organisation has for this purpose. They match when it resolves.
   * @returns for each hash whether it was accepted; false for an invalidated signal. @throws {Problem} account-suspended, quota-exceeded
   */
  submit(caller: Caller, hashes: readonly PlainHash[]): Promise<boolean[]>
  /** Records feedback about every signal with exactly this hash. @returns whether there is such a signal. @throws {Problem} */
  feedback(caller: Caller, hash: PlainHash, feedback: Feedback): Promise<boolean>
  /**
   * Removes a hash that the organisation registered with `submit`; also a held one, because it would match again once released.
   * @returns whether it was registered.
   */
  takeBack(caller: Caller, hash: PlainHash): Promise<boolean>
}

export interface StopNciiParts {
  readonly feed: Feed
  readonly places: FetchCursors
  readonly cursors: FeedCursors
  readonly fetched: FetchedHashes
  readonly banks: Banks
  readonly registration: Registration
  readonly matcher: Matcher
  readonly trust: Pick<TrustService, 'feedback'>
  readonly now: () => number
}

const EVERYTHING = { banks: undefined, categories: undefined, tiers: undefined }
const NEVER = new AbortController().signal

export function createStopNcii(parts: StopNciiParts): StopNcii {
  const { feed, places, cursors, fetched, banks, registration, matcher, trust, now } = parts

  async function ownBank(caller: Caller): Promise<Bank> {
    const name = ownBankName(caller)
    try {
      return await banks.writable(caller, name)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'bank-unknown') throw error
    }
    try {
      return await banks.create(caller, { name, purpose: 'match', thresholdBits: {} }, undefined)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'bank-exists') throw error
      return await banks.writable(caller, name) // another request created it first
    }
  }

  async function exactly({ orgId }: Caller, { type, hash }: PlainHash) {
    const picture = { signals: [{ type, view: 'whole', quality: 100, hashes: [hash] }] } as const
    const [result] = await matcher.match([picture], { orgId, banks: undefined, thresholdBits: 0 })
    return result?.matches ?? []
  }

  return {
    async page({ orgId, keyId }, { sinceS, token, limit }) {
      const reader = { orgId, keyId, filter: EVERYTHING, allViews: false, use: 'stopncii' } as const
      const place = token === undefined ? await places.at(keyId, sinceS) : cursors.read(reader, token)
      const after = token ?? (place && cursors.write(reader, place))
      const signals: FeedSignal[] = []
      const tombstones: string[] = []
      let end: Extract<FeedLine, { op: 'cursor' }> | undefined
      for await (const line of feed.page(reader, { after, limit, waitMs: 0, signal: NEVER })) {
        if (line.op === 'upsert') signals.push(line)
        if (line.op === 'tombstone') tombstones.push(line.id)
        if (line.op === 'cursor') end = line
      }
      const reached = end && cursors.read(reader, end.cursor)
      if (end === undefined || reached === undefined) throw new Error('a page of the feed ends with a cursor')
      const page = await fetched.pageFor({ orgId, keyId }, { signals, tombstones }, { after: place?.withdrawn ?? 0, limit })
      const next = { ...reached, withdrawn: page.place }
      const timeS = await places.keep(keyId, Math.max(sinceS, Math.floor(now() / 1000)), next)
      return {
        signals: page.signals,
        withdrawn: page.withdrawn,
        timeS,
        token: cursors.write(reader, next),
        more: end.more || page.more,
      }
    },

    async submit(caller, hashes) {
      if (hashes.length === 0) return []
      const bank = await ownBank(caller)
      const { ids, revision } = await registration.forBank(bank, hashes.map(submitted))
      await registration.matchable(revision)
      return ids.map((id) => id !== undefined)
    },

    async feedback(caller, hash, said) {
      const matches = await exactly(caller, hash)
      for (const { matchId } of matches) await trust.feedback(caller, matchId, said)
      return matches.length > 0
    },

    async takeBack(caller, hash) {
      try {
        const bank = await banks.writable(caller, ownBankName(caller))
        const signalId = registration.signalIdFor(bank, submitted(hash))
        await registration.removeFromBank(bank, signalId, `key:${caller.keyId}`)
        return true
      } catch (error) {
        if (error instanceof Problem && (error.code === 'bank-unknown' || error.code === 'signal-unknown')) return false
        throw error
      }
    },
  }
}

/** Deterministic, so that `takeBack` finds the signal that `submit` registered. */
function submitted(hash: PlainHash): NewSignal {
  return { signal: { ...hash, view: 'whole', quality: 100 }, ref: undefined, category: undefined }
}

function ownBankName({ orgId }: Caller): string {
  return `stopncii-${orgId}`
}
