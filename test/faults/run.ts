// One fault after the other under a steady load; after each, every promise is checked.

import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../helpers/pictures.js'
import { askForHashes, askForPictures } from './asker.js'
import { CAUSES, type Cause, type CauseName, type Draw } from './causes.js'
import { deploy } from './deployment.js'
import { type Findings, noFindings, type Report, reportOf, unexpectedErrors } from './findings.js'
import { importSignals } from './importer.js'
import { openLedger } from './ledger.js'
import { askOne, type Scene } from './load.js'
import { markedPictures } from './pictures.js'
import { submit } from './submitter.js'
import { traceSearch } from './traces.js'
import { ready, verify } from './verify.js'

export interface RunOptions {
  readonly faults: number
  readonly seed: number
  /** Only these faults. */
  readonly only?: readonly CauseName[]
  /** The limit of any fault's duration; each has its own limit too. */
  readonly longestMs: number
  /** One line for the operator: each finding at once, and the progress every so many faults. */
  readonly tell: (line: string) => void
  readonly tellEvery: number
}

export interface Run {
  readonly report: Report
  readonly findings: Findings
  /** How long the processes took to be ready at first, before there was any load. */
  readonly startMs: number
  /** Faults that this machine cannot produce. */
  readonly leftOut: readonly CauseName[]
}

const MAX_WITHDRAWN = 1500

export async function run({ faults, seed, only, longestMs, tell, tellEvery }: RunOptions): Promise<Run> {
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
  const next = inOrder(only === undefined ? possible : only.filter((name) => possible.includes(name)), draw)
  const freePictures = pictures.pictures.map((_, i) => i)
  // The first request of a process may hang in Node's client itself when the other side ends before the client has its parser
  // (2 of 12 times with a server that does nothing else; Node 20.20). So no fault may meet the first request of a process.
  await Promise.all(deployment.apis.map((_, at) => askOne(scene, at, { method: 'GET', path: '/health/ready' })))
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
    const told = newsOf(findings)
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
      ledger.trim(MAX_WITHDRAWN)
      const crashed = deployment.all.flatMap((kept) => kept.crashes)
      for (const crash of crashed.slice(crashes)) findings.crashes.push(`${crash} (${name})`)
      crashes = crashed.length
      const lasted = Math.round(endedAtMs - startedAtMs)
      const news = told.news()
      for (const line of news) tell(line)
      if (news.length > 0 || (fault + 1) % tellEvery === 0)
        tell(`${fault + 1} ${name}, ${lasted} ms; ready after ${Math.round(readyMs)} ms; ${summary(findings)}`)
    }
    isOver = true
    await load
    findings.traces.push(...traces.sinceLast(), ...(await traces.inKeys()))
    findings.wrong.push(...deployment.apis.flatMap(({ name, output }) => unexpectedErrors(name, output)))
  } finally {
    isOver = true
    await deployment.close()
  }
  return { report: reportOf(findings, ledger.acknowledged), findings, startMs: deployment.startMs, leftOut }
}

/** All of them before any is repeated, each time in another order. */
function inOrder(names: readonly CauseName[], draw: Draw): () => CauseName {
  let left: CauseName[] = []
  return () => {
    if (left.length === 0) left = [...names]
    const name = draw.of(left)
    left = left.filter((other) => other !== name)
    return name
  }
}

function drawing(random: () => number, longestMs: number): Draw {
  const number = (from: number, to: number) => from + random() * (to - from)
  return {
    of(all) {
      const one = all[Math.floor(random() * all.length)]
      if (one === undefined) throw new RangeError('nothing to choose from')
      return one
    },
    durationMs(maxMs) {
      const most = Math.min(maxMs, longestMs)
      return random() < 0.1 ? most : number(0, Math.min(most, 1500))
    },
    number,
  }
}

/** The findings since the last call: a run of a thousand faults takes half an hour. */
function newsOf({ recoveries: _, ...findings }: Findings) {
  const told = new Map<string, number>()
  return {
    news: () =>
      Object.entries(findings).flatMap(([kind, lines]) => {
        const fresh = lines.slice(told.get(kind) ?? 0)
        told.set(kind, lines.length)
        return fresh.map((line) => `${kind}: ${line}`)
      }),
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
