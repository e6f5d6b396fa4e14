// Bugs that were fixed. Each is put back, and `npm run fuzz history` must find it. An entry:
//
//   {
//     why: 'a put of an unchanged image takes a new ordinal', // name of the bug
//     only: 'imports', ignore: '', seconds: 600, seed: 1, // as `npm run fuzz history` takes them
//     changes: [{ file: 'src/services/index/catalogue.ts', from: 'what stands there once', to: 'what was wrong' }],
//   }
//
// All changes of an entry are made together. With `isBesideThis` they are another version's, whose api runs beside one of this version.

import { join } from 'node:path'

/** @returns the run of histories that must end with a finding, not with a crash. */
function runOf({ only, ignore, seconds, seed, isBesideThis }) {
  const args = ['fuzz/history.mjs', '--seconds', `${seconds}`, '--seed', `${seed}`, '--shrink-seconds', '0']
  if (only !== '') args.push('--only', only)
  if (ignore !== '') args.push('--ignore', ignore)
  if (isBesideThis) args.push('--other', join(import.meta.dirname, '../..'))
  return { name: `histories, ${only}, seed ${seed}`, args, isKill: (status) => status === 1, cpuS: 'unlimited' }
}

const CATALOGUE = 'src/services/index/catalogue.ts'
const PUT_TRUST = 'src/store/scripts/trust/put-trust.ts'
const MATCH_EVENTS = 'src/store/scripts/trust/match-events.ts'
const BOTH = { ignore: '', seconds: 600, seed: 1 }

/** Bugs that reviews found, as close to the old code as possible. */
const mutations = [
  {
    ...BOTH,
    why: '1: a put of an unchanged image takes a new ordinal, and searches that run lose the image',
    only: 'imports',
    changes: [
      { file: CATALOGUE, from: 'if (this.#rows.hasExactly(known, given)) {', to: 'if (Date.now() === 0) {' },
      { file: CATALOGUE, from: 'this.#replaced.replace(known, next, { id, ...before })', to: '' },
    ],
  },
  {
    ...BOTH,
    why: '2: a follower compares numbers alone, and does not see that its history was lost',
    only: 'failovers',
    changes: [
      {
        file: 'src/store/images/changes.ts',
        from: 'if (first.before !== after.digest) return',
        to: 'if (first.change.revision !== after.revision + 1) return',
      },
      { file: 'src/store/images/changes.ts', from: ' || last.digest !== after.digest)', to: ')' },
    ],
  },
  {
    ...BOTH,
    why: '3: a dump goes on to a page that began meanwhile, behind one that was not full',
    only: 'snapshots',
    changes: [
      {
        file: 'src/services/index/image-table.ts',
        from: 'Math.min(PAGE_IMAGES, end - i * PAGE_IMAGES)',
        to: 'Math.min(PAGE_IMAGES, this.#nextOrdinal - i * PAGE_IMAGES)',
      },
      {
        file: 'src/services/index/image-table.ts',
        from: "if (this.#nextOrdinal % PAGE_IMAGES !== 0) throw new RangeError('a page behind one that is not full')",
        to: '',
      },
      {
        file: 'src/services/index/catalogue-dump.ts',
        from: "requireThat(end.ordinals === ordinals && end.images === images, 'another number of images')",
        to: '',
      },
    ],
  },
  {
    ...BOTH,
    why: '5: what was judged harmless stays blocked, whatever is decided on an appeal',
    only: 'judged and withdrawn',
    changes: [
      { file: 'src/services/trust/appeals.ts', from: "await appeals.lift(about.blockId, 'granted', by, now())", to: '' },
    ],
  },
  {
    ...BOTH,
    why: '7: one entry that fails ends the work on what is due',
    only: 'paused together',
    changes: [
      { file: 'src/services/load/each-due.ts', from: 'else errors.push(error)', to: 'else throw error' },
      {
        file: PUT_TRUST,
        from: "if dueMs == '' then redis.call('ZREM', holdSchedule, id) else redis.call('ZADD', holdSchedule, dueMs, id) end",
        to: "if dueMs ~= '' then redis.call('ZADD', holdSchedule, dueMs, id) end",
      },
      {
        file: 'src/domain/trust/trust.ts',
        from: "if (action.kind === 'resume') return action.ifDue === true",
        to: "if (action.kind === 'resume') return false",
      },
      {
        file: 'src/services/interop/contents.ts',
        from: 'await holdSchedule.discard(due) // resuming removes it too, but not if the image is gone or the entry has no id',
        to: '',
      },
    ],
  },
  {
    ...BOTH,
    why: '9: what is taken back is looked up by what matches',
    only: 'taken back while held',
    changes: [
      {
        file: 'src/services/interop/stopncii.ts',
        from: 'const signalId = registration.signalIdFor(bank, submitted(hash))',
        to: "const signalId = registration.signalIdFor(bank, submitted(hash))\n        if ((await exactly(caller, hash)).length === 0) throw new Problem('signal-unknown')",
      },
    ],
  },
  {
    ...BOTH,
    why: '10: an import knows a line by what it is made of alone',
    only: 'exchange',
    changes: [
      {
        file: 'src/services/banks/bank-changes.ts',
        from: "if (change.kind === 'remove' || hasWhole(image, change.signal.signal)) meant.add(change)",
        to: 'if (change.signalId === undefined && hasWhole(image, change.signal.signal)) meant.add(change)',
      },
    ],
  },
  {
    ...BOTH,
    why: '14: a removed bank is forgotten by its name',
    only: 'banks',
    changes: [
      {
        file: 'src/store/scripts/organisations/banks.ts',
        from: 'if not bank or not bank.removedAtMs or not isBank(bank, createdAtMs, id) then return nil end',
        to: 'if not bank then return nil end',
      },
      {
        file: 'src/services/banks/bank-erasure.ts',
        from: 'handle: (id) => images.erase(id, undefined, { bank }),',
        to: 'handle: (id) => images.erase(id),',
      },
    ],
  },
  {
    ...BOTH,
    why: '15: a second import changes the record, and not what matches say',
    only: 'handed in again',
    changes: [{ file: CATALOGUE, from: 'this.#images.describe(known, given)', to: '' }],
  },
  {
    ...BOTH,
    why: 'each frame of a video is told with the moment of the first',
    only: 'videos',
    changes: [
      {
        file: 'src/services/index/frame-table.ts',
        from: 'atMs: this.#pages.get(ordinal >>> PAGE_BITS)?.atMs[ordinal % PAGE_FRAMES] ?? 0 }',
        to: 'atMs: 0 }',
      },
    ],
  },
  {
    ...BOTH,
    why: 'a number of a fetched hash is never given to another, and the page of a picture that changes fails',
    only: 'fetched while changing',
    changes: [
      {
        file: 'src/store/exchange/fetched-record.ts',
        from: 'const number = at === -1 ? (free.next().value ?? next++) : at',
        to: "const number = at === -1 ? next++ : at\n    if (number >= MAX_HASHES_OF_IMAGE) throw new RangeError('an image has no so many hashes')",
      },
    ],
  },
  {
    ...BOTH,
    why: 'who watches is told of a picture once, also when it is removed and registered again',
    only: 'watched again',
    changes: [{ file: PUT_TRUST, from: 'forget_watch_told(tag, hex)', to: '' }],
  },
  {
    ...BOTH,
    why: 'one API that is ahead announces deadlines as missed',
    only: 'clocks apart',
    changes: [
      {
        file: 'src/services/cases/notices.ts',
        from: 'const untilMs = await dueUntilMs()\n    if (untilMs === undefined) return\n    await announceAgain',
        to: 'const untilMs = Date.now()\n    await announceAgain',
      },
    ],
  },
  {
    ...BOTH,
    why: 'the oldest messages that wait for an endpoint are dropped, with nothing in their place',
    only: 'endpoint down',
    changes: [
      {
        file: 'src/store/scripts/organisations/outbox.ts',
        from: "local hasRoom = redis.call('ZCARD', queues) < max and redis.call('LLEN', queue) < maxOfSubject",
        to: 'local hasRoom = true',
      },
      {
        file: 'src/store/scripts/organisations/outbox.ts',
        from: 'delete_finished(prefix, endpoint, maxDeliveries)',
        to: "for _, old in ipairs(redis.call('ZRANGE', deliveries, 0, -maxDeliveries - 1)) do redis.call('DEL', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. old) redis.call('ZREM', deliveries, old) end",
      },
    ],
  },
  {
    ...BOTH,
    why: 'withdrawals that are given up after three days are told of by nothing',
    only: 'endpoint down',
    changes: [
      {
        file: 'src/store/scripts/organisations/webhooks.ts',
        from: "if type == 'signal.withdrawn' and state == 'dead' then miss_events(prefix, endpoint, tonumber(createdAtMs) or atMs) end",
        to: '',
      },
    ],
  },
  {
    ...BOTH,
    why: 'a batch of the feed that began while Redis was ahead stays open until its clock gets there',
    only: 'Redis ahead',
    changes: [
      { file: 'src/store/scripts/organisations/feed-batches.ts', from: 'if sinceMs > nowMs then', to: 'if false then' },
      {
        file: 'src/store/scripts/organisations/feed-batches.ts',
        from: 'local ageMs = nowMs - sinceMs',
        to: 'local ageMs = math.max(0, nowMs - sinceMs)',
      },
    ],
  },
  {
    ...BOTH,
    why: 'a withdrawal is told when the messenger’s clock gets where Redis’s was',
    only: 'Redis ahead',
    changes: [
      {
        file: 'src/services/webhooks/webhook-plan.ts',
        from: "Math.min(Number.parseInt(field('entry') || id, 10), now())",
        to: "Number.parseInt(field('entry') || id, 10)",
      },
    ],
  },
  {
    ...BOTH,
    why: 'matches that one clock counted a month ahead add up with those of all days until then',
    only: 'look-alikes for weeks',
    changes: [
      { file: 'src/services/trust/match-follow-up.ts', from: 'await parts.storeTime().catch(parts.now)', to: 'parts.now()' },
      { file: MATCH_EVENTS, from: 'if now == last - 1 then return last, last end', to: '' },
      { file: MATCH_EVENTS, from: 'if hour ~= lastHour then', to: 'if hour > lastHour then' },
      { file: MATCH_EVENTS, from: "seen, 'hour', hour)", to: "seen, 'hour', math.max(hour, lastHour))" },
      { file: MATCH_EVENTS, from: 'if half ~= lastHalf then', to: 'if half > lastHalf then' },
      { file: MATCH_EVENTS, from: "seen, 'half', half)", to: "seen, 'half', math.max(half, lastHalf))" },
    ],
  },
  {
    ...BOTH,
    why: 'a version has moved what it reads of trust, and does not see what the one beside it holds',
    only: 'trust',
    isBesideThis: true,
    changes: [
      { file: 'src/store/redis/keys.ts', from: '}:trust-statuses:', to: '}:trust-statuses-2:' },
      { file: PUT_TRUST, from: "('HDEL', tag .. 'trust-statuses:'", to: "('HDEL', tag .. 'trust-statuses-2:'" },
      { file: PUT_TRUST, from: "('HGET', tag .. 'trust-statuses:'", to: "('HGET', tag .. 'trust-statuses-2:'" },
    ],
  },
]

export const history = { mutations, runOf }
