// How well what is registered is protected: in a few sentences, and picture by picture.

import type { DisputeAnswer } from '../../src/domain/trust/trust.js'
import { api, type FiledPicture } from '../api.js'
import { WELL_PROTECTED_QUALITY } from '../choosing/picture.js'
import { announce, made, one, setText } from '../dom.js'
import { say, sayCount, sayDate, sayNumber } from '../messages.js'
import { type Asking, untilAnswered } from './case-requests.js'

/** How a picture stands, each with sentences `run.sum.…` and `run.stands.…`. The first that is true of it. */
export const STANDS = ['silent', 'disputed', 'high', 'low'] as const
type Stand = (typeof STANDS)[number]

/** More lines than anybody reads. */
const MAX_LINES = 200

/** What she may say to a dispute, each with `run.say.…` on its button and `run.said.…` once she said it. */
export const ANSWERS = ['shows-me-without-consent', 'added-by-mistake'] as const satisfies readonly DisputeAnswer[]

export function pictures(asking: Asking): { readonly draw: (pictures: readonly FiledPicture[]) => void } {
  return { draw: (filed) => drawPictures(filed, asking) }
}

function drawPictures(pictures: readonly FiledPicture[], asking: Asking): void {
  setText('view-images', sayNumber(pictures.filter(({ matching }) => matching).length))
  const sums = STANDS.flatMap((stand) => {
    const count = pictures.filter((picture) => standOf(picture) === stand).length
    return count === 0 ? [] : [made('li', stand, sayCount(`run.sum.${stand}`, count))]
  })
  one('sums', HTMLUListElement).replaceChildren(...sums)
  one('each', HTMLUListElement).replaceChildren(
    ...inOrder(pictures)
      .slice(0, MAX_LINES)
      .map((each) => lineFor(each, asking)),
  )
  one('registered', HTMLElement).hidden = pictures.length === 0
}

/** Those that she is asked about come first, each with its place among all. */
function inOrder(pictures: readonly FiledPicture[]): { readonly picture: FiledPicture; readonly k: number }[] {
  const placed = pictures.map((picture, k) => ({ picture, k }))
  return placed.sort((a, b) => Number(b.picture.disputed) - Number(a.picture.disputed) || a.k - b.k)
}

function lineFor({ picture, k }: ReturnType<typeof inOrder>[number], asking: Asking): HTMLLIElement {
  const stand = standOf(picture)
  const line = made('li', '')
  line.dataset['state'] = stand === 'high' ? 'good' : stand === 'silent' ? 'bad' : 'busy'
  const name = say('run.case.picture', { n: k + 1, date: sayDate(picture.registeredAt) })
  line.append(made('span', 'name', name), made('span', 'state', say(`run.stands.${stand}`)))
  if (stand === 'disputed') line.append(answersFor(picture, name, asking))
  return line
}

/** Buttons, or what she said already; she may say otherwise until it is decided. */
function answersFor({ imageId, answer }: FiledPicture, name: string, { access, lost, look }: Asking): HTMLDivElement {
  const place = made('div', 'answers')
  if (answer !== null) place.append(made('p', 'hint', say(`run.said.${answer}`)))
  const buttons = ANSWERS.filter((each) => each !== answer).map((each) => {
    const button = made('button', 'small quiet', say(`run.say.${each}`))
    button.type = 'button'
    button.setAttribute('aria-label', `${say(`run.say.${each}`)}: ${name}`)
    button.addEventListener('click', () => void send(each))
    return button
  })
  place.append(...buttons)
  return place

  async function send(chosen: DisputeAnswer): Promise<void> {
    const own = access()
    if (own === undefined) return
    const given = await untilAnswered({
      buttons,
      errorId: 'view-error',
      ask: () => api.answer(own, imageId, chosen),
      isWanted: () => access() === own,
    })
    if (given === undefined) return
    // Decided, or withdrawn, in the meantime: what she sees then is how it stands.
    if ('failure' in given && (given.failure.kind !== 'rejected' || given.failure.code === 'case-unknown')) {
      return lost(given.failure, 'view-error')
    }
    announce(say('run.answerNoted'))
    await look()
  }
}

function standOf({ matching, disputed, quality }: FiledPicture): Stand {
  if (!matching) return 'silent'
  if (disputed) return 'disputed'
  return quality < WELL_PROTECTED_QUALITY ? 'low' : 'high'
}
