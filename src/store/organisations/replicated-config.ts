// What every process keeps in memory by name, banks and API keys: read, changed if nobody was faster, and told to all.

import type { AuditAct, AuditEntry } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { untilUnchanged } from '../redis/latest.js'
import type { NamedOp } from '../scripts/change-ops.js'
import { swapNamed } from '../scripts/organisations/swap-named.js'

export interface Named {
  readonly op: NamedOp
  /** hash: name → JSON. */
  readonly table: string
}

/**
 * @param revise the JSON that is to stand there, from the one that does; and one to add in the same step, under a name of its own.
 *   `undefined` when it is as it should be already.
 * @param entry what the audit log says of it, in the same step.
 * @returns the revision that has it all; `undefined` when there is nothing of this name, or nothing to change. Durable when it returns.
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
