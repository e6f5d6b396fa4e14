// Simulates Telegram, and runs the examples that use it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Runs a copy of an example, as a user would. */
export function startExample(
  t: Test,
  command: string,
  args: readonly string[],
  env: object,
): ChildProcess & { text: () => string } {
  const child = spawn(command, args, { cwd: root, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  return Object.assign(child, { text: () => text })
}

interface Call {
  readonly method: string
  readonly body: Record<string, unknown>
}

/** Simulates Telegram. @param answers replace the success of calls, in order, by method. */
export async function telegram(
  t: Test,
  files: Readonly<Record<string, Buffer>>,
  updates: object[][],
  answers: [string, object][] = [],
) {
  const calls: Call[] = []
  const standIn = createServer(async (request, response) => {
    const [, kind = '', ...rest] = (request.url ?? '').split('/')
    if (kind === 'file') return response.end(files[rest.at(-1) ?? ''])
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const method = rest[0] ?? ''
    const body = JSON.parse(text) as Record<string, unknown>
    calls.push({ method, body })
    const at = answers.findIndex(([of]) => of === method)
    const [refusal] = at === -1 ? [] : answers.splice(at, 1)
    if (refusal !== undefined) return response.end(JSON.stringify({ ok: false, ...refusal[1] }))
    if (method === 'getUpdates' && updates.length === 0 && Number(body['timeout']) > 10) return // a long poll without a result
    const results: Record<string, unknown> = {
      getUpdates: method === 'getUpdates' ? (updates.shift() ?? []) : undefined,
      getFile: { file_path: `photos/${String(body['file_id'])}` },
      getChatAdministrators: [{ user: { id: 7, is_bot: false } }],
    }
    response.end(JSON.stringify({ ok: true, result: results[method] ?? true }))
  })
  standIn.listen(0, '127.0.0.1')
  await once(standIn, 'listening')
  t.teardown(() => {
    standIn.closeAllConnections()
    standIn.close()
  })
  const address = standIn.address()
  const of = (method: string) => calls.filter((call) => call.method === method).map(({ body }) => body)
  return {
    of,
    env: { TELEGRAM_API: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, TELEGRAM_TOKEN: '1:x' },
  }
}
