// Divides the event loop among requests, so that no tick is long: work waits in queues and runs in slices.

export interface EventLoopScheduler {
  /** Call before starting a piece of work. @returns a promise of its start, or `undefined` when it may start at once. */
  begin(): Promise<void> | undefined
  /**
   * For long work that was started. @returns a function to call often between its steps. It returns a promise once the work has run for `pieceMs`
   * (after `WHOLE_PIECES` pieces: half of that); wait for it. Otherwise it returns `undefined`, at the cost of reading the clock.
   */
  yielder(): () => Promise<void> | undefined
  /** Yields once, even if the work has run only briefly. @returns a promise of the next slice for work that was started. */
  next(): Promise<void>
  /** Calls back once everything that arrived in this tick has started, before any long work continues. */
  atEndOfTick(callback: () => void): void
  /** [ms] How long new work would wait to start: at least as long as the first in the queue has waited; 0 if the queue is empty. */
  readonly waitMs: number
}

export interface LoopRule {
  /** Maximum time of work per tick. Then the loop reads what has arrived. */
  readonly sliceMs: number
  /** Time that one piece of work may run before it yields. */
  readonly pieceMs: number
}

interface Waiting {
  readonly sinceMs: number
  readonly start: () => void
}

/** A slice takes many times as long as reading the sockets, and is too short for a person to notice. */
export const LOOP: LoopRule = { sliceMs: 2, pieceMs: 1 }

/**
 * After this many pieces, work is long and gets half pieces, so that a query about one picture waits less for it. Half pieces for all work would be
 * too short: started work would wait for each new start.
 */
const WHOLE_PIECES = 8

/** Weight of the previous ticks in the moving average, against 1 for the last tick. */
const REMEMBERED_SHARE = 0.9

/** Maximum pieces per tick. No sensible slice has time for more. */
const MAX_AT_ONCE = 64

/**
 * New work and started work alternate. A few long batches cannot keep short queries from starting, and many short queries cannot keep a batch from
 * finishing.
 *
 * Each tick of the loop accepts one new connection (libuv 1.45 and later), and reads once from each socket. If a tick started hundreds of requests,
 * new ones would wait for seconds in sockets, where the process cannot see them.
 *
 * @param now [ms] a monotonic clock.
 * @param later runs the callback in the next tick. Microtasks of one callback run before the next callback, as with `setImmediate`.
 */
export function createEventLoopScheduler(
  { sliceMs, pieceMs }: LoopRule,
  now: () => number,
  later: (callback: () => void) => void = setImmediate,
): EventLoopScheduler {
  const newWork = createQueue()
  const startedWork = createQueue()
  const ends = createTickEnds(later)
  const estimate = createWaitEstimate()
  let sliceBeganAtMs: number | undefined
  // Invariant: while work waits, a call of `grantSlice` is scheduled.
  let isScheduled = false
  let lastBegan = false

  const hasTime = () => {
    sliceBeganAtMs ??= now()
    return now() - sliceBeganAtMs < sliceMs
  }
  const grantSlice = () => {
    isScheduled = false
    sliceBeganAtMs = undefined
    estimate.tick(now(), newWork.length > 0)
    const waiting = Math.min(newWork.length + startedWork.length, MAX_AT_ONCE)
    if (waiting === 0) return
    later(startFirst)
    for (let i = 1; i < waiting; i++) later(startOne)
    isScheduled = true
    later(grantSlice)
  }
  const startFirst = () => {
    ends.run() // before any piece runs, so that the work which the callbacks resume precedes it
    sliceBeganAtMs = undefined // one piece runs in each tick, however long the callbacks took
    startOne()
  }
  const startOne = () => {
    if (!hasTime()) return
    const begins = (!lastBegan && newWork.length > 0) || startedWork.length === 0
    lastBegan = !lastBegan
    const first = (begins ? newWork : startedWork).take()
    if (first === undefined) return
    if (begins) estimate.began()
    first.start()
  }
  const enqueue = (queue: Queue) =>
    new Promise<void>((start) => {
      queue.put({ sinceMs: now(), start })
      scheduleSlice()
    })
  const scheduleSlice = () => {
    if (isScheduled) return
    isScheduled = true
    later(grantSlice)
  }
  const next = () => enqueue(startedWork)

  return {
    begin() {
      if (newWork.length > 0 || !hasTime()) return enqueue(newWork)
      scheduleSlice() // `grantSlice` resets the slice in the next tick
      return undefined
    },
    yielder: () => createYielder(pieceMs, now, next),
    next,
    atEndOfTick: (callback) => ends.add(callback),
    get waitMs() {
      const { first } = newWork
      return first === undefined ? 0 : Math.max(now() - first.sinceMs, estimate.waitMs(newWork.length))
    },
  }
}

function createYielder(pieceMs: number, now: () => number, next: () => Promise<void>): () => Promise<void> | undefined {
  let begunAtMs = now()
  let pieces = 1
  const nextPiece = async () => {
    await next()
    pieces++
    begunAtMs = now()
  }
  return () => (now() - begunAtMs < (pieces > WHOLE_PIECES ? pieceMs / 2 : pieceMs) ? undefined : nextPiece())
}

/** Callbacks for the end of this tick. Call `run` earlier if a piece of work would otherwise precede them. */
function createTickEnds(later: (callback: () => void) => void) {
  let callbacks: (() => void)[] = []
  const run = () => {
    const ending = callbacks
    callbacks = []
    for (const callback of ending) callback()
  }
  return {
    run,
    add(callback: () => void) {
      callbacks.push(callback)
      if (callbacks.length === 1) later(run)
    },
  }
}

/** Estimates how long new work waits to start: a moving average over ticks that began with waiting work. */
function createWaitEstimate() {
  let weightedMs = 0
  let weightedBegun = 0
  let lastTickAtMs: number | undefined
  let begun = 0
  return {
    began() {
      begun++
    },
    tick(atMs: number, hasWaiting: boolean) {
      if (lastTickAtMs !== undefined) {
        weightedMs = REMEMBERED_SHARE * weightedMs + atMs - lastTickAtMs
        weightedBegun = REMEMBERED_SHARE * weightedBegun + begun
      }
      begun = 0
      lastTickAtMs = hasWaiting ? atMs : undefined
    },
    waitMs: (waiting: number) => (weightedBegun === 0 ? 0 : (waiting * weightedMs) / weightedBegun),
  }
}

type Queue = ReturnType<typeof createQueue>

/** First in, first out. `take` stays cheap, however long the queue. */
function createQueue() {
  let entries: Waiting[] = []
  let taken = 0
  return {
    get length() {
      return entries.length - taken
    },
    get first() {
      return entries[taken]
    },
    put(entry: Waiting) {
      entries.push(entry)
    },
    take(): Waiting | undefined {
      const entry = entries[taken]
      if (entry === undefined) return undefined
      taken++
      if (taken > 1024 || taken === entries.length) {
        entries = entries.slice(taken)
        taken = 0
      }
      return entry
    },
  }
}
