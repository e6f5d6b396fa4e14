// What the service has promised so far, and what it may therefore answer about a hash.

/** How long after an acknowledgement another process may not know yet: the promise is a second. */
const ELSEWHERE_TIMEOUT_MS = 1000

/** One hash or picture that was registered. */
export interface Entry {
  /** Hex of the hash; for a picture, its number. */
  readonly what: string
  /** Index of the process that acknowledged it last. */
  by: number
  /** performance.now() of the acknowledgements; undefined for none. */
  registeredAtMs: number | undefined
  withdrawnAtMs: number | undefined
  /** A withdrawal was sent: until it is acknowledged, the entry may match or not. */
  isEnding: boolean
}

export type Expected = 'match' | 'none' | 'either'

export interface Ledger {
  readonly entries: ReadonlySet<Entry>
  /** How many writes were acknowledged. */
  readonly acknowledged: number
  add(what: string): Entry
  registered(entry: Entry, by: number): void
  ending(entry: Entry): void
  withdrawn(entry: Entry, by: number): void
  /** Another acknowledged write: a case, a bank. */
  noted(): void
  /** What process `at` must answer about an entry now. */
  expected(entry: Entry, at: number): Expected
  /** Forgets the oldest withdrawn entries beyond this number, so that a long run stays as fast as a short one. */
  trim(maxWithdrawn: number): void
}

export function openLedger(now: () => number): Ledger {
  const entries = new Set<Entry>()
  let acknowledged = 0
  const isKnown = (atMs: number | undefined, by: number, at: number) =>
    atMs !== undefined && (by === at || now() - atMs > ELSEWHERE_TIMEOUT_MS)

  return {
    entries,
    get acknowledged() {
      return acknowledged
    },
    add(what) {
      const entry: Entry = { what, by: -1, registeredAtMs: undefined, withdrawnAtMs: undefined, isEnding: false }
      entries.add(entry)
      return entry
    },
    registered(entry, by) {
      acknowledged++
      entry.registeredAtMs = now()
      entry.by = by
    },
    ending(entry) {
      entry.isEnding = true
    },
    withdrawn(entry, by) {
      acknowledged++
      entry.withdrawnAtMs = now()
      entry.by = by
    },
    noted() {
      acknowledged++
    },
    expected(entry, at) {
      if (entry.isEnding) return isKnown(entry.withdrawnAtMs, entry.by, at) ? 'none' : 'either'
      return isKnown(entry.registeredAtMs, entry.by, at) ? 'match' : 'either'
    },
    trim(maxWithdrawn) {
      const withdrawn = [...entries].filter(({ withdrawnAtMs }) => withdrawnAtMs !== undefined)
      for (const entry of withdrawn.slice(0, Math.max(0, withdrawn.length - maxWithdrawn))) entries.delete(entry)
    },
  }
}
