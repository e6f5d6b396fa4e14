// The steps of an episode: plain data, so that it can be printed, shortened and run again. Names are the episode's own (`h3`,
// `b1`, `c2`); a step whose names refer to nothing is skipped, so any part of an episode is an episode.

import type { DisputeReason } from '../../src/domain/trust/trust.js'

/** One of the two API processes. */
export type Api = 0 | 1

/** A registered thing: a hash in a case or in a bank. */
export interface Ref {
  readonly home: string
  readonly hash: string
}

/** The ways in which a hash enters a bank, or leaves it. */
export const ADD_WAYS = ['json', 'ndjson', 'csv', 'hma'] as const
export const REMOVE_WAYS = ['delete', 'tombstone', 'tombstone-id', 'hma'] as const

interface At {
  readonly at: Api
}
interface Home extends At {
  readonly home: string
}
type AtRef = At & Ref
interface InGroup extends Home {
  readonly group: string
}
interface WithCount extends InGroup {
  readonly count: number
}
interface OfApi {
  readonly api: Api
}
interface OfDisk {
  readonly disk: 'withdrawals' | 'snapshots'
}
type Nothing = Readonly<Record<never, never>>

/** The facts that each step needs. */
interface Facts {
  'open-case': Home
  register: AtRef & { readonly way: (typeof ADD_WAYS)[number]; readonly reviewed: boolean }
  remove: AtRef & { readonly way: (typeof REMOVE_WAYS)[number] }
  note: AtRef & { readonly text: string }
  withdraw: Home
  /** A case expires. */
  expire: Home
  /** A worker whose clock is this far ahead sweeps expired cases. */
  'sweep-ahead': { readonly days: number }
  'create-bank': Home
  'remove-bank': Home
  /** Removes a bank, lets its name become free, and makes it again at one API while both sweep. */
  'renew-bank': Home
  /** Exports a bank, marks every line as deleted, and imports the file. */
  'reverse-export': Home
  submit: At & { readonly hash: string }
  'take-back': At & { readonly hash: string }
  /** By the owner of a bank, for this long; 0 for an indefinite pause. */
  pause: AtRef & { readonly forS: number }
  unpause: AtRef
  hold: AtRef
  release: AtRef
  verify: AtRef
  attest: AtRef
  flood: AtRef
  dispute: AtRef & { readonly reason: DisputeReason; readonly by: 'platform' | 'operator' }
  decide: AtRef & { readonly outcome: 'upheld' | 'rejected' }
  reinstate: AtRef
  /** A picture that was judged harmless and then withdrawn has to leave the store, at the latest when an appeal is granted. */
  appeal: AtRef
  'pass-time': { readonly s: number }
  /** The clock of one API is this far ahead of all others from now on, or behind. */
  'step-clock': OfApi & { readonly s: number }
  /** A platform watches for a hash. */
  watch: At & { readonly hash: string }
  /** Its watcher was told of its last registration. */
  told: AtRef
  /** A picture of a bank has this many other hashes from now on, besides its own. */
  'change-picture': AtRef & { readonly hashes: number }
  /** A fetcher of StopNCII's interface goes on to the end. */
  fetch: At
  /** The holder of a case sends a notice to platforms. */
  notice: Home
  /** A platform matches it. */
  seen: AtRef
  /** No deadline was announced as missed. */
  'nothing-missed': Nothing
  /** A platform with a webhook for withdrawals. */
  subscribe: Nothing
  /** It matches everything that is there. */
  meet: At
  /** The messenger works for so long, by its own clock, while the endpoint answers or refuses. */
  deliver: { readonly s: number; readonly answers: boolean }
  /** It knows of each withdrawal, in the time that is promised. */
  'all-told': Nothing
  /** Redis's clock is this far ahead during steps from now on, and right at each check. */
  'redis-clock': { readonly s: number }
  /** Days pass by Redis's clock. */
  'redis-days': { readonly days: number }
  /** Some unlike pictures of one template are asked about, by platforms that are new. */
  'look-alikes': AtRef
  /** Imports many hashes in one file. All must match afterwards. */
  import: WithCount
  'import-again': InGroup & { readonly times: number }
  /** This many of a group. */
  'remove-some': WithCount
  /** This many of the last. */
  'remove-last': WithCount
  /** Starts again without a snapshot. */
  'cold-start': OfApi
  'fill-page': InGroup & { readonly left: number }
  /** An import that starts as a snapshot begins; then the process is killed, and starts from it. */
  'import-at-snapshot': WithCount & { readonly delayMs: number }
  kill: OfApi
  restart: OfApi
  'kill-redis': Nothing
  stop: OfApi
  'go-on': OfApi
  slow: OfApi & { readonly ms: number }
  'fill-disk': OfDisk
  'free-disk': OfDisk
  'back-up': Nothing
  restore: Nothing
  /** The replica of Redis does not receive what comes next. */
  'lose-replica': Nothing
  'fail-over': Nothing
}
type Verb = keyof Facts

export type StepOf<V extends Verb> = { [Each in V]: { readonly do: Each } & Facts[Each] }[V]
export type Step = StepOf<Verb>

/** The kinds of scenario that `--only` names. */
export const GROUPS = [
  'imports',
  'trust',
  'videos',
  'banks',
  'expiry',
  'exchange',
  'snapshots',
  'restores',
  'failovers',
  'told',
  'clocks',
  'uniform',
] as const
export type Group = (typeof GROUPS)[number]

export interface Episode {
  readonly group: Group
  /** For a reader: which scenario of the group. */
  readonly name: string
  /** What it runs on: one private Redis, or a master, a replica and a Sentinel. */
  readonly world: 'single' | 'sentinel'
  readonly steps: readonly Step[]
}

export function textOf({ do: verb, ...rest }: Step): string {
  const facts = Object.entries(rest).map(
    ([name, value]) => `${name}=${name === 'at' || name === 'api' ? 'AB'[Number(value)] : value}`,
  )
  return [verb, ...facts].join(' ')
}
