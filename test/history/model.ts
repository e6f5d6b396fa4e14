// What the service has promised so far, and what it must, may and must not answer because of it. Pure: no time, no I/O.
//
// An acknowledged write is certain. One that was refused with 503, or not answered, leaves its subject unsure: it may have
// happened or not, and may even be lost later with a master. Only the next certain write about the same subject makes it sure
// again.

import type { Tier } from '../../packages/core/src/matching/signal.js'

type Presence = 'there' | 'gone' | 'unsure'
type Dispute = 'none' | 'open' | 'upheld' | 'rejected'

/** One hash in one place: a case or a bank. */
export interface Thing {
  readonly home: string
  readonly hash: string
  presence: Presence
  /** It was withdrawn after the backup that was restored, and the restore reported that it knows all withdrawals. */
  isGoneByRestore: boolean
  /** As registered last, and the highest tier it was registered with: a lower one later may or may not count. */
  registered: Tier
  best: Tier
  attested: boolean
  verified: boolean
  /** Until when [s of the episode's clock] its owner pauses it; 0 for an indefinite pause. */
  pausedUntilS: number | undefined
  /** By an operator, or because of a flood. */
  isHeld: boolean
  /** Each hold alone would be kept, but two together are a separate promise. */
  hadBothHolds: boolean
  /** Whether it was ever held or paused: then its matching is a promise about its release. */
  wasSilent: boolean
  dispute: Dispute
  isHarmless: boolean
  /** An act about it may have been accepted or not. */
  isTrustUnsure: boolean
}

export type Matching = 'must' | 'never' | 'either'

/** Why a hash must not match: by which promise. */
export type Why = 'withdrawn' | 'held' | 'paused' | 'rejected' | 'two-holds' | 'known to be withdrawn'

export interface Expected {
  readonly thing: Thing
  readonly matching: Matching
  readonly why: Why | undefined
  /** Any of these, in matches and the feed alike. */
  readonly tiers: readonly Tier[]
  /** `undefined` for either. */
  readonly disputed: boolean | undefined
}

export interface Model {
  nowS: number
  readonly things: Map<string, Thing>
  /** Banks and cases, and whether they exist. */
  readonly homes: Map<string, Presence>
  /** Hashes of things that were judged harmless: others with the same hash are found, and may not be registered again. */
  readonly judged: Set<string>
}

/** On a busy machine. */
const ENDED_WITHIN_S = 8

const RANK: Readonly<Record<Tier, number>> = { 'self-reported': 0, 'ngo-attested': 1, 'platform-confirmed': 2, verified: 3 }

export function emptyModel(): Model {
  return { nowS: 0, things: new Map(), homes: new Map(), judged: new Set() }
}

export function copyOf(model: Model): Model {
  return structuredClone(model)
}

const nameOf = (home: string, hash: string) => `${home}:${hash}`

export function thingAt(model: Model, { home, hash }: Pick<Thing, 'home' | 'hash'>): Thing | undefined {
  return model.things.get(nameOf(home, hash))
}

/** A hash was registered. @param certain false when it was not acknowledged. */
export function registered(model: Model, { home, hash }: Pick<Thing, 'home' | 'hash'>, tier: Tier, certain: boolean): void {
  const known = thingAt(model, { home, hash })
  if (known === undefined || known.presence === 'gone') {
    model.things.set(nameOf(home, hash), fresh(home, hash, tier, certain ? 'there' : 'unsure'))
    return
  }
  if (!certain) {
    known.best = higher(known.best, tier)
    known.isTrustUnsure = true
    return
  }
  // It may be new, or the existing one: then earlier acts about it count.
  if (known.presence === 'unsure') known.isTrustUnsure = true
  known.presence = 'there'
  known.registered = tier
  known.best = higher(known.best, tier)
}

export function removed(thing: Thing, certain: boolean): void {
  if (certain) thing.presence = 'gone'
  else if (thing.presence === 'there') thing.presence = 'unsure'
}

/** A case was withdrawn, or a bank removed, with all of its signals. */
export function homeEnded(model: Model, home: string, certain: boolean): void {
  if (certain) model.homes.set(home, 'gone')
  else if (model.homes.get(home) === 'there') model.homes.set(home, 'unsure')
  for (const thing of thingsIn(model, home)) removed(thing, certain)
}

export function thingsIn(model: Model, home: string): Thing[] {
  return [...model.things.values()].filter((thing) => thing.home === home)
}

/** An act about a thing, if it was acknowledged; otherwise its outcome is unknown. */
export function said(thing: Thing, certain: boolean, change: Partial<Omit<Thing, 'home' | 'hash' | 'presence'>>): void {
  if (!certain) {
    thing.isTrustUnsure = true
    return
  }
  Object.assign(thing, change)
  if (thing.isHeld && thing.pausedUntilS !== undefined) thing.hadBothHolds = true
  if (thing.isHeld || thing.pausedUntilS !== undefined || thing.dispute === 'upheld') thing.wasSilent = true
}

/**
 * The store was restored to its state at that time. Later withdrawals hold only if the restore reports that it knows all of
 * them.
 */
export function restored(model: Model, then: Model, knowsWithdrawals: boolean): Model {
  const back = copyOf(then)
  back.nowS = model.nowS
  for (const [home, presence] of model.homes) {
    const was = then.homes.get(home)
    if (was === undefined) back.homes.set(home, 'unsure')
    else if (was !== presence) back.homes.set(home, 'unsure')
  }
  for (const [name, now] of model.things) {
    const was = back.things.get(name)
    if (was === undefined) {
      back.things.set(name, { ...now, presence: now.presence === 'gone' ? 'gone' : 'unsure', isTrustUnsure: true })
    } else if (now.presence === 'gone' && was.presence !== 'gone') {
      was.presence = knowsWithdrawals ? 'gone' : 'unsure'
      was.isGoneByRestore = knowsWithdrawals
    } else if (now.presence !== was.presence) was.presence = 'unsure'
    if (was !== undefined) was.isTrustUnsure ||= trustOf(now) !== trustOf(was)
  }
  for (const hash of model.judged) back.judged.add(hash)
  return back
}

export function expectedOf(model: Model, thing: Thing): Expected {
  const why = whySilent(model, thing)
  return {
    thing,
    matching: matchingOf(model, thing, why),
    why,
    tiers: thing.isTrustUnsure ? Object.keys(RANK).filter(isTier) : tiersOf(thing),
    disputed: thing.isTrustUnsure ? undefined : thing.dispute === 'open',
  }
}

function matchingOf(model: Model, thing: Thing, why: Why | undefined): Matching {
  if (why === 'withdrawn' || why === 'known to be withdrawn') return 'never'
  if (thing.presence !== 'there' || model.homes.get(thing.home) === 'unsure') return 'either'
  if (thing.isTrustUnsure) return 'either'
  if (why !== undefined) return isAboutToEnd(model, thing, why) ? 'either' : 'never'
  return mayStillBePaused(model, thing) ? 'either' : 'must'
}

/** A pause that is over is ended by a process that looks for such ones. */
function mayStillBePaused({ nowS }: Model, { pausedUntilS }: Thing): boolean {
  return pausedUntilS !== undefined && pausedUntilS !== 0 && nowS - pausedUntilS < ENDED_WITHIN_S
}

/** A second before and after its time a pause may be over or not: the clocks of two processes. */
function isAboutToEnd(model: Model, { pausedUntilS, isHeld, dispute }: Thing, why: Why): boolean {
  if (why !== 'paused' || isHeld || dispute === 'upheld') return false
  return pausedUntilS !== undefined && pausedUntilS !== 0 && pausedUntilS - model.nowS <= 2
}

function whySilent({ nowS, homes }: Model, thing: Thing): Why | undefined {
  if (thing.presence === 'gone' && thing.isGoneByRestore) return 'known to be withdrawn'
  if (thing.presence === 'gone' || homes.get(thing.home) === 'gone') return 'withdrawn'
  if (thing.dispute === 'upheld') return 'rejected'
  const isPaused = thing.pausedUntilS !== undefined && (thing.pausedUntilS === 0 || thing.pausedUntilS > nowS)
  if (!thing.isHeld && !isPaused) return undefined
  if (thing.hadBothHolds) return 'two-holds'
  return thing.isHeld ? 'held' : 'paused'
}

function tiersOf({ registered: last, best, attested, verified }: Thing): Tier[] {
  if (verified) return ['verified']
  return [...new Set([last, best].map((tier): Tier => (attested ? higher(tier, 'ngo-attested') : tier)))]
}

function fresh(home: string, hash: string, tier: Tier, presence: Presence): Thing {
  return {
    home,
    hash,
    presence,
    isGoneByRestore: false,
    registered: tier,
    best: tier,
    attested: false,
    verified: false,
    pausedUntilS: undefined,
    isHeld: false,
    hadBothHolds: false,
    wasSilent: false,
    dispute: 'none',
    isHarmless: false,
    isTrustUnsure: false,
  }
}

function trustOf({ home: _, hash: __, presence: ___, isGoneByRestore: ____, ...trust }: Thing): string {
  return JSON.stringify(trust)
}

function higher(one: Tier, other: Tier): Tier {
  return RANK[one] >= RANK[other] ? one : other
}

function isTier(text: string): text is Tier {
  return text in RANK
}
