// Banks in the store.

import { z } from 'zod'
import type { AuditActor } from '../domain/audit.js'
import { BANK_PURPOSES, type Bank } from '../domain/bank.js'
import { SIGNAL_TYPE_NAMES } from '../domain/signal-types.js'
import { writeAudited } from './audit.js'
import { keys } from './keys.js'
import { changeNamed } from './named.js'
import { putNamed, removeNamed } from './scripts/put-named.js'
import type { Store } from './store.js'

const BankJson = z.object({
  // Absent where an older version made the bank.
  purpose: z.enum(BANK_PURPOSES).default('match'),
  orgId: z.string(),
  thresholdBits: z.partialRecord(z.enum(SIGNAL_TYPE_NAMES), z.int()),
  createdAtMs: z.int(),
  readers: z.record(z.string(), z.string()).optional(),
  enabledRatio: z.number().optional(),
  removedAtMs: z.int().optional(),
})

export interface Banks {
  /** Recorded in the audit log. @returns the revision that has it, or `undefined` when the name is taken. */
  add(bank: Bank, by: AuditActor): Promise<number | undefined>
  /** Recorded in the audit log. @returns the revision that has it, or `undefined` when there is no such bank. */
  setReaders(name: string, readers: Bank['readers'], by: AuditActor, atMs: number): Promise<number | undefined>
  /** The same. */
  setRatio(name: string, enabledRatio: number, by: AuditActor, atMs: number): Promise<number | undefined>
  /** Marks it as removed: nothing is found in it from the revision on. Recorded in the audit log. */
  markRemoved(name: string, by: AuditActor, atMs: number): Promise<number | undefined>
  /** Forgets a bank that is marked and has no images any more. Running it twice changes nothing. */
  forget(name: string): Promise<void>
  get(name: string): Promise<Bank | undefined>
  all(): Promise<Bank[]>
}

export function banksIn(store: Store): Banks {
  return {
    async add({ name, ...rest }, by) {
      const reply = await writeAudited(
        store,
        { act: 'bank.created', by, about: { bank: name, orgId: rest.orgId ?? 'tabir' }, atMs: rest.createdAtMs },
        putNamed,
        [keys.banks, keys.revision, keys.changes],
        ['bank', name, JSON.stringify(rest)],
      )
      return reply === null ? undefined : Number(reply)
    },
    setReaders(name, readers, by, atMs) {
      const revise = (json: string) => ({ json: JSON.stringify({ ...BankJson.parse(JSON.parse(json)), readers }) })
      const entry = { act: 'bank.readers-changed', by, about: { bank: name }, atMs } as const
      return changeNamed(store, { op: 'bank', table: keys.banks }, name, revise, entry)
    },
    setRatio(name, enabledRatio, by, atMs) {
      const revise = (json: string) => ({ json: JSON.stringify({ ...BankJson.parse(JSON.parse(json)), enabledRatio }) })
      const entry = { act: 'bank.ratio-changed', by, about: { bank: name }, atMs } as const
      return changeNamed(store, { op: 'bank', table: keys.banks }, name, revise, entry)
    },
    markRemoved(name, by, atMs) {
      const revise = (json: string) => ({
        json: JSON.stringify({ removedAtMs: atMs, ...BankJson.parse(JSON.parse(json)) }),
      })
      const entry = { act: 'bank.removed', by, about: { bank: name }, atMs } as const
      return changeNamed(store, { op: 'bank', table: keys.banks }, name, revise, entry)
    },
    async forget(name) {
      await store.write(removeNamed, [keys.banks, keys.revision, keys.changes], ['bank', name])
    },
    async get(name) {
      const json = await store.ask((redis) => redis.hget(keys.banks, name))
      return json === null ? undefined : parse(name, json)
    },
    async all() {
      const found = await store.ask((redis) => redis.hgetall(keys.banks))
      return Object.entries(found).map(([name, json]) => parse(name, json))
    },
  }
}

function parse(name: string, json: string): Bank {
  return { name, ...BankJson.parse(JSON.parse(json)) }
}
