// The promises, by the names that `--ignore` takes.

export const PROMISES = {
  'registered-matches': 'what was acknowledged as registered matches, at every API, also while other things happen to it',
  'withdrawn-silent': 'what was withdrawn, removed or ended with its bank matches nothing',
  'held-silent': 'what an operator or a flood holds matches nothing',
  'paused-silent': 'what its owner paused matches nothing until its time',
  'two-holds': 'what two hold matches again when both let go, and not before',
  'rejected-silent': 'what was judged a false report matches nothing',
  'released-matches': 'what was released, or whose pause is over, matches again',
  tiers: 'a match tells the tier that follows from what was said',
  disputed: 'a match tells whether a dispute is open',
  'feed-agrees': 'the feed says of each hash what a match says',
  'frames-agree':
    'a video is answered as one thing, whichever of its frames is asked about, and with the moment of that frame',
  'apis-agree': 'all APIs say the same',
  erased: 'what was withdrawn is erased from the store',
  'removal-by-identity': 'what is registered can be taken back, whatever currently matches',
  'import-reverses': 'an export with every line marked as deleted, imported, empties the bank',
  'bank-stays': 'a bank that was acknowledged is there',
  'harmless-removable': 'what was judged harmless and then withdrawn can be removed completely and registered again',
  'known-withdrawals': 'a restore says `known` only if nothing that was withdrawn since comes back',
  'restore-works': 'a backup that was made can be restored',
  'watch-told': 'who watches for a picture is told of each registration',
  'withdrawal-told':
    'who has matched a picture is told of its withdrawal, in a message of its own or in one that stands for many',
  'not-narrowed': 'a picture is narrowed for look-alikes of a day, never for those of weeks',
  'fetch-goes-on': 'a fetch of StopNCII’s interface is answered, whatever became of pictures',
  deadlines: 'no deadline is announced as missed by one clock alone',
  'ready-again': 'an API is ready again after what happened to it',
  answers: 'a request is answered as its route says',
  alive: 'no process ends by itself',
} as const satisfies Readonly<Record<string, string>>

export type PromiseName = keyof typeof PROMISES

export function isPromiseName(text: string): text is PromiseName {
  return text in PROMISES
}

/** A broken promise. */
export class Violation extends Error {
  readonly promise: PromiseName

  constructor(promise: PromiseName, what: string) {
    super(what)
    this.promise = promise
  }
}
