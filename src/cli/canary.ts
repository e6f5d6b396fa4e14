// tabir canary plant --bank NAME

import { parseArgs } from 'node:util'
import { messageOf } from '../domain/message-of.js'
import { plantCanary } from '../services/load/canaries.js'
import { failed, printJson } from './output.js'
import { withSealedStore } from './sealed-store.js'

const USAGE = 'tabir canary plant --bank NAME'

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function canary(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { bank: { type: 'string' } },
    })
    const { bank } = values
    if (positionals[0] !== 'plant' || positionals.length !== 1 || bank === undefined) return failed(USAGE, 2)
    const signalId = await withSealedStore((opened) => plantCanary(opened, bank, Date.now()))
    if (signalId === undefined) return failed('There is no such bank.', 2)
    printJson({ signalId, bank })
    return 0
  } catch (error) {
    const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    return failed(isUsage ? USAGE : messageOf(error), isUsage ? 2 : 1)
  }
}
