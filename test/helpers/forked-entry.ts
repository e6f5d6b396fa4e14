// Processes of workers and messengers, as the supervisor starts them.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export function forkWorkers(socket: string, env: Record<string, string> = {}) {
  return forkEntry('../../workers/main.js', { REDIS_SOCKET: socket, TABIR_HASHERS: '2', ...env })
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

export async function forkEntry(entry: string, env: Record<string, string>) {
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => output.push(text))
  await once(child, 'message')
  return Object.assign(child, { output })
}
