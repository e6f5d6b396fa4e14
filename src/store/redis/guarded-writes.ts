// Writes of long imports into a bank. Each is refused once the bank was replaced or another run of the import took over.

import type { BankRef } from '../../../packages/core/src/matching/bank.js'
import { Problem } from '../../domain/problem.js'
import { guarded } from '../scripts/guarded.js'
import type { Script } from '../scripts/script.js'
import type { Store } from './client.js'
import type { Arg } from './durable-writer.js'
import { keys } from './keys.js'

/** One run of an import. A later run takes over: then this one can no longer write. */
export interface ImportRun {
  /** The hash in Redis that names the current run. */
  readonly key: string
  /** Random token of this run. */
  readonly writer: string
}

export interface Guard {
  /** Left out for the deployment's own banks, which always exist. */
  readonly bank?: BankRef | undefined
  readonly run?: ImportRun | undefined
}

/**
 * Runs a script if the guard holds; without a guard, always.
 * @returns the script's reply.
 * @throws {Problem} bank-unknown when the bank is gone or replaced by another of its name; idempotency-key-busy when another run took over;
 *   store-unavailable.
 */
export async function writeGuarded(
  store: Store,
  guard: Guard | undefined,
  script: Script,
  scriptKeys: readonly string[],
  args: readonly Arg[],
): Promise<unknown> {
  if (guard === undefined) return store.write(script, scriptKeys, args)
  const { bank, run } = guard
  const allKeys = [...scriptKeys, keys.banks, run?.key ?? keys.banks]
  const guards = [bank?.name ?? '', bank?.createdAtMs ?? 0, bank?.id ?? '', run?.writer ?? '']
  const reply = await store.write(guarded(script), allKeys, [...args, ...guards])
  if (Buffer.isBuffer(reply) || typeof reply === 'string') {
    const said = String(reply)
    if (said === 'bank-unknown') throw new Problem('bank-unknown')
    if (said === 'overtaken') throw new Problem('idempotency-key-busy')
  }
  return reply
}
