// The first page: age, consent, pictures, what they show, number and PIN.

import { newKey } from '../src/domain/random-key.js'
import { api, type Opened } from './api.js'
import { chosenCategory } from './choosing/category.js'
import { maxBytes } from './choosing/max-bytes.js'
import { picker } from './choosing/picker.js'
import { kindOf } from './choosing/picture.js'
import { hide, notice, onClick, one, setText, show } from './dom.js'
import { countKinds, sayFiles } from './file-counts.js'
import { sayAsking } from './following/asking.js'
import { handOn } from './following/handing-on.js'
import { given } from './given.js'
import { guardLeaving, leaveFor } from './leaving.js'
import { type Said, say } from './messages.js'
import { showNumber } from './number-and-pin.js'
import { type Proof, proven } from './proving.js'
import type { Answer, Failure } from './sending/requests.js'
import { type Sending, type SendingOutcome, sending, waitingFor } from './sending/sending.js'
import { sentenceFor } from './sending/sentences.js'
import { goTo, isAt, watchSteps } from './steps.js'
import { waited } from './waited.js'

export function startPage(): void {
  const extended = one('extended', HTMLInputElement)
  const chosen = picker(goToCategory, () => (extended.checked ? 'details' : 'hashes'))
  let opened: Opened | undefined
  let sent: Sending | undefined
  watchSteps((wanted) => {
    if (isAt('minor')) {
      location.reload() // Back leads to the question: somebody may have missed the button
      return 'minor'
    }
    if (opened !== undefined && wanted !== 'choose' && wanted !== 'category') {
      if (wanted !== 'result') notice(say('run.stillHere'))
      return 'result' // what came before is over, and this is shown once
    }
    return wanted === 'category' && chosen.usable().length === 0 ? 'choose' : wanted
  })
  guardLeaving(() => {
    if (opened === undefined || chosen.holdsPictures()) return chosen.holdsPictures()
    return sent?.isUnfinished() === true || !one('written', HTMLInputElement).checked
  })
  watchOtherTabs()

  show('contact')
  show('age')
  if (given.offersExtendedProtection) show('extended-offer')
  onClick('adult', () => goTo('consent'))
  onClick('minor', goToMinor)
  const agree = one('agree', HTMLInputElement)
  agree.addEventListener('change', () => {
    one('consent-go', HTMLButtonElement).disabled = !agree.checked
  })
  onClick('consent-go', () => goTo('choose'))
  for (const id of ['back', 'fix']) onClick(id, () => goTo('choose'))
  onClick('protect', () => void protect())
  one('follow', HTMLAnchorElement).addEventListener('click', (event) => {
    event.preventDefault()
    if (opened !== undefined) void follow(opened)
  })
  onClick('reasons', () => one('sent-title', HTMLElement).focus())

  /** Nothing else remains of the page, and nothing was sent. */
  function goToMinor(): void {
    chosen.clear()
    goTo('minor')
    for (const section of document.querySelectorAll('[data-step]:not([data-step="minor"])')) section.remove()
  }

  function goToCategory(): void {
    setText('protect', sayFiles('run.protect', countKinds(chosen.usable().map(kindOf))))
    goTo('category')
  }

  async function protect(): Promise<void> {
    const button = one('protect', HTMLButtonElement)
    button.disabled = true
    const [pictures, unprotected, category] = [chosen.usable(), chosen.unprotected(), chosenCategory()]
    if (opened === undefined) {
      opened = await openedCase(category, extended.checked)
      showNumber({ ...opened, times: opened, effectiveAt: null })
      if (opened.platformsAsking !== undefined) setText('asking', sayAsking(opened.platformsAsking, given.platformNames))
    }
    button.disabled = false
    goTo('result', 'start')
    const job = { access: opened, pictures, category, maxBytes: maxBytes() }
    sent = sending(job, unprotected, {
      settled: chosen.settled,
      finished: () => chosen.clear(),
      told: drawOutcome,
    })
  }
}

/** How long the page waits for a token when she opens her case. */
const TOKEN_TIMEOUT_MS = 10_000

/** Opens her case without typing. Where that fails, number and PIN are asked for there. */
async function follow({ caseNumber, pin }: Opened): Promise<void> {
  const link = one('follow', HTMLAnchorElement)
  if (link.ariaDisabled === 'true') return // a second press would ask for a second token
  link.ariaDisabled = 'true'
  const over = new AbortController()
  const answer = await Promise.race([api.token(caseNumber, pin), waited(TOKEN_TIMEOUT_MS, over.signal)])
  over.abort()
  link.ariaDisabled = null
  if (answer !== undefined && 'value' in answer) handOn({ caseNumber, token: answer.value.token })
  leaveFor(link.href)
}

/** Above number and PIN: a list below them would be missed. */
function drawOutcome(text: Said, { areAll, areSome }: SendingOutcome): void {
  setText('outcome-text', text)
  one('asking', HTMLElement).hidden = !areSome
  one('outcome', HTMLElement).classList.toggle('warn', !areAll)
  one('reasons-row', HTMLElement).hidden = areAll
}

/** Opens a case. Repeats the request until it succeeds, and shows why it waits. */
async function openedCase(category: ReturnType<typeof chosenCategory>, isExtended: boolean): Promise<Opened> {
  const button = one('open-retry', HTMLButtonElement)
  const waiting = waitingFor(button)
  const key = newKey() // when the answer was lost, the number and PIN in it are given again
  for (let tries = 0; ; tries++) {
    const answer = await provenFirst((proof) =>
      api.openCase({ category, extendedProtection: isExtended, consentVersion: given.consentVersion, proof }, key),
    )
    hide('open-held')
    if ('value' in answer) return answer.value
    const failure = waitable(answer.failure)
    button.hidden = failure.kind === 'rejected' // another try would be refused, too
    const waitMs = Math.min(30_000, 1000 * 2 ** tries)
    setText('open-net', sentenceFor(failure, new Date(Date.now() + waitMs)))
    show('open-held')
    await waiting.until(failure.kind === 'fault' || failure.kind === 'rejected' ? 86_400_000 : waitMs)
  }
}

/** Opening a case can always be tried again: after a wait if the proof of work was refused, otherwise when the button is pressed. */
function waitable(failure: Failure): Failure {
  if (failure.kind !== 'rejected') return failure
  if (failure.code === 'consent-needed') return failure
  return failure.code === 'proof-of-work-required' ? { kind: 'away', retryAfterS: undefined } : { kind: 'fault' }
}

/** If the service asks for a proof of work, computes one and asks again. A proof opens one case, so each try needs its own. */
async function provenFirst(open: (proof?: Proof) => Promise<Answer<Opened>>): Promise<Answer<Opened>> {
  const answer = await open()
  if (!('failure' in answer) || answer.failure.kind !== 'rejected' || answer.failure.code !== 'proof-of-work-required')
    return answer
  one('open-retry', HTMLButtonElement).hidden = true
  setText('open-net', say('run.proof'))
  show('open-held')
  const challenge = await api.challenge()
  if ('failure' in challenge) return challenge
  const proof = await proven(challenge.value)
  return proof === undefined ? { failure: { kind: 'fault' } } : await open(proof)
}

/** Tabs only tell each other that they are open. Nothing is stored for it. A browser that blocks all storage refuses the channel too. */
function watchOtherTabs(): void {
  let channel: BroadcastChannel
  try {
    channel = new BroadcastChannel('tabir')
  } catch {
    return
  }
  channel.addEventListener('message', ({ data }: MessageEvent<string>) => {
    if (data === 'opened') channel.postMessage('also')
    notice(say('run.twoTabs'))
  })
  channel.postMessage('opened')
}
