// Two apis and workers of two versions over one Redis, under load: upgraded one after the other, and downgraded again.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import { readConfig } from '../../src/boot/config.js'
import { openRedisServer } from '../../src/store/embedded/embedded-redis.js'
import { FORMAT } from '../../src/store/redis/format.js'
import { scene as drawn, randomFrom } from '../helpers/pictures.js'
import { freePorts } from '../helpers/ports.js'
import { until } from '../helpers/service.js'
import { askForHashes, askForPictures } from './asker.js'
import { makeKey } from './deployment.js'
import { type Findings, noFindings } from './findings.js'
import { importSignals } from './importer.js'
import { type KeptProcess, keepProcess } from './kept-process.js'
import { openLedger } from './ledger.js'
import type { Scene } from './load.js'
import { patience } from './patience.js'
import { submit } from './submitter.js'
import { ready, verify } from './verify.js'
import { mediaChecks } from './versions-media.js'

type Version = 'other' | 'this'
const PARTS = ['api-a', 'api-b', 'workers'] as const
type Part = (typeof PARTS)[number]

const STOP_TIMEOUT_MS = 40_000
const PATIENCE_MS = 60_000
const WRITES_BETWEEN = 40
const OtherFormat = z.object({ FORMAT: z.object({ written: z.int() }) })

export interface Versions {
  readonly findings: Findings
  readonly acknowledged: number
  readonly steps: readonly string[]
}

/**
 * Starts with the other version only, changes one process after the other to this one, and back again; after each step
 * everything is checked. What was registered before stays, at every process. Where this version's format says that the
 * other one would misread the store, there is no way back: then the other one must refuse to start.
 * @param other the folder of another version, built.
 */
export async function versions(other: string, seed: number, tell: (line: string) => void): Promise<Versions> {
  const entryOf = (version: Version, part: Part) => {
    const path = part === 'workers' ? 'workers/main.js' : 'src/boot/server.js'
    if (version === 'this') return fileURLToPath(new URL(`../../${path}`, import.meta.url))
    const found = join(resolve(other), 'dist', path)
    return existsSync(found) ? found : found.replace('/src/boot/', '/src/') // older versions have it one folder up
  }
  for (const part of PARTS) if (!existsSync(entryOf('other', part))) throw new Error(`${other} is not built`)
  const { FORMAT: theirs } = OtherFormat.parse(
    await import(pathToFileURL(join(resolve(other), 'dist/src/store/redis/format.js')).href),
  )
  const folder = mkdtempSync(join(tmpdir(), 'tabir-versions-'))
  const redis = await openRedisServer(readConfig({ PATH: process.env['PATH'], TABIR_DATA_DIR: folder }))
  const socket = redis.socket ?? ''
  const sealKeys = { TABIR_SEAL_KEYS: `k1:${Buffer.alloc(32, 5).toString('base64')}`, TABIR_LOG_LEVEL: 'warn' }
  const envOf = (part: Part) => {
    const dataDir = join(folder, part)
    mkdirSync(dataDir, { recursive: true })
    const own =
      part === 'workers' ? { TABIR_HASHERS: '1' } : { ...sealKeys, TABIR_DATA_DIR: dataDir, TABIR_SNAPSHOT_INTERVAL_S: '2' }
    return { PATH: process.env['PATH'], REDIS_SOCKET: socket, ...own }
  }
  const start = (part: Part, version: Version) =>
    keepProcess({ name: `${part} of ${version}`, entry: entryOf(version, part), env: envOf(part) })
  let isOver = false
  const running = new Map<Part, KeptProcess>()
  try {
    const headers = { authorization: `Bearer ${await makeKey({ url: undefined, socket })}` }
    for (const part of PARTS) running.set(part, await start(part, 'other'))
    const one = (part: Part): KeptProcess => {
      const kept = running.get(part)
      if (kept === undefined) throw new Error(`${part} does not run`)
      return kept
    }
    const pictures = await Promise.all([9000, 9001, 9002].map((number) => drawn(number, { width: 320, height: 240 })))
    const scene: Scene = {
      deployment: {
        get apis() {
          return [one('api-a'), one('api-b')]
        },
        get workers() {
          return one('workers')
        },
        headers,
      },
      ledger: openLedger(() => performance.now()),
      pictures: { pictures: pictures.map((picture) => [picture]), needles: [] },
      findings: noFindings(),
      random: randomFrom(seed),
      isOver: () => isOver,
    }
    const load = Promise.all([submit(scene, [0, 1, 2]), importSignals(scene), askForHashes(scene), askForPictures(scene)])
    const steps: string[] = []
    const media = await mediaChecks({ url: undefined, socket })
    const look = async (step: string) => {
      if (!(await ready(scene))) scene.findings.hung.push(`${step}: not ready`)
      const least = scene.ledger.acknowledged + WRITES_BETWEEN
      await until(() => scene.ledger.acknowledged >= least, PATIENCE_MS)
      await verify(scene)
      await media.look(scene, step)
      steps.push(step)
      tell(`${step}: ${scene.ledger.acknowledged} writes acknowledged`)
    }
    await look('all of the other version')
    for (const version of ['this', 'other'] as const) {
      for (const part of PARTS) {
        if (version === 'other' && theirs.written < FORMAT.readableFrom) {
          if (!(await isRefused(entryOf(version, part), envOf(part))))
            scene.findings.wrong.push(`${part} of an older format does not refuse the store`)
          await look(`${part} of the other version refused`)
          continue
        }
        const before = one(part)
        const ended = await before.term(STOP_TIMEOUT_MS)
        await before.stop()
        if (ended !== '0') scene.findings.wrong.push(`${before.name} ended with ${ended}`)
        const next = await start(part, version)
        running.set(part, next)
        await look(`${part} changed to ${version}`)
      }
    }
    if (!(await media.isCountedRight())) scene.findings.wrong.push('removed watches are still counted')
    isOver = true
    await load
    return { findings: scene.findings, acknowledged: scene.ledger.acknowledged, steps }
  } finally {
    isOver = true
    await Promise.all([...running.values()].map((kept) => kept.stop()))
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns whether a process ends by itself and says why. */
async function isRefused(entry: string, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const [port] = await freePorts(1)
  const child = fork(entry, { env: { ...env, TABIR_PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const killed = patience(STOP_TIMEOUT_MS)
  killed.signal.addEventListener('abort', () => child.kill('SIGKILL'))
  const [status] = await once(child, 'close')
  killed.end()
  return status !== 0 && status !== null && output.includes('newer version of Tabir')
}
