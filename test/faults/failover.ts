// Two apis and workers over three Redis servers with Sentinels: the master fails under load, and another one takes over.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/boot/config.js'
import { findRedisServer } from '../../src/store/embedded/find-redis.js'
import { scene as drawn, randomFrom } from '../helpers/pictures.js'
import { until } from '../helpers/service.js'
import { askForHashes } from './asker.js'
import { makeKey } from './deployment.js'
import { type Findings, noFindings } from './findings.js'
import { importSignals } from './importer.js'
import { type KeptProcess, keepProcess } from './kept-process.js'
import { openLedger } from './ledger.js'
import type { Scene } from './load.js'
import { AGAIN_AFTER_MS, type Sentinels, startSentinels } from './sentinels.js'
import { submit } from './submitter.js'
import { ready, verify } from './verify.js'

/** `cut off`: it is suspended with its connections open, and still believes that it is the master when it resumes. */
export type MasterEnd = 'killed' | 'cut off'

export interface Failovers {
  readonly findings: Findings
  readonly acknowledged: number
  /** From the end of the master until a write was acknowledged. */
  readonly tookMs: readonly number[]
  /** How long the processes took to be ready at first: a measure of the machine. */
  readonly startMs: number
}

const PATIENCE_MS = 60_000

export async function failover(ends: readonly MasterEnd[], seed: number): Promise<Failovers> {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-sentinels-'))
  const found = findRedisServer(readConfig({ PATH: process.env['PATH'] }))
  if (found === undefined) throw new Error('there is no Redis on this machine')
  const sentinels = await startSentinels(folder, found.binary)
  const running: KeptProcess[] = []
  let isOver = false
  try {
    const startedAtMs = performance.now()
    const headers = { authorization: `Bearer ${await makeKey({ url: sentinels.url, socket: undefined })}` }
    const [a, b, workers] = await startAll(folder, sentinels)
    running.push(a, b, workers)
    const startMs = performance.now() - startedAtMs
    const scene: Scene = {
      deployment: { apis: [a, b], workers, headers },
      ledger: openLedger(() => performance.now()),
      pictures: { pictures: [[], [await drawn(9000, { width: 320, height: 240 })]], needles: [] },
      findings: noFindings(),
      random: randomFrom(seed),
      isOver: () => isOver,
    }
    const load = Promise.all([submit(scene, []), importSignals(scene), askForHashes(scene)])
    const written = async (more: number) => {
      const least = scene.ledger.acknowledged + more
      await until(() => scene.ledger.acknowledged >= least, PATIENCE_MS)
    }
    await written(50)
    const tookMs: number[] = []
    for (const [i, end] of ends.entries()) {
      if (i > 0) await sleep(AGAIN_AFTER_MS)
      const master = await sentinels.master()
      if (end === 'killed') await master.kill()
      else master.signal('SIGSTOP')
      const endedAtMs = performance.now()
      await until(async () => (await sentinels.master()).port !== master.port, PATIENCE_MS)
      await written(1)
      tookMs.push(performance.now() - endedAtMs)
      if (end === 'killed') master.start()
      else master.signal('SIGCONT')
      if (!(await ready(scene))) scene.findings.hung.push('not ready after a failover')
      await verify(scene)
      await written(30)
    }
    isOver = true
    await load
    return { findings: scene.findings, acknowledged: scene.ledger.acknowledged, tookMs, startMs }
  } finally {
    isOver = true
    await Promise.all(running.map((kept) => kept.stop()))
    await sentinels.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function startAll(folder: string, { url }: Sentinels) {
  const start = (name: string, entry: string, env: Readonly<Record<string, string>>) => {
    mkdirSync(join(folder, name))
    return keepProcess({
      name,
      entry: fileURLToPath(new URL(entry, import.meta.url)),
      env: { PATH: process.env['PATH'], REDIS_URL: url, TABIR_DATA_DIR: join(folder, name), ...env },
    })
  }
  const sealKeys = { TABIR_SEAL_KEYS: `k1:${Buffer.alloc(32, 5).toString('base64')}`, TABIR_LOG_LEVEL: 'warn' }
  return Promise.all([
    start('api-a', '../../src/boot/server.js', sealKeys),
    start('api-b', '../../src/boot/server.js', sealKeys),
    start('workers', '../../workers/main.js', { TABIR_HASHERS: '1' }),
  ])
}
