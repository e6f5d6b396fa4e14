// Runs the command `tabir` as an operator does.

import { type ChildProcess, execFile, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { TestService } from './service.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const PROCESS = fileURLToPath(new URL('./tabir-process.js', import.meta.url))
export const SEAL_KEY = Buffer.alloc(32, 7)

export interface Ran {
  readonly status: number
  readonly out: string
  /** Its output, one JSON value per line. */
  readonly rows: readonly unknown[]
  /** The first row. */
  readonly row: unknown
  readonly errors: string
}

const Raw = z.object({ status: z.int(), out: z.string(), errors: z.string() })
export type RawRan = z.infer<typeof Raw>

const idle: ChildProcess[] = []

/** On a data folder or a running Redis, as the environment says. Runs in a process that is shared with other commands. */
export async function tabir(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const ran = await runTabir(environment(env), args)
  return { ...ran, ...printed(ran.out) }
}

/** The same in a folder, with only this environment. The output need not be JSON. */
export async function runTabir(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  cwd = process.cwd(),
): Promise<RawRan> {
  const child = idle.pop() ?? fork(PROCESS, { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  child.ref()
  child.channel?.ref()
  const ran = await new Promise<RawRan>((resolve, reject) => {
    child.once('exit', reject)
    child.once('message', (message) => {
      child.off('exit', reject)
      resolve(Raw.parse(message))
    })
    child.send({ args, env, cwd })
  })
  child.unref()
  child.channel?.unref()
  idle.push(child)
  return ran
}

/** On the store of a service that was started with `SEAL_KEY`. */
export function tabirBeside({ redis }: TestService) {
  const env = { REDIS_SOCKET: redis.socket, TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}` }
  return (...args: string[]) => tabir(env, ...args)
}

/** In its own process, which can be killed. */
export function beginTabir(env: Readonly<Record<string, string>>, ...args: string[]) {
  let child: ChildProcess | undefined
  const ran = new Promise<Ran>((resolve) => {
    const begun = execFile(process.execPath, [MAIN, ...args], { env: environment(env) }, (_, out, errors) => {
      resolve({ status: begun.exitCode ?? 1, out, errors, ...printed(out) })
    })
    child = begun
  })
  return { ran, kill: () => child?.kill('SIGKILL') }
}

function environment(env: Readonly<Record<string, string>>) {
  return { PATH: process.env['PATH'] ?? '', TABIR_SEAL_KEYS: `k1:${SEAL_KEY.toString('base64')}`, ...env }
}

function printed(out: string): Pick<Ran, 'rows' | 'row'> {
  const rows = out.split('\n').flatMap((line): unknown[] => (line === '' ? [] : [JSON.parse(line)]))
  return { rows, row: rows[0] }
}
