// Banks in the store.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { BANK_PURPOSES, type Bank, type BankRef, isSameBank, knownAfter } from '../../../packages/core/src/matching/bank.js'
import { SIGNAL_TYPE_NAMES } from '../../../packages/core/src/matching/signal-types.js'
import type { AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { addBank, forgetBank } from '../scripts/organisations/banks.js'
import { exactName } from './exact-name.js'
import { importsKeyPart } from './imports.js'
import { changeNamed } from './replicated-config.js'

const BankJson = z.object({
  // Absent in banks that an older version created.
  id: z.string().optional(),
  // Absent in banks that an older version created.
  purpose: z.enum(BANK_PURPOSES).default('match'),
  orgId: z.string(),
  thresholdBits: z.partialRecord(z.enum(SIGNAL_TYPE_NAMES), z.int()),
  createdAtMs: z.int(),
  readers: z.record(z.string(), z.string()).optional(),
  knownSinceMs: z.record(z.string(), z.int()).optional(),
  enabledRatio: z.number().optional(),
  removedAtMs: z.int().optional(),
})

export interface Banks {
  /**
   * Creates a bank. Recorded in the audit log.
   * @param bank.name its label.
   * @param seesAll whether the creator may know of every bank.
   * @returns the bank with its id and its name in the store, and the revision that has it; `undefined` when the owner may know of another
   *   bank of this label; `full` when the owner has as many as it may. A bank that the owner may not know of does not change the answer.
   */
  add(
    bank: Bank & { readonly orgId: string },
    by: AuditActor,
    seesAll?: boolean,
  ): Promise<{ readonly bank: Bank; readonly revision: number } | 'full' | undefined>
  /**
   * Recorded in the audit log. @returns the revision that has it; `undefined` when this bank does not exist or is removed, also when another
   * bank has its name by now.
   */
  setReaders(bank: BankRef, readers: Bank['readers'], by: AuditActor, atMs: number): Promise<number | undefined>
  /** As `setReaders`. */
  setRatio(bank: BankRef, enabledRatio: number, by: AuditActor, atMs: number): Promise<number | undefined>
  /** As `setReaders`. Marks the bank as removed: it matches nothing from the revision on. A bank that is already marked stays as it is. */
  markRemoved(bank: BankRef, by: AuditActor, atMs: number): Promise<number | undefined>
  /**
   * Deletes a bank that is marked as removed and has no images any more, with the progress of its imports, in one step. Does nothing when the
   * name belongs to another bank by now, or to none.
   */
  forget(removed: BankRef): Promise<void>
  get(name: string): Promise<Bank | undefined>
  all(): Promise<Bank[]>
}

/** Enough that random ids never collide. */
const ID_BYTES = 16
/** Banks of an organisation that is not an operator. Every query looks at every bank. */
const MAX_BANKS = 200

export function createBankStore(store: Store): Banks {
  /** Changes exactly this bank: its name may belong to another bank by the time of the write. */
  const change = (
    bank: BankRef,
    changed: (before: z.infer<typeof BankJson>) => z.infer<typeof BankJson>,
    entry: AuditEntry<'bank.readers-changed' | 'bank.ratio-changed' | 'bank.removed'>,
  ) =>
    changeNamed(
      store,
      { op: 'bank', table: keys.banks },
      bank.name,
      (json) => {
        const before = BankJson.parse(JSON.parse(json))
        if (!isSameBank({ name: bank.name, ...before }, bank) || before.removedAtMs !== undefined) return undefined
        return { json: JSON.stringify(changed(before)) }
      },
      entry,
    )

  return {
    async add({ name: label, ...given }, by, seesAll = false) {
      const rest = { ...given, id: randomBytes(ID_BYTES).toString('hex') }
      const { orgId } = rest
      const reply = await writeAudited(
        store,
        { act: 'bank.created', by, about: { bank: label, orgId }, atMs: rest.createdAtMs },
        addBank,
        [keys.banks, keys.revision, keys.changes],
        [label, exactName(label, orgId), orgId, seesAll ? 1 : 0, JSON.stringify(rest), MAX_BANKS],
      )
      if (reply === -1) return 'full'
      if (!Array.isArray(reply)) return undefined
      const [revision, name] = reply
      return { bank: { ...rest, name: String(name) }, revision: Number(revision) }
    },
    setReaders(bank, readers, by, atMs) {
      const entry = { act: 'bank.readers-changed', by, about: { bank: bank.name }, atMs } as const
      return change(
        bank,
        (before) => ({ ...before, readers, knownSinceMs: knownAfter({ name: bank.name, ...before }, readers, atMs) }),
        entry,
      )
    },
    setRatio(bank, enabledRatio, by, atMs) {
      const entry = { act: 'bank.ratio-changed', by, about: { bank: bank.name }, atMs } as const
      return change(bank, (before) => ({ ...before, enabledRatio }), entry)
    },
    markRemoved(bank, by, atMs) {
      const entry = { act: 'bank.removed', by, about: { bank: bank.name }, atMs } as const
      return change(bank, (before) => ({ ...before, removedAtMs: atMs }), entry)
    },
    async forget(bank) {
      const { name, createdAtMs, id = '' } = bank
      const imports = importsKeyPart(bank)
      const scriptKeys = [keys.banks, keys.imports(imports), keys.revision, keys.changes]
      await store.write(forgetBank, scriptKeys, [name, createdAtMs, id, keys.import(imports, '')])
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
