// How much of a mixed load does one machine bear, and how does it behave under three times as much?
//
//   npm run bench load [-- --rows N] [--seconds S] [--json] [--record]
//
// A private Redis with N images of one PDQ hash each, one api, one process of workers with a child for each core, and a client with at most 512
// connections: on one machine, over loopback. Of a hundred requests 90 match a hash, 8 match a picture (JPEG, 1280 × 960) and 2 write. Two people a
// second submit a picture beside them. Every answer is checked; the status is 1 when one was wrong.
//
// Phases: each kind alone for S seconds at its maximum rate; all together at their maximum rate; then at a fixed rate half of that, 0.8 and 0.95 of it,
// three times it, and half of it again. The goals compare three times with half; a table has the ratios to 0.8 and 0.95 too. Figures "after 2 s" leave
// out the first two seconds of a phase, in which a burst is admitted. Half an hour of the load: bench/soak.mjs.

import { parseArgs } from 'node:util'
import { environmentFor } from '../dist/src/boot/config.js'
import { publish } from './http/record.mjs'
import { SHARES } from './load/mix.mjs'
import { backLines, curveLines, goalLines, kindLines, partLines, phaseLines, summary, wholePerS } from './load/report.mjs'
import { memoryOf, sampled } from './load/samples.mjs'
import { fill, openService, run, startApi, startPart, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const PHASE_MS = 1000 * wholeNumber(args, 'seconds')
const CONNECTIONS = { hash: 16, picture: 4, write: 16, all: 16 }
/** Of what it can: what it bears, besides half. */
const BEARABLE = [0.8, 0.95]
const OVERLOAD = 3
const PEOPLE_PER_S = 2
const SAMPLE_INTERVAL_MS = 1000
const SEED = 4711

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const api = await startApi(defer, service, { entry: new URL('./http/api.mjs', import.meta.url) })
  const workers = await startPart(
    defer,
    new URL('../dist/workers/main.js', import.meta.url),
    environmentFor('workers', { socket: service.redis.socket }, { PATH: process.env.PATH }),
  )
  const client = await startPart(defer, new URL('./load/client.mjs', import.meta.url))
  const order = { port: api.port, seed: SEED }
  await client.ask('prepare', { port: api.port, key: service.key, rows: ROWS })
  const memory = memoryOf({ api, workers }, service.store)
  /** One phase: what the client saw, and meanwhile what the api said of itself. */
  const phase = async (what, name, asked) => {
    await api.ask('watch')
    const samples = sampled(api.port, memory, SAMPLE_INTERVAL_MS)
    const seen = await client.ask(what, { ...order, ...asked })
    return { name, ...seen, samples: await samples.end(), delays: await api.ask('delays') }
  }
  const open = (name, perS, ms = PHASE_MS) => phase('open', name, { perS, ms, peoplePerS: PEOPLE_PER_S })

  const alone = {}
  for (const kind of Object.keys(SHARES)) {
    const asked = { kind, ms: PHASE_MS, connections: CONNECTIONS[kind] }
    await client.ask('closed', { ...order, ...asked, ms: 2000 }) // warm
    alone[kind] = await phase('closed', `${kind} alone`, asked)
  }
  const together = await phase('closed', 'together', { ms: PHASE_MS, connections: CONNECTIONS.all })
  const perS = wholePerS(together)
  const normal = await open('half', perS / 2, 2 * PHASE_MS)
  const bearable = []
  for (const share of BEARABLE) bearable.push(await open(`${share} of it`, share * perS))
  const overload = await open(`${OVERLOAD} times`, OVERLOAD * perS)
  const after = await open('half again', perS / 2)

  const phases = [...Object.values(alone), together, normal, ...bearable, overload, after]
  const wrong = phases.reduce((sum, each) => sum + summary(each).wrong, 0)
  const title = (text, lines) => ({ title: text, lines })
  publish(
    'load',
    { rows: ROWS, wrong, perS, phases: phases.map(summary) },
    [
      title('Maximum rates', partLines({ alone, together })),
      title('Phases', phaseLines(phases)),
      title('Kinds of requests at half and at three times the load', kindLines([normal, overload, after])),
      title('p99 by load, in ms after the first 2 s', curveLines([normal, ...bearable], overload)),
      title('Late half seconds', backLines({ normal, after })),
      title('Goals', goalLines({ alone, together, normal, overload, after })),
    ],
    args,
  )
})
