// Performs a step. The model has what it makes certain when it returns.

import { thingAt } from './model.js'
import * as banks from './perform-banks.js'
import { coldStart, fillPage, importAgain, importAtSnapshot, importGroup, removeLast, removeSome } from './perform-bulk.js'
import { expire, sweepAhead } from './perform-expiry.js'
import * as processes from './perform-process.js'
import * as signals from './perform-signals.js'
import * as told from './perform-told.js'
import { appeal, attest, decide, dispute, flood, judge, lookAlikes, pause } from './perform-trust.js'
import * as webhooks from './perform-webhooks.js'
import type { Scene } from './scene.js'
import type { Api, Step, StepOf } from './steps.js'

const DAY_S = 86_400

/** @returns the API that has acknowledged something: there it holds at once. */
export async function perform(scene: Scene, given: Step): Promise<Api | undefined> {
  const step = 'at' in given ? { ...given, at: scene.asked(given.at) } : given
  switch (step.do) {
    case 'open-case':
      return done(signals.openCase(scene, step))
    case 'create-bank':
      await banks.createBank(scene, step)
      return undefined
    case 'remove-bank':
      return banks.removeBank(scene, step)
    case 'renew-bank':
      return banks.renewBank(scene, step)
    case 'register':
      return registerNoted(scene, step)
    case 'remove':
      return signals.remove(scene, step)
    case 'note':
      return signals.note(scene, step)
    case 'withdraw':
      return signals.withdraw(scene, step)
    case 'expire':
      return done(expire(scene, step))
    case 'sweep-ahead':
      return done(sweepAhead(scene, step))
    case 'reverse-export':
      return banks.reverseExport(scene, step)
    case 'submit':
      return signals.submit(scene, step)
    case 'take-back':
      return signals.takeBack(scene, step)
    case 'pause':
    case 'unpause':
      return paused(scene, step)
    case 'hold':
    case 'release':
    case 'verify':
    case 'reinstate':
      return judge(scene, step)
    case 'dispute':
      return dispute(scene, step)
    case 'decide':
      return decide(scene, step)
    case 'attest':
      return attest(scene, step)
    case 'flood':
      return flood(scene, step)
    case 'appeal':
      return appeal(scene, step)
    default:
      return performElse(scene, step)
  }
}

type Else = StepOf<
  | ('import' | 'import-again' | 'remove-some' | 'remove-last' | 'cold-start' | 'fill-page' | 'import-at-snapshot')
  | ('kill' | 'restart' | 'stop' | 'go-on' | 'slow' | 'pass-time' | 'fill-disk' | 'free-disk')
  | ('kill-redis' | 'back-up' | 'restore' | 'lose-replica' | 'fail-over')
  | 'step-clock'
  | Told['do']
>

async function performElse(scene: Scene, step: Else): Promise<Api | undefined> {
  switch (step.do) {
    case 'import':
      return importGroup(scene, step)
    case 'import-again':
      return importAgain(scene, step)
    case 'remove-some':
      return removeSome(scene, step)
    case 'remove-last':
      return removeLast(scene, step)
    case 'cold-start':
      return done(coldStart(scene, step))
    case 'fill-page':
      return fillPage(scene, step)
    case 'import-at-snapshot':
      return importAtSnapshot(scene, step)
    case 'kill':
    case 'restart':
      return done(processes.endApi(scene, step))
    case 'stop':
    case 'go-on':
      processes.stopApi(scene, step)
      return undefined
    case 'slow':
      processes.slowLine(scene, step)
      return undefined
    case 'pass-time':
      return done(processes.passTime(scene, step))
    case 'step-clock':
      processes.stepClock(scene, step)
      return undefined
    case 'fill-disk':
    case 'free-disk':
      processes.fillOrFree(scene, step)
      return undefined
    case 'kill-redis':
      return done(processes.killRedis(scene))
    case 'back-up':
      return done(processes.backUp(scene))
    case 'restore':
      return done(processes.restore(scene))
    case 'lose-replica':
      return done(processes.loseReplica(scene))
    case 'fail-over':
      return done(processes.failOver(scene))
    default:
      return performTold(scene, step)
  }
}

type Told = StepOf<
  | ('watch' | 'told' | 'change-picture' | 'fetch' | 'notice' | 'seen' | 'nothing-missed')
  | ('subscribe' | 'meet' | 'deliver' | 'all-told' | 'redis-clock' | 'redis-days' | 'look-alikes')
>

async function performTold(scene: Scene, step: Told): Promise<Api | undefined> {
  switch (step.do) {
    case 'watch':
      return told.watch(scene, step)
    case 'told':
      return told.checkTold(scene, step)
    case 'change-picture':
      return told.changePicture(scene, step)
    case 'fetch':
      return told.fetchAll(scene, step)
    case 'notice':
      return told.notice(scene, step)
    case 'seen':
      return told.seen(scene, step)
    case 'nothing-missed':
      return told.checkNothingMissed(scene)
    case 'subscribe':
      return webhooks.subscribe(scene)
    case 'meet':
      return webhooks.meet(scene, step)
    case 'deliver':
      return webhooks.deliver(scene, step)
    case 'all-told':
      return webhooks.checkAllTold(scene)
    case 'redis-clock':
      scene.redisAheadS = step.s
      return undefined
    case 'redis-days':
      return done(processes.moveRedisDates(scene, -step.days * DAY_S))
    case 'look-alikes':
      return lookAlikes(scene, step)
  }
}

async function paused(scene: Scene, step: StepOf<'pause' | 'unpause'>): Promise<Api | undefined> {
  const at = await pause(scene, step)
  await processes.movePauses(scene)
  return at
}

async function registerNoted(scene: Scene, step: StepOf<'register'>): Promise<Api | undefined> {
  const wasThere = (thingAt(scene.model, step)?.presence ?? 'gone') !== 'gone'
  const at = await signals.register(scene, step)
  told.noteRegistered(scene, step, wasThere)
  return at
}

async function done(work: Promise<void>): Promise<undefined> {
  await work
}
