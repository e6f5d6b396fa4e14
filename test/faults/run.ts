// One fault after the other under a steady load; after each, everything that was promised is looked at.

import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../helpers/pictures.js'
import { askForHashes, askForPictures, checkHashes, checkPicture, hashesIn, picturesIn } from './asker.js'
import { CAUSES, type Cause, type CauseName, type Draw } from './causes.js'
import { is, type Reply } from './client.js'
import { deploy } from './deployment.js'
import { type Findings, noFindings, type Report, reportOf } from './findings.js'
import { importSignals } from './importer.js'
import { openLedger } from './ledger.js'
import { askOne, type Scene } from './load.js'
import { markedPictures } from './pictures.js'
import { submit } from './submitter.js'
import { traceSearch } from './traces.js'

export interface RunOptions {
  readonly faults: number
  readonly seed: number
  /** No others than these. */
  readonly only?: readonly CauseName[]
  /** No fault lasts longer; each has a limit of its own besides. */
  readonly longestMs: number
  /** One line for whoever watches. */
  readonly tell: (line: string) => void
}

export interface Run {
  readonly report: Report
  readonly findings: Findings
  /** How long the processes took to be ready at first, before there was any load. */
  readonly startMs: number
  /** Faults that this machine cannot have. */
  readonly leftOut: readonly CauseName[]
}

/** Everything answers again so soon after a fault, or is waited for no longer. */
const GIVE_UP_AFTER_MS = 60_000
const POLL_MS = 20
const MOST_WITHDRAWN = 1500
const AT_ONCE = 500

export async function run({ faults, seed, only, longestMs, tell }: RunOptions): Promise<Run> {
  const random = randomFrom(seed)
  const pictures = await markedPictures()
  const deployment = await deploy()
  const findings = noFindings()
  const ledger = openLedger(() => performance.now())
  let isOver = false
  const scene: Scene = { deployment, ledger, pictures, findings, random, isOver: () => isOver }
  const traces = traceSearch(deployment, pictures.needles)
  const draw = drawing(random, longestMs)
  const isPossible = ([, { needs }]: [string, Cause]) => needs === undefined || deployment.redis.hasOwnDisk
  const all = entriesOf(CAUSES)
  const possible = all.filter(isPossible).map(([name]) => name)
  const leftOut = all.filter((each) => !isPossible(each)).map(([name]) => name)
  const next = inTurn(only === undefined ? possible : only.filter((name) => possible.includes(name)), draw)
  const freePictures = pictures.pictures.map((_, i) => i)
  const load = Promise.all([
    submit(scene, freePictures),
    submit(scene, freePictures),
    importSignals(scene),
    askForHashes(scene),
    askForHashes(scene),
    askForPictures(scene),
  ])
  try {
    let crashes = 0
    for (let fault = 0; fault < faults; fault++) {
      const name = next()
      await sleep(draw.number(50, 600))
      const startedAtMs = performance.now()
      const cause: Cause = CAUSES[name]
      const itself = await cause.happen(deployment, draw)
      if (itself !== undefined) findings.wrong.push(itself)
      const endedAtMs = performance.now()
      const isReady = await ready(scene)
      const readyMs = performance.now() - endedAtMs
      findings.recoveries.push({ fault: name, readyMs })
      if (!isReady) findings.hung.push(`${name}: not ready again`)
      await verify(scene)
      findings.traces.push(...traces.sinceLast())
      ledger.trim(MOST_WITHDRAWN)
      const crashed = deployment.all.flatMap((kept) => kept.crashes)
      for (const crash of crashed.slice(crashes)) findings.crashes.push(`${crash} (${name})`)
      crashes = crashed.length
      const lasted = Math.round(endedAtMs - startedAtMs)
      tell(`${fault + 1} ${name}, ${lasted} ms; ready after ${Math.round(readyMs)} ms; ${summary(findings)}`)
    }
    isOver = true
    await load
    findings.traces.push(...traces.sinceLast(), ...(await traces.inKeys()))
  } finally {
    isOver = true
    await deployment.close()
  }
  return { report: reportOf(findings, ledger.acknowledged), findings, startMs: deployment.startMs, leftOut }
}

/** Waits until every api says that it is ready, and answers about a hash and about a picture. */
async function ready(scene: Scene): Promise<boolean> {
  const { apis, workers } = scene.deployment
  const end = performance.now() + GIVE_UP_AFTER_MS
  const all = async (question: (at: number) => Promise<Reply>) => {
    const replies = await Promise.all(apis.map((_, at) => question(at)))
    return replies.every((reply) => is(reply, 200))
  }
  while (performance.now() < end) {
    const isReady =
      workers.isReady &&
      (await all((at) => askOne(scene, at, { method: 'GET', path: '/health/ready' }))) &&
      (await all((at) => checkHashes(scene, at, [], () => {}))) &&
      (await all((at) => checkPicture(scene, at, undefined, () => {})))
    if (isReady) return true
    await sleep(POLL_MS)
  }
  return false
}

/** Asks every api for everything. While it does, the load goes on, and faults of their own have no part in it. */
async function verify(scene: Scene): Promise<void> {
  const { findings, deployment } = scene
  for (const at of deployment.apis.keys()) {
    const hashes = hashesIn(scene)
    for (let from = 0; from < hashes.length; from += AT_ONCE) {
      const some = hashes.slice(from, from + AT_ONCE)
      const reply = await checkHashes(scene, at, some, (_, found) => {
        if (found) findings.wrong.push(`a withdrawn hash matched at api ${at}`)
        else findings.lost.push(`a hash at api ${at}`)
      })
      if (!is(reply, 200)) findings.wrong.push(`api ${at} was ready and could not be asked: ${codeOf(reply)}`)
    }
  }
  const [picture] = picturesIn(scene)
  if (picture === undefined) return
  const reply = await checkPicture(scene, 0, picture, (_, found) => {
    if (found) findings.wrong.push('a withdrawn picture matched')
    else findings.lost.push('a picture')
  })
  if (!is(reply, 200)) findings.wrong.push(`a picture could not be asked for after a fault: ${codeOf(reply)}`)
}

/** All of them before any comes again, each time in another order. */
function inTurn(names: readonly CauseName[], draw: Draw): () => CauseName {
  let left: CauseName[] = []
  return () => {
    if (left.length === 0) left = [...names]
    const name = draw.of(left)
    left = left.filter((other) => other !== name)
    return name
  }
}

function codeOf(reply: Reply): string {
  return reply.kind === 'answer' ? `${reply.status} ${reply.code ?? ''}` : reply.kind
}

function drawing(random: () => number, longestMs: number): Draw {
  const number = (from: number, to: number) => from + random() * (to - from)
  return {
    of(all) {
      const one = all[Math.floor(random() * all.length)]
      if (one === undefined) throw new RangeError('nothing to choose from')
      return one
    },
    durationMs(mostMs) {
      const most = Math.min(mostMs, longestMs)
      return random() < 0.1 ? most : number(0, Math.min(most, 1500))
    },
    number,
  }
}

function summary({ lost, wrong, traces, hung, crashes }: Findings): string {
  return `lost ${lost.length}, wrong ${wrong.length}, traces ${traces.length}, hung ${hung.length}, crashes ${crashes.length}`
}

function entriesOf(causes: Readonly<Record<CauseName, Cause>>): [CauseName, Cause][] {
  return Object.entries(causes).flatMap(([name, cause]) => (isCause(name) ? [[name, cause] as [CauseName, Cause]] : []))
}

export function isCause(name: string): name is CauseName {
  return name in CAUSES
}
