// Changes banks and API keys. Every process holds them in memory by name, so each change is announced in the change stream.

import type { AuditAct, AuditEntry } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { createConflictRetry } from '../redis/conflict-retry.js'
import { keys } from '../redis/keys.js'
import type { NamedOp } from '../scripts/change-ops.js'
import { swapNamed } from '../scripts/organisations/swap-named.js'

export interface NamedTable {
  /** Kind of the announced change. */
  readonly op: NamedOp
  /** Key of the Redis hash: name → JSON. */
  readonly table: string
}

/**
 * Changes one bank or key by compare-and-swap: if another process changed it after the read, `revise` is called again. Durable when it returns.
 * @param revise returns the new JSON, and optionally another bank or key to add in the same step; `undefined` for no change.
 * @param entry is written to the audit log in the same step.
 * @returns the revision of the change; `undefined` if the name is unknown or nothing changed.
 * @throws {Problem} overloaded after 20 conflicts.
 */
export async function changeNamed<A extends AuditAct>(
  store: Store,
  { op, table }: NamedTable,
  name: string,
  revise: (
    json: string,
  ) => { readonly json: string; readonly added?: { readonly name: string; readonly json: string } } | undefined,
  entry: AuditEntry<A>,
): Promise<number | undefined> {
  for (const retry = createConflictRetry(); ; await retry()) {
    const before = await store.ask((redis) => redis.hget(table, name))
    if (before === null) return undefined
    const revised = revise(before)
    if (revised === undefined) return undefined
    const { json, added } = revised
    const args = [op, name, before, json, added?.name ?? '', added?.json ?? '']
    const reply = await writeAudited(store, entry, swapNamed, [table, keys.revision, keys.changes], args)
    if (reply !== null) return Number(reply)
  }
}
