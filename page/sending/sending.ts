// Shows the progress of sending: a line for each picture, and a sentence while sending is held up.

import { api } from '../api.js'
import type { Unprotected } from '../choosing/picker.js'
import { kindOf, WELL_PROTECTED_QUALITY } from '../choosing/picture.js'
import { announce, hide, lineOf, made, one, setText, show } from '../dom.js'
import { countKinds, type FileCounts, sayFiles } from '../file-counts.js'
import { appealFor } from '../following/appealing.js'
import { type Said, say, sayCount, sayShare } from '../messages.js'
import { waited } from '../waited.js'
import type { Failure } from './requests.js'
import { type Job, type Result, sender, type Waiting } from './sender.js'
import { sentenceFor } from './sentences.js'

export interface Sending {
  /** Whether there are pictures that were neither protected nor refused. */
  readonly isUnfinished: () => boolean
}

export interface SendingOutcome {
  /** As far as is known, none is unprotected. */
  readonly areAll: boolean
  readonly areSome: boolean
}

export interface SendingListener {
  /** Called for each picture that was registered, held or refused. */
  readonly settled: (id: number) => void
  /** Called once every picture is settled. */
  readonly finished: () => void
  /** Called with how many are protected, each time that it changes. */
  readonly told?: (text: Said, outcome: SendingOutcome) => void
}

/**
 * Begins to send.
 * @param unprotected chosen files that cannot be protected: they are counted and listed with the others.
 */
export function sending(job: Job, unprotected: readonly Unprotected[], listener: SendingListener): Sending {
  const lines = new Map(job.pictures.map(({ id, name }) => [id, lineOf(name, 'busy', say('run.state.sending'))]))
  const list = one('sent', HTMLUListElement)
  const unsent = unprotected.map(({ name, why }) => lineOf(name, 'bad', why))
  list.replaceChildren(...[...unsent, ...lines.values()].map(({ item }) => item))
  hide('fix')
  const retry = one('retry', HTMLButtonElement)
  const waiting = waitingFor(retry)
  const all = countKinds([...job.pictures.map(kindOf), ...unprotected.map(({ kind }) => kind)])
  const toSend = job.pictures.length
  const total = toSend + unprotected.length
  const results = new Map<number, Result>()

  const send = sender(
    job,
    {
      settled(id, result) {
        results.set(id, result)
        if (result.at !== 'failed') listener.settled(id)
        lines.get(id)?.draw(result.at === 'protected' ? 'good' : 'bad', sentenceOf(result))
        if (result.at === 'refused' && result.why === 'harmless') offerAppeal(job, id, lines.get(id)?.item)
        drawTotals()
      },
      held: drawHeld,
    },
    waiting,
  )
  drawTotals()
  void run()
  return { isUnfinished: () => countOf('settled') < toSend }

  async function run(): Promise<void> {
    const isDone = await send()
    if (countOf('settled') === toSend) {
      tell(headline(all, countOf('protected')))
      // Failed pictures come first, or they could be missed among many.
      list.prepend(...list.querySelectorAll('[data-state="bad"]'))
    }
    if (isDone) {
      one('fix', HTMLElement).hidden = unprotected.length + countOf('refused') === 0
      listener.finished()
    } else {
      retry.hidden = countOf('failed') === 0 && retry.hidden
      retry.addEventListener('click', () => void run(), { once: true })
    }
  }

  /** settled: all that are not to be sent any more. */
  function countOf(at: Result['at'] | 'settled'): number {
    const all = [...results.values()]
    return at === 'settled' ? all.length : all.filter((result) => result.at === at).length
  }

  function drawTotals(): void {
    const progress = one('sent-progress', HTMLProgressElement)
    progress.max = Math.max(1, total)
    progress.value = unprotected.length + countOf('settled')
    tell(sayFiles('run.sent', all, { done: countOf('protected') }))
  }

  function tell(text: Said): void {
    setText('sent-text', text)
    announce(text)
    const done = countOf('protected')
    listener.told?.(text, { areAll: unprotected.length + countOf('settled') === done, areSome: done > 0 })
  }

  function drawHeld(failure: Failure | undefined, retryAt: Date | undefined): void {
    if (failure === undefined) {
      hide('net')
      retry.hidden = true
      return
    }
    const text = sentenceFor(failure, retryAt)
    setText('net', text)
    show('net')
    retry.hidden = failure.kind === 'rejected'
    announce(text)
  }
}

/** Of a file that the server hashed, the page has no hashes to appeal with. */
function offerAppeal({ access, pictures }: Job, id: number, item: HTMLLIElement | undefined): void {
  const picture = pictures.find((one) => one.id === id)
  if (item === undefined || picture === undefined || !('hashed' in picture) || picture.hashed.kind !== 'hashed') return
  const { signals } = picture.hashed
  const send = () => api.appealAgainstRefusal(access, signals)
  const place = appealFor(picture.name, send, ({ code }) => {
    const text = code === 'appeal-unneeded' ? say('run.appealed.unneeded') : say('run.case.over')
    place.replaceChildren(made('p', 'hint', text))
  })
  item.append(place)
}

/** What came of all. */
function headline(all: FileCounts, protectedCount: number): Said {
  const total = all.pictures + all.videos
  if (protectedCount === total) return sayFiles('run.allSent', all)
  if (protectedCount === 0) return sayFiles('run.noneSent', all)
  const [n, done] = [total - protectedCount, protectedCount]
  return all.videos === 0 ? sayCount('run.notSent', n, { done, total }) : say('run.notSent.files', { n, done, total })
}

/** Waits until the time has passed, the device is online again, or the button is pressed. */
export function waitingFor(retry: HTMLButtonElement): Waiting {
  return {
    now: () => performance.timeOrigin + performance.now(), // the clock of the device may be set meanwhile
    async until(ms) {
      const pressed = new AbortController()
      const press = () => pressed.abort()
      retry.addEventListener('click', press)
      await waited(ms, pressed.signal)
      retry.removeEventListener('click', press)
    },
  }
}

function sentenceOf(result: Result): Said {
  if (result.at === 'refused') return say(`run.why.${result.why}`)
  if (result.at === 'protected' && result.part !== undefined)
    return say('run.quality.part', { share: sayShare(result.part) })
  if (result.at === 'protected') {
    const quality = qualityOf(result.quality)
    return result.hasClip === true ? say('run.quality.clip', { quality }) : quality
  }
  return result.at === 'held' ? say('run.state.held') : say('run.state.failed')
}

function qualityOf(quality: number | undefined): Said {
  if (quality === undefined) return say('run.quality.sent')
  return say(quality < WELL_PROTECTED_QUALITY ? 'run.quality.low' : 'run.quality.high')
}
