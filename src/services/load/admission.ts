// Load shedding: refuses requests of programs, which retry, while a queue is too long to recover by itself. People are always let in.

/**
 * A burst may wait up to `burstMs`. A queue that was longer than `longMs` for all of `intervalMs` is overloaded. Then a request is refused if it
 * would wait longer than `steadyMs`. Overload ends when few requests have to be refused. One short queue does not end it: the queue is short because
 * requests are refused, and a burst admitted then would wait long again.
 *
 * `steadyMs` is about the usual wait, so requests admitted during overload wait little longer than usual. It is below `longMs`, so that an occasional
 * long wait does not count as overload.
 *
 * @see Nichols, Jacobson, "Controlling Queue Delay", 2012; Maurer, "Fail at Scale", 2015, whose variant this is.
 */
export interface DelayRule {
  readonly steadyMs: number
  readonly longMs: number
  readonly burstMs: number
  readonly intervalMs: number
  /** The period over which refusals are counted. */
  readonly calmMs: number
}

export interface DelayGate {
  /** Call it with each measured length of the queue, in milliseconds of waiting. */
  observe(waitedMs: number): void
  /** Whether a request may join the queue, if it would wait this long. Counts the request. */
  admits(waitedMs: number): boolean
}

/** Overload ends when at most this share of the requests has to be refused. */
const FEW_SHARE = 0.05

/** @param now [ms] a monotonic clock. */
export function delayGate({ steadyMs, longMs, burstMs, intervalMs, calmMs }: DelayRule, now: () => number): DelayGate {
  // Counted from the first long measurement, not from the last short one: a process that got no processor for a while measured nothing.
  let longSinceMs: number | undefined
  // During overload: the requests since `sinceMs`, and how many of them would have waited too long.
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

/** The resource that is short: time of the event loop, or workers for pictures. */
export const SHORTAGES = ['event-loop', 'pictures'] as const
export type Shortage = (typeof SHORTAGES)[number]

export interface Admission {
  /**
   * For a request of a program, which can retry.
   * @returns the resource that is short, so that the request is refused; `undefined` if it is admitted.
   */
  shortageFor(needs: {
    readonly pictures: boolean
    /** Pictures that were admitted and are still being uploaded. */
    readonly coming: number
  }): Shortage | undefined
}

export interface AdmissionParts {
  readonly rules: Readonly<Record<Shortage, DelayRule>>
  /** [ms] How long one more request would wait to start; 0 when none waits. */
  readonly queuedMs: () => number
  /** [ms] How long one more picture would wait for a worker, behind the waiting pictures and `coming` more; 0 if none waits. */
  readonly pictureWaitMs: (coming: number) => number
  readonly now: () => number
  /** Calls back once everything that arrived in this tick of the event loop has started. */
  readonly atEndOfTick: (callback: () => void) => void
}

export function admissionFor({ rules, queuedMs, pictureWaitMs, now, atEndOfTick }: AdmissionParts): Admission {
  const gates = { eventLoop: delayGate(rules['event-loop'], now), pictures: delayGate(rules.pictures, now) }
  const tickDelayMs = tickClock(gates.eventLoop, queuedMs, now, atEndOfTick)
  const mayScout = scouting(rules.pictures, now)
  return {
    shortageFor({ pictures, coming }) {
      if (!gates.eventLoop.admits(tickDelayMs())) return 'event-loop'
      if (!pictures) return undefined
      const waitMs = pictureWaitMs(coming)
      gates.pictures.observe(waitMs)
      return gates.pictures.admits(waitMs) || mayScout(waitMs) ? undefined : 'pictures'
    },
  }
}

/**
 * Admits one picture per `calmMs` even if the estimated wait is too long. The estimate may be wrong: the first picture may wait for a worker that
 * died, while other workers are idle. Only an admitted picture can correct it.
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
 * Measures how long requests wait for the event loop. In each tick the loop reads what has arrived and works on it. What arrives meanwhile waits,
 * unseen, for the next tick. So a request that starts now may have waited since the previous tick began, and it also waits behind the requests
 * admitted before it. Follows ticks until one is idle.
 * @returns a function that returns how long a request that starts now has waited and will wait [ms].
 */
function tickClock(
  gate: DelayGate,
  queuedMs: () => number,
  now: () => number,
  atEndOfTick: AdmissionParts['atEndOfTick'],
): () => number {
  let beganAtMs: { readonly before: number; readonly own: number } | undefined
  // The longest wait in this tick, refused requests included: otherwise a tick that refused all of them would look short.
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

/** A longer tick is not idle, even if nothing arrived in it: it ran long work. */
const IDLE_MS = 1
