// The command `tabir`, as an operator types it.

import { type ChildProcess, execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestService } from './service.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
export const SEAL_KEY = Buffer.alloc(32, 7)

export interface Ran {
  readonly status: number
  readonly out: string
  /** What it printed, each line JSON. */
  readonly rows: readonly unknown[]
  /** The first of them. */
  readonly row: unknown
  readonly errors: string
}

/** On a data folder or a Redis that runs, by the environment. */
export function tabir(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  return beginTabir(env, ...args).ran
}

/** On the store of a service that was started with `SEAL_KEY`. */
export function tabirBeside({ redis }: TestService) {
  const env = { REDIS_SOCKET: redis.socket, TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}` }
  return (...args: string[]) => tabir(env, ...args)
}

/** For whoever wants to end it before it ends. */
export function beginTabir(env: Readonly<Record<string, string>>, ...args: string[]) {
  const all = { PATH: process.env['PATH'], TABIR_SEAL_KEYS: `k1:${SEAL_KEY.toString('base64')}`, ...env }
  let child: ChildProcess | undefined
  const ran = new Promise<Ran>((resolve) => {
    const begun = execFile(process.execPath, [MAIN, ...args], { env: all }, (_, out, errors) => {
      const rows = out.split('\n').flatMap((line): unknown[] => (line === '' ? [] : [JSON.parse(line)]))
      resolve({ status: begun.exitCode ?? 1, out, rows, row: rows[0], errors })
    })
    child = begun
  })
  return { ran, kill: () => child?.kill('SIGKILL') }
}
