// tabir exchange list | pull: exchanges with other systems, through a running api.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { WrongSettings } from '../boot/config.js'
import { failed, printJson } from './output.js'
import { ask, createRemote, printApiUrl, REMOTE_OPTIONS, REMOTE_USAGE, type Remote, refusalOf, textOf } from './remote.js'

const USAGE = `tabir exchange list | pull NAME ${REMOTE_USAGE}`
const LOOK_INTERVAL_MS = 500

const Row = z.looseObject({
  name: z.string(),
  state: z.enum(['waiting', 'pulling', 'running', 'failed']).nullable(),
  startedAt: z.string().nullable(),
})
const List = z.object({ exchanges: z.array(Row), reconcilers: z.array(Row).default([]) })

/** @returns the exit status: 0; 1 on failure; 2 for wrong arguments */
export async function exchange(args: readonly string[]): Promise<number> {
  const options = optionsOf([...args])
  if (typeof options === 'string') return failed(options, 2)
  const { verb, name, remote } = options
  printApiUrl(remote.url)
  try {
    if (verb === 'list') {
      const { exchanges, reconcilers } = await list(remote)
      return print([...exchanges, ...reconcilers])
    }
    const before = (await list(remote)).exchanges.find((row) => row.name === name)
    const asked = await ask(remote, { method: 'POST', path: `/v1/exchanges/${name}/pulls` })
    if (asked.statusCode !== 202) return failed((await refusalOf(asked)).words, 1)
    asked.resume()
    for (;;) {
      await sleep(LOOK_INTERVAL_MS)
      const now = (await list(remote)).exchanges.find((row) => row.name === name)
      if (now === undefined || now.state === 'pulling' || now.startedAt === (before?.startedAt ?? null)) continue
      print([now])
      return now.state === 'failed' ? 1 : 0
    }
  } catch (error) {
    return failed(error instanceof Refusal ? error.message : 'The api cannot be reached.', 1)
  }
}

class Refusal extends Error {}

async function list(remote: Remote): Promise<z.infer<typeof List>> {
  const response = await ask(remote, { method: 'GET', path: '/v1/exchanges' })
  if (response.statusCode !== 200) throw new Refusal((await refusalOf(response)).words)
  return List.parse(JSON.parse(await textOf(response)))
}

function optionsOf(args: string[]): { verb: 'list' | 'pull'; name: string; remote: Remote } | string {
  try {
    const { values, positionals } = parseArgs({ args, options: REMOTE_OPTIONS, allowPositionals: true })
    const [verb, name = '', ...more] = positionals
    const isUsable = (verb === 'list' && name === '') || (verb === 'pull' && /^[a-z0-9-]{1,40}$/.test(name))
    if (!isUsable || more.length > 0) return USAGE
    const remote = createRemote(values)
    return typeof remote === 'string' ? remote : { verb, name, remote }
  } catch (error) {
    if (error instanceof WrongSettings) throw error
    return USAGE
  }
}

function print(rows: readonly object[]): number {
  for (const row of rows) printJson(row)
  return 0
}
