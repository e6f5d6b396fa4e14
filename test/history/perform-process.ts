// Steps about the environment: processes, clocks, connections, disks, backups, the master.

import { spawn } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { idBuffer, keys } from '../../src/store/redis/keys.js'
import { copyOf, restored } from './model.js'
import { type Scene, untilReady } from './scene.js'
import type { Api, StepOf } from './steps.js'
import { dataDirOf, fillDisk, freeDisk, tabir, withdrawalsOf } from './world.js'

const APIS = [0, 1] as const
const ENDS_TIMEOUT_MS = 15_000

export async function endApi(scene: Scene, { do: verb, api }: StepOf<'kill' | 'restart'>): Promise<void> {
  scene.world.stopped.delete(api)
  const kept = scene.world.apis[api]
  kept.signal('SIGCONT')
  if (verb === 'kill') await kept.kill()
  else await kept.term(ENDS_TIMEOUT_MS)
  await untilReady(scene, api)
}

export function stopApi({ world }: Scene, { do: verb, api }: StepOf<'stop' | 'go-on'>): void {
  // One API must stay available for queries.
  if (verb === 'stop' && world.stopped.size > 0) return
  world.apis[api].signal(verb === 'stop' ? 'SIGSTOP' : 'SIGCONT')
  if (verb === 'stop') world.stopped.add(api)
  else world.stopped.delete(api)
}

export async function killRedis(scene: Scene): Promise<void> {
  const { single } = scene.world
  if (single === undefined) return
  await single.killRedis()
  await single.openRedis()
  await allReady(scene)
}

export function slowLine({ world }: Scene, { api, ms }: StepOf<'slow'>): void {
  world.single?.slow(api, ms)
}

export async function passTime(scene: Scene, { s }: StepOf<'pass-time'>): Promise<void> {
  const { clock } = scene.world
  clock.stepTo(clock.offsetS + s)
  await movePauses(scene)
}

/** Pauses end by the earlier of two clocks. Redis's is not stepped with those of the APIs: by it, they end earlier by as much. */
export async function movePauses({ world, pauses }: Scene): Promise<void> {
  const redis = world.redis()
  const found = await redis.zrangeBuffer(keys.holdSchedule, '0', '-1', 'WITHSCORES')
  for (let i = 0; i + 1 < found.length; i += 2) {
    const [member = Buffer.alloc(0), score] = found.slice(i, i + 2)
    const known = pauses.get(member.toString('hex'))
    const endsMs = known?.movedMs === Number(score) ? known.endsMs : Number(score)
    const movedMs = endsMs - world.clock.offsetS * 1000
    pauses.set(member.toString('hex'), { endsMs, movedMs })
    await redis.zadd(keys.holdSchedule, 'XX', movedMs, member)
  }
}

export function stepClock({ world }: Scene, { api, s }: StepOf<'step-clock'>): void {
  world.clock.stepApart(api, s)
}

// Only dates that such a clock did harm by: since when the feed's batch is open, and in which hours an image was matched. An entry of the outbox that lies
// ahead keeps those after it there.
const MOVE_REDIS_DATES = `
  local prefix, s = ARGV[1], tonumber(ARGV[2])
  local function later (key, field, by) redis.call('HSET', key, field, string.format('%d', redis.call('HGET', key, field) + by)) end
  local since = prefix .. 'feed-waiting-since'
  if redis.call('EXISTS', since) == 1 then redis.call('INCRBY', since, s * 1000) end
  if s > 0 then redis.pcall('XADD', prefix .. 'webhook-outbox', string.format('%d-0', (redis.call('TIME')[1] + s) * 1000), 'kind', 'none') end
  for i = 3, #ARGV do
    local seen = prefix .. 'match-events:' .. ARGV[i]
    local hours = math.floor(s / 3600)
    local moved = {}
    for _, field in ipairs(redis.call('HKEYS', seen)) do
      local kind, hour = string.match(field, '^([vw]:h)(%d+)$')
      if kind then moved[string.format('%s%d', kind, hour + hours)] = redis.call('HGET', seen, field) end
      if kind then redis.call('HDEL', seen, field) end
      if field == 'hour' then later(seen, field, hours) end
      if field == 'half' then later(seen, field, math.floor(s / 43200)) end
    end
    for field, looks in pairs(moved) do redis.call('HSET', seen, field, looks) end
  end`

/** What Redis dated until now lies later by its clock, because that was ahead and was set right; or earlier, because time passes. */
export async function moveRedisDates({ world, ids }: Scene, s: number): Promise<void> {
  const images = [...ids.values()].map((id) => idBuffer(id).toString('hex'))
  await world.redis().eval(MOVE_REDIS_DATES, 0, keys.prefix, s, ...images)
}

export function fillOrFree({ world }: Scene, { do: verb, disk }: StepOf<'fill-disk' | 'free-disk'>): void {
  if (!world.hasOwnDisks) return
  for (const api of APIS) {
    const place = disk === 'withdrawals' ? join(withdrawalsOf(world.folder, api), '..') : dataDirOf(world.folder, api)
    if (verb === 'fill-disk') fillDisk(place)
    else freeDisk(place)
  }
}

/** Restores the state before the episode, for the next one. */
export function freeAll(scene: Scene): void {
  scene.redisAheadS = 0
  for (const api of APIS) {
    if (scene.world.stopped.has(api)) stopApi(scene, { do: 'go-on', api })
    slowLine(scene, { do: 'slow', api, ms: 0 })
    stepClock(scene, { do: 'step-clock', api, s: 0 })
  }
  for (const disk of ['withdrawals', 'snapshots'] as const) fillOrFree(scene, { do: 'free-disk', disk })
}

export async function backUp(scene: Scene): Promise<void> {
  const { world } = scene
  if (world.single === undefined) return
  const path = join(world.folder, 'backup')
  rmSync(path, { force: true })
  const { status, output } = await cli(['backup', path], { TABIR_DATA_DIR: world.single.dataDir })
  if (status !== 0) return scene.broken('restore-works', `tabir backup ended with ${status}: ${output.slice(0, 200)}`)
  scene.backup = { path, model: copyOf(scene.model) }
}

/** Status of `tabir restore` when the withdrawals since the backup may be incomplete. */
const GAP_STATUS = 3

const Restored = z.object({ withdrawalsSince: z.enum(['known', 'perhaps-incomplete', 'unknown']) })

/** The machine is lost: everything is killed, and the backup is restored. */
export async function restore(scene: Scene): Promise<void> {
  const { world, backup } = scene
  const { single } = world
  if (single === undefined || backup === undefined) return
  const killed = Promise.all(APIS.map((api) => world.apis[api].kill()))
  await Promise.all([killed, single.killRedis()])
  for (const api of APIS) world.stopped.delete(api)
  const before = join(single.dataDir, 'redis-before')
  if (existsSync(before)) rmSync(before, { recursive: true })
  renameSync(join(single.dataDir, 'redis'), before)
  const logs = APIS.flatMap((api) => ['--withdrawals', withdrawalsOf(world.folder, api)])
  const env = { TABIR_DATA_DIR: single.dataDir }
  const asked = await cli(['restore', backup.path, ...logs], env)
  const isGap = asked.status === GAP_STATUS // it reports a possible gap and asks
  const { status, output } = isGap ? await cli(['restore', backup.path, ...logs, '--accept-gap'], env) : asked
  const said = Restored.safeParse(lastJson(output)).data
  if (status !== 0) scene.broken('restore-works', `tabir restore ended with ${status}: ${output.slice(0, 200)}`)
  scene.model = restored(scene.model, backup.model, said?.withdrawalsSince === 'known')
  await single.openRedis()
  await allReady(scene)
}

export async function loseReplica({ world }: Scene): Promise<void> {
  await world.sentinel?.loseReplica()
}

export async function failOver(scene: Scene): Promise<void> {
  await scene.world.sentinel?.failOver()
  await allReady(scene)
}

async function allReady(scene: Scene): Promise<void> {
  await Promise.all(APIS.filter((api) => !scene.world.stopped.has(api)).map((api: Api) => untilReady(scene, api)))
}

function cli(args: readonly string[], env: Readonly<Record<string, string>>) {
  return tabir(args, env, (command, given, all) => spawn(command, given, { env: all, stdio: ['ignore', 'pipe', 'pipe'] }))
}

function lastJson(output: string): unknown {
  const line = output
    .trim()
    .split('\n')
    .findLast((text) => text.startsWith('{'))
  try {
    return line === undefined ? undefined : JSON.parse(line)
  } catch {
    return undefined
  }
}
