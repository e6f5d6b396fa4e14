// Reads the feed of each API page by page, as a platform does, and knows what it holds of each hash.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Found } from './check.js'
import { type Scene, untilReady } from './scene.js'
import type { Api } from './steps.js'

type Line =
  | { readonly op: 'snapshot-begin' | 'snapshot-end' }
  | ({
      readonly op: 'upsert'
      readonly id: string
      readonly signals: readonly { type: string; view: string; hash: string }[]
    } & Omit<Found, 'matchId'>)
  | { readonly op: 'tombstone'; readonly id: string }
  | { readonly op: 'cursor'; readonly cursor: string; readonly more: boolean }

interface Follower {
  cursor: string | undefined
  readonly lines: Map<string, Extract<Line, { op: 'upsert' }>>
  readonly byHash: Map<string, Set<string>>
}

export type FeedFollowers = readonly [Follower, Follower]

export function newFollowers(): FeedFollowers {
  const follower = (): Follower => ({ cursor: undefined, lines: new Map(), byHash: new Map() })
  return [follower(), follower()]
}

/** Reads to the end. @returns what is held of each hash [hex]. */
export async function heldBy(
  followers: FeedFollowers,
  scene: Scene,
  at: Api,
): Promise<{ get(hash: string): Found[] | undefined }> {
  const follower = followers[at]
  for (let more = true; more; ) more = await readPage(follower, scene, at)
  return {
    get: (hash) =>
      [...(follower.byHash.get(hash) ?? [])].flatMap((id) => {
        const line = follower.lines.get(id)
        return line === undefined ? [] : [{ matchId: id, bank: line.bank, tier: line.tier, disputed: line.disputed }]
      }),
  }
}

async function readPage(follower: Follower, scene: Scene, at: Api): Promise<boolean> {
  const query = new URLSearchParams({ limit: '10000', ...(follower.cursor !== undefined && { after: follower.cursor }) })
  const answer = await scene.ask(at, { method: 'GET', path: `/v1/feed?${query}`, key: scene.keys.watcher })
  if (answer.status !== 200) {
    if (answer.status === 503 || answer.status === 0 || answer.status === 401) {
      await untilReady(scene, at)
      await sleep(10)
    } else if (answer.text.includes('cursor-unknown')) follower.cursor = undefined
    else scene.broken('answers', `the feed was answered with ${answer.status}: ${answer.text.slice(0, 160)}`)
    return true
  }
  let more = true
  for (const text of answer.text.split('\n')) {
    if (text === '') continue
    const line: Line = JSON.parse(text)
    if (line.op === 'snapshot-begin') for (const id of [...follower.lines.keys()]) forget(follower, id)
    if (line.op === 'tombstone') forget(follower, line.id)
    if (line.op === 'upsert') keep(follower, line)
    if (line.op === 'cursor') {
      follower.cursor = line.cursor
      more = line.more
    }
  }
  return more
}

function keep(follower: Follower, line: Extract<Line, { op: 'upsert' }>): void {
  forget(follower, line.id)
  follower.lines.set(line.id, line)
  for (const { type, view, hash } of line.signals) {
    if (type !== 'pdq' || view !== 'whole') continue
    const ids = follower.byHash.get(hash) ?? new Set()
    follower.byHash.set(hash, ids.add(line.id))
  }
}

function forget(follower: Follower, id: string): void {
  const known = follower.lines.get(id)
  if (known === undefined) return
  follower.lines.delete(id)
  for (const { hash } of known.signals) follower.byHash.get(hash)?.delete(id)
}
