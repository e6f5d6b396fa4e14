// How well what is registered is protected: in a few sentences, and picture by picture.

import type { FiledPicture } from '../api.js'
import { WELL_PROTECTED_QUALITY } from '../choosing/picture.js'
import { made, one, setText } from '../dom.js'
import { say, sayCount, sayDate, sayNumber } from '../messages.js'

/** How a picture stands, each with sentences `run.sum.…` and `run.stands.…`. The first that is true of it. */
export const STANDS = ['silent', 'disputed', 'high', 'low'] as const
type Stand = (typeof STANDS)[number]

/** More lines than anybody reads. */
const MOST_LINES = 200

export function drawPictures(pictures: readonly FiledPicture[]): void {
  setText('view-images', sayNumber(pictures.filter(({ matching }) => matching).length))
  const sums = STANDS.flatMap((stand) => {
    const count = pictures.filter((picture) => standOf(picture) === stand).length
    return count === 0 ? [] : [made('li', stand, sayCount(`run.sum.${stand}`, count))]
  })
  one('sums', HTMLUListElement).replaceChildren(...sums)
  one('each', HTMLUListElement).replaceChildren(...pictures.slice(0, MOST_LINES).map(lineFor))
  one('registered', HTMLElement).hidden = pictures.length === 0
}

function lineFor(picture: FiledPicture, k: number): HTMLLIElement {
  const stand = standOf(picture)
  const line = made('li', '')
  line.dataset['state'] = stand === 'high' ? 'good' : stand === 'silent' ? 'bad' : 'busy'
  const name = say('run.case.picture', { n: k + 1, date: sayDate(picture.registeredAt) })
  line.append(made('span', 'name', name), made('span', 'state', say(`run.stands.${stand}`)))
  return line
}

function standOf({ matching, disputed, quality }: FiledPicture): Stand {
  if (!matching) return 'silent'
  if (disputed) return 'disputed'
  return quality < WELL_PROTECTED_QUALITY ? 'low' : 'high'
}
