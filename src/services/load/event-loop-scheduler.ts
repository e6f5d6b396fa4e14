// Deals out the event loop among what programs ask: whatever is let in waits in one queue, so that no turn of the loop is long.

export interface EventLoopScheduler {
  /** To begin something. @returns a promise of its turn, or nothing when it may begin at once. */
  begin(): Promise<void> | undefined
  /**
   * For something long that goes on. @returns a function to call often between pieces of work: it gives a promise to wait for when the
   * work has kept the loop for `pieceMs`, of what goes on for long for half of it, and otherwise nothing, for the cost of a look at the clock.
   */
  yielder(): () => Promise<void> | undefined
  /** A turn for something long that goes on, also if it has not kept the loop for that long. */
  next(): Promise<void>
  /** Calls back once everything that came in with this turn was begun, and before anything long goes on. */
  atEndOfTick(callback: () => void): void
  /** How long one more would wait to begin: not less than the one that has waited longest; 0 when none does. */
  readonly waitMs: number
}

export interface LoopRule {
  /** So much of a turn is dealt out: then the loop looks for what has arrived. */
  readonly sliceMs: number
  /** So long may one go on before it is the others' turn. */
  readonly pieceMs: number
}

interface Waiting {
  readonly sinceMs: number
  readonly go: () => void
}

/** As long as it takes to look for what has arrived, many times over; and as a person would not notice. */
export const LOOP: LoopRule = { sliceMs: 2, pieceMs: 1 }

/**
 * Whoever has had so many pieces gets half of one from then on: he goes on for long, and who asks about one picture meanwhile waits for a piece of it.
 * For everybody it would be too little: then what began waits behind what begins.
 */
const WHOLE_PIECES = 8

/** So much the turn before counts, beside the last one. */
const REMEMBERED_SHARE = 0.9

/** In one turn of the loop. More than that fit into a slice of no rule that is sensible. */
const MAX_AT_ONCE = 64

/**
 * What begins and what goes on take turns: then a few long batches cannot keep short questions out, nor a crowd of short questions keep a
 * batch from its end.
 *
 * Each turn of the loop takes one new connection (libuv 1.45 and later) and reads once from each socket. So a loop whose turns are long
 * because hundreds of requests are begun in each lets those wait for seconds that it does not know of yet.
 *
 * @param now in milliseconds, never goes back.
 * @param later calls back in the next turn, each call by itself: what one sets going runs before the next.
 */
export function createEventLoopScheduler(
  { sliceMs, pieceMs }: LoopRule,
  now: () => number,
  later: (callback: () => void) => void = setImmediate,
): EventLoopScheduler {
  const beginning = queue()
  const going = queue()
  let sliceBeganAtMs: number | undefined
  // Invariant: while somebody waits, `deal` will be called.
  let isDealing = false
  let lastBegan = false
  // Of the last turns in which somebody waited, the older the less: how long they took, and how many began in them.
  let took = { ms: 0, begun: 0 }
  let dealtAtMs: number | undefined
  let begun = 0
  let ending: (() => void)[] = []

  const endTick = () => {
    const all = ending
    ending = []
    for (const callback of all) callback()
  }
  const hasTime = () => {
    sliceBeganAtMs ??= now()
    return now() - sliceBeganAtMs < sliceMs
  }
  const deal = () => {
    isDealing = false
    sliceBeganAtMs = undefined
    const atMs = now()
    if (dealtAtMs !== undefined)
      took = { ms: REMEMBERED_SHARE * took.ms + atMs - dealtAtMs, begun: REMEMBERED_SHARE * took.begun + begun }
    begun = 0
    dealtAtMs = beginning.length > 0 ? atMs : undefined
    const waiting = Math.min(beginning.length + going.length, MAX_AT_ONCE)
    if (waiting === 0) return
    later(letFirstGo)
    for (let i = 1; i < waiting; i++) later(letOneGo)
    isDealing = true
    later(deal)
  }
  const letFirstGo = () => {
    endTick() // what it sets going runs before the one that is let go here
    sliceBeganAtMs = undefined // whatever else there was to do in this turn, somebody goes on
    letOneGo()
  }
  const letOneGo = () => {
    if (!hasTime()) return
    const begins = (!lastBegan && beginning.length > 0) || going.length === 0
    lastBegan = !lastBegan
    const one = (begins ? beginning : going).take()
    if (one === undefined) return
    if (begins) begun++
    one.go()
  }
  const enqueue = (own: ReturnType<typeof queue>) =>
    new Promise<void>((go) => {
      own.put({ sinceMs: now(), go })
      ensureDealing()
    })
  const ensureDealing = () => {
    if (isDealing) return
    isDealing = true
    later(deal)
  }

  return {
    begin() {
      if (beginning.length > 0 || !hasTime()) return enqueue(beginning)
      ensureDealing() // the slice ends with this turn
      return undefined
    },
    yielder() {
      let begunAtMs = now()
      let pieces = 1
      const turn = async () => {
        await enqueue(going)
        pieces++
        begunAtMs = now()
      }
      return () => (now() - begunAtMs < (pieces > WHOLE_PIECES ? pieceMs / 2 : pieceMs) ? undefined : turn())
    },
    next: () => enqueue(going),
    atEndOfTick(callback) {
      ending.push(callback)
      if (ending.length === 1) later(endTick)
    },
    get waitMs() {
      const first = beginning.first
      if (first === undefined) return 0
      return Math.max(now() - first.sinceMs, took.begun === 0 ? 0 : (beginning.length * took.ms) / took.begun)
    },
  }
}

/** First in, first out, however many there are. */
function queue() {
  let all: Waiting[] = []
  let taken = 0
  return {
    get length() {
      return all.length - taken
    },
    get first() {
      return all[taken]
    },
    put(one: Waiting) {
      all.push(one)
    },
    take(): Waiting | undefined {
      const one = all[taken]
      if (one === undefined) return undefined
      taken++
      if (taken > 1024 || taken === all.length) {
        all = all.slice(taken)
        taken = 0
      }
      return one
    },
  }
}
