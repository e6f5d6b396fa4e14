// Shows how well the registered pictures are protected: totals, and each picture.

import type { Recognition } from '../../src/domain/trust/recognition.js'
import type { DisputeAnswer } from '../../src/domain/trust/trust.js'
import { api, type RegisteredPicture } from '../api.js'
import { WELL_PROTECTED_QUALITY } from '../choosing/picture.js'
import { announce, lineOf, made, one, setLabel, setText, type Tone } from '../dom.js'
import { countKinds, type Kind, sayFiles } from '../file-counts.js'
import { type Said, say, sayCount, sayDate, sayNumber } from '../messages.js'
import { appealFor } from './appealing.js'
import { type CaseContext, requestUntilAnswered } from './case-requests.js'
import { createWhichOne } from './which-one.js'

/**
 * The first that applies to a picture. `silent`: no copy is recognised. `limited`: not all copies are. `low`, `high`: by quality. `video`: how much of it
 * is protected was told when it was added, and is not stored. Messages: `run.sum.…`, and beside a picture `run.stands.…`; of `silent`
 * and `limited` `run.recognition.…`.
 */
export const PROTECTION_STATES = ['silent', 'disputed', 'limited', 'high', 'video', 'low'] as const
type ProtectionState = (typeof PROTECTION_STATES)[number]
const TONES: Readonly<Record<ProtectionState, Tone>> = {
  silent: 'bad',
  disputed: 'busy',
  limited: 'busy',
  high: 'good',
  video: 'good',
  low: 'busy',
}

/** Maximum number of pictures listed. The totals count all of them. */
const MAX_LINES = 200

/** Possible answers to a dispute. Messages: `run.say.…` on the button, `run.said.…` after it was pressed. */
export const ANSWERS = ['shows-me-without-consent', 'added-by-mistake'] as const satisfies readonly DisputeAnswer[]

export function createRegisteredList(context: CaseContext): {
  readonly draw: (pictures: readonly RegisteredPicture[]) => void
} {
  const names = new Map<string, Said>()
  createWhichOne(context, (imageId) => names.get(imageId))
  return {
    draw(filed) {
      const placed = inOrder(filed)
      names.clear()
      for (const each of placed) names.set(each.picture.imageId, nameOf(each))
      drawPictures(filed, placed, context)
    },
  }
}

function drawPictures(pictures: readonly RegisteredPicture[], placed: readonly Placed[], context: CaseContext): void {
  setText('view-images', sayNumber(pictures.filter(({ matching }) => matching).length))
  const sums = PROTECTION_STATES.flatMap((stand) => {
    const those = pictures.filter((picture) => protectionStateOf(picture) === stand)
    return those.length === 0 ? [] : [made('li', stand, sayFiles(`run.sum.${stand}`, countKinds(those.map(kindOf))))]
  })
  one('sums', HTMLUListElement).replaceChildren(...sums)
  one('each', HTMLUListElement).replaceChildren(...placed.slice(0, MAX_LINES).map((each) => lineFor(each, context)))
  one('registered', HTMLElement).hidden = pictures.length === 0
  // The reason stands beside the picture.
  if (pictures.some(({ recognition, disputed }) => disputed || recognition !== 'full'))
    one('each-open', HTMLDetailsElement).open = true
}

interface Placed {
  readonly picture: RegisteredPicture
  /** From 0, among pictures or among videos. */
  readonly k: number
}

/** Disputed pictures first. Each keeps its number: her only video is the first video. */
function inOrder(pictures: readonly RegisteredPicture[]): Placed[] {
  const counts = { pictures: 0, videos: 0 }
  const placed = pictures.map((picture) => ({ picture, k: counts[kindOf(picture)]++ }))
  return placed.sort((a, b) => Number(b.picture.disputed) - Number(a.picture.disputed)) // stable
}

function nameOf({ picture, k }: Placed): Said {
  const values = { n: k + 1, date: sayDate(picture.registeredAt) }
  return kindOf(picture) === 'videos' ? say('run.case.video', values) : say('run.case.picture', values)
}

function lineFor(placed: Placed, context: CaseContext): HTMLLIElement {
  const { picture } = placed
  const stand = protectionStateOf(picture)
  const name = nameOf(placed)
  const { recognition } = picture
  const isByStand = stand !== 'silent' && stand !== 'limited'
  const text = say(isByStand ? `run.stands.${stand}` : `run.recognition.${recognition}`)
  const isAnswered = stand === 'disputed' && picture.answer !== null // then nobody asks for an answer any more
  const { item } = lineOf(name, TONES[stand], isAnswered ? sayCount('run.event.disputed', 1) : text)
  if (stand === 'disputed') item.append(answersFor(picture, name, context))
  if (recognition === 'judged' || recognition === 'listed') item.append(appealOf(picture, name, context))
  return item
}

/** After a refusal it is recognised again, or was deleted: the page is drawn again and shows it. */
function appealOf({ imageId }: RegisteredPicture, name: Said, { access, onFailure, refresh }: CaseContext) {
  const send = async (): Promise<Awaited<ReturnType<typeof api.appeal>>> => {
    const own = access()
    return own === undefined ? { failure: { kind: 'fault' } } : await api.appeal(own, imageId)
  }
  return appealFor(name, send, (failure) =>
    failure.code === 'case-unknown' ? onFailure(failure, 'view-error') : void refresh(),
  )
}

/** The answer that was given, and buttons for the others: an answer can change until the dispute is decided. */
function answersFor(
  { imageId, answer }: RegisteredPicture,
  name: Said,
  { access, onFailure, refresh }: CaseContext,
): HTMLDivElement {
  const place = made('div', 'answers')
  if (answer !== null) place.append(made('p', 'hint', say(`run.said.${answer}`)))
  const buttons = ANSWERS.filter((each) => each !== answer).map((each) => {
    const button = made('button', 'small quiet', say(`run.say.${each}`))
    button.type = 'button'
    setLabel(button, () => `${say(`run.say.${each}`)()}: ${name()}`)
    button.addEventListener('click', () => void send(each))
    return button
  })
  place.append(...buttons)
  return place

  async function send(chosen: DisputeAnswer): Promise<void> {
    const own = access()
    if (own === undefined) return
    const given = await requestUntilAnswered({
      buttons,
      errorId: 'answer-error',
      send: () => api.answer(own, imageId, chosen),
      isWanted: () => access() === own,
    })
    if (given === undefined) return
    // Other rejections mean that the dispute was decided or withdrawn meanwhile. The page is drawn again and shows it.
    if ('failure' in given && (given.failure.kind !== 'rejected' || given.failure.code === 'case-unknown')) {
      return onFailure(given.failure, 'answer-error')
    }
    announce(say('run.answerNoted'))
    await refresh()
  }
}

function kindOf({ durationS }: RegisteredPicture): Kind {
  return durationS === undefined ? 'pictures' : 'videos'
}

const LIMITED: readonly Recognition[] = ['decoration', 'narrowed', 'listed']

function protectionStateOf(picture: RegisteredPicture): ProtectionState {
  const isLimited = LIMITED.includes(picture.recognition)
  if (!picture.matching || (picture.recognition !== 'full' && !isLimited)) return 'silent'
  if (picture.disputed) return 'disputed'
  if (isLimited) return 'limited'
  if (picture.quality < WELL_PROTECTED_QUALITY) return 'low'
  return kindOf(picture) === 'videos' ? 'video' : 'high'
}
