// Writes into a bank that go on for long: done only while the bank is the one that was meant, and nobody has taken over.

import type { BankRef } from '../../domain/organisations/bank.js'
import { Problem } from '../../domain/problem.js'
import { guarded } from '../scripts/guarded.js'
import type { Script } from '../scripts/script.js'
import type { Store } from './client.js'
import type { Arg } from './durable-writer.js'
import { keys } from './keys.js'

/** One try at an import; a later one takes over. */
export interface ImportRun {
  readonly key: string
  readonly writer: string
}

export interface Guard {
  /** Left out for the deployment's own, which are always there. */
  readonly bank?: BankRef | undefined
  readonly run?: ImportRun | undefined
}

/** @throws {Problem} bank-unknown, also for another bank of this name; idempotency-key-busy when another run has taken over. */
export async function writeGuarded(
  store: Store,
  guard: Guard | undefined,
  script: Script,
  scriptKeys: readonly string[],
  args: readonly Arg[],
): Promise<unknown> {
  if (guard === undefined) return store.write(script, scriptKeys, args)
  const { bank, run } = guard
  const places = [...scriptKeys, keys.banks, run?.key ?? keys.banks]
  const guards = [bank?.name ?? '', bank?.createdAtMs ?? 0, bank?.id ?? '', run?.writer ?? '']
  const reply = await store.write(guarded(script), places, [...args, ...guards])
  if (Buffer.isBuffer(reply) || typeof reply === 'string') {
    const said = String(reply)
    if (said === 'bank-unknown') throw new Problem('bank-unknown')
    if (said === 'overtaken') throw new Problem('idempotency-key-busy')
  }
  return reply
}
