// Who is let in while there is more to do than can be done: nobody waits in a queue that only grows, and people come before programs.

/**
 * A burst may wait up to `burstMs`. A queue that has been longer than `longMs` for `intervalMs`, and never shorter meanwhile, will not
 * shorten by itself: then nobody is let in who would wait longer than `steadyMs`, until few have to be refused for that. Short once is not
 * over: the queue is short because so few are let in, and a burst each time it is would let those wait who come in it.
 *
 * `steadyMs` is about what is usual, and less than `longMs`: who is let in while there is too much to do is to wait little longer than usual,
 * but what is usual now and then is no overload.
 *
 * @see Nichols, Jacobson, "Controlling Queue Delay", 2012; Maurer, "Fail at Scale", 2015, whose form of it this is.
 */
export interface DelayRule {
  readonly steadyMs: number
  readonly longMs: number
  readonly burstMs: number
  readonly intervalMs: number
  /** So long it is counted how many have to be refused. */
  readonly calmMs: number
}

export interface DelayGate {
  /** To be told how long the queue was, whenever that is known. */
  observe(waitedMs: number): void
  /** May what would wait so long still join it? */
  admits(waitedMs: number): boolean
}

/** Of those who ask, at most so many are refused when what was too much is over. */
const FEW_SHARE = 0.05

/** @param now in milliseconds, never goes back. */
export function delayGate({ steadyMs, longMs, burstMs, intervalMs, calmMs }: DelayRule, now: () => number): DelayGate {
  // Since it was first seen long, not since it was last seen short: a process that was given no processor for a while saw nothing.
  let longSinceMs: number | undefined
  // While it stays long: who has asked since when, how many of them would have waited for too long, and when the last of those came.
  let counted: { readonly sinceMs: number; asked: number; tooLong: number } | undefined
  let lastTooLongMs = Number.NEGATIVE_INFINITY
  const isOver = (atMs: number, { sinceMs, asked, tooLong }: NonNullable<typeof counted>) => {
    if (atMs - lastTooLongMs >= calmMs) return true
    return atMs - sinceMs >= calmMs && tooLong <= FEW_SHARE * asked
  }
  return {
    observe(waitedMs) {
      if (waitedMs <= longMs) {
        longSinceMs = undefined
        return
      }
      const atMs = now()
      longSinceMs ??= atMs
      if (atMs - longSinceMs < intervalMs) return
      counted ??= { sinceMs: atMs, asked: 0, tooLong: 0 }
      lastTooLongMs = atMs
    },
    admits(waitedMs) {
      const atMs = now()
      if (counted === undefined) {
        const isLong = longSinceMs !== undefined && atMs - longSinceMs >= intervalMs
        return waitedMs <= (isLong ? steadyMs : burstMs)
      }
      if (isOver(atMs, counted)) {
        counted = undefined
        longSinceMs = undefined
        return waitedMs <= burstMs
      }
      if (atMs - counted.sinceMs >= calmMs) counted = { sinceMs: atMs, asked: 0, tooLong: 0 }
      counted.asked++
      if (waitedMs <= steadyMs) return true
      counted.tooLong++
      lastTooLongMs = atMs
      return false
    },
  }
}

/** What is short: turns of the event loop, or workers for pictures. */
export const SHORTAGES = ['turns', 'pictures'] as const
export type Shortage = (typeof SHORTAGES)[number]

export interface Admission {
  /** For a request of a program that may come again. @returns what there is too little of, if it has to come again. */
  shortageFor(needs: {
    readonly pictures: boolean
    /** How many pictures that were let in are still arriving. */
    readonly coming: number
  }): Shortage | undefined
}

export interface AdmissionParts {
  readonly rules: Readonly<Record<Shortage, DelayRule>>
  /** How long one more would wait for its turn behind those that were let in; 0 when none waits. */
  readonly queuedMs: () => number
  /** How long one more picture would wait for a worker behind those that wait and so many more; 0 when none waits. */
  readonly pictureWaitMs: (coming: number) => number
  readonly now: () => number
  /** Calls back when everything that came in with this turn of the event loop was begun. */
  readonly atEndOfTick: (callback: () => void) => void
}

export function admissionFor({ rules, queuedMs, pictureWaitMs, now, atEndOfTick }: AdmissionParts): Admission {
  const gates = { turns: delayGate(rules.turns, now), pictures: delayGate(rules.pictures, now) }
  const tickDelayMs = tickClock(gates.turns, queuedMs, now, atEndOfTick)
  const mayScout = scouting(rules.pictures, now)
  return {
    shortageFor({ pictures, coming }) {
      if (!gates.turns.admits(tickDelayMs())) return 'turns'
      if (!pictures) return undefined
      const waitMs = pictureWaitMs(coming)
      gates.pictures.observe(waitMs)
      return gates.pictures.admits(waitMs) || mayScout(waitMs) ? undefined : 'pictures'
    },
  }
}

/**
 * Nobody is let in to a queue whose first has waited for longer than a burst may, so nobody would find out that it is short: the first may be
 * one whose worker died, and which nobody takes, while others are free. So one is let in now and then, to see.
 */
function scouting({ burstMs, calmMs }: DelayRule, now: () => number): (waitMs: number) => boolean {
  let lastAtMs = Number.NEGATIVE_INFINITY
  return (waitMs) => {
    const atMs = now()
    if (waitMs <= burstMs || atMs - lastAtMs < calmMs) return false
    lastAtMs = atMs
    return true
  }
}

/**
 * The event loop takes what has arrived, and works on it one after the other; meanwhile more arrives, unseen, and waits for the next turn.
 * So whoever is begun now may have waited since the turn before this one began, and waits behind those who were let in. Turns are followed
 * until one had nothing to do.
 */
function tickClock(
  gate: DelayGate,
  queuedMs: () => number,
  now: () => number,
  atEndOfTick: AdmissionParts['atEndOfTick'],
): () => number {
  let beganAtMs: { readonly before: number; readonly own: number } | undefined
  // Of all who asked in this turn, those that were refused among them; else a turn that refused everybody would look short.
  let longestMs: number | undefined
  const endTick = () => {
    if (beganAtMs === undefined) return
    const atMs = now()
    const tookMs = atMs - beganAtMs.own
    const waitingMs = queuedMs()
    gate.observe(Math.max(tookMs, longestMs ?? 0, waitingMs))
    const isIdle = longestMs === undefined && tookMs < IDLE_MS && waitingMs === 0
    longestMs = undefined
    beganAtMs = isIdle ? undefined : { before: beganAtMs.own, own: atMs }
    if (!isIdle) atEndOfTick(endTick)
  }
  return () => {
    const atMs = now()
    if (beganAtMs === undefined) {
      beganAtMs = { before: atMs, own: atMs }
      atEndOfTick(endTick)
    }
    const waitedMs = atMs - beganAtMs.before + queuedMs()
    longestMs = Math.max(longestMs ?? 0, waitedMs)
    return waitedMs
  }
}

/** Long calls go on in turns in which nothing arrives: those are no idle ones. */
const IDLE_MS = 1
