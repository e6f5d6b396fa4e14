// Banks and API keys, which every process holds in memory by name: changed unless another process was first, and announced to all.

import type { AuditAct, AuditEntry } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { untilUnchanged } from '../redis/conflict-retry.js'
import { keys } from '../redis/keys.js'
import type { NamedOp } from '../scripts/change-ops.js'
import { swapNamed } from '../scripts/organisations/swap-named.js'

export interface Named {
  readonly op: NamedOp
  /** Key of a hash: name → JSON. */
  readonly table: string
}

/**
 * Changes one entry. Repeats when another process changed it meanwhile. Durable when it returns.
 * @param revise returns the new JSON of the entry, and optionally another entry to add in the same step; `undefined` for no change.
 * @param entry of the audit log, noted in the same step.
 * @returns the revision that has all of it; `undefined` when there is no entry of this name, or nothing to change.
 */
export async function changeNamed<A extends AuditAct>(
  store: Store,
  { op, table }: Named,
  name: string,
  revise: (
    json: string,
  ) => { readonly json: string; readonly added?: { readonly name: string; readonly json: string } } | undefined,
  entry: AuditEntry<A>,
): Promise<number | undefined> {
  for (const again = untilUnchanged(); ; await again()) {
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
