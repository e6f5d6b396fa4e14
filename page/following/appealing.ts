// A button that asks the operator to decide again about a picture that is not recognised.

import type { AppealState } from '../../src/domain/cases/appeal.js'
import { announce, made, setLabel } from '../dom.js'
import { type Said, say } from '../messages.js'
import type { Answer, Failure } from '../sending/requests.js'
import { sentenceFor } from '../sending/sentences.js'

/**
 * @param send the same request again tells how the appeal stands.
 * @param rejected called with a refusal: the picture may be registered or is recognised now, or the case cannot be read any more.
 */
export function appealFor(
  name: string | Said,
  send: () => Promise<Answer<{ readonly state: AppealState }>>,
  rejected: (failure: Extract<Failure, { readonly kind: 'rejected' }>) => void,
): HTMLDivElement {
  const place = made('div', 'answers')
  const button = made('button', 'small quiet', say('run.appeal'))
  button.type = 'button'
  setLabel(button, () => `${say('run.appeal')()}: ${typeof name === 'string' ? name : name()}`)
  button.addEventListener('click', () => void appeal())
  place.append(button)
  return place

  async function appeal(): Promise<void> {
    button.disabled = true
    const answer = await send()
    button.disabled = false
    if ('value' in answer) return tell(say(`run.appealed.${answer.value.state}`))
    const { failure } = answer
    if (failure.kind === 'rejected') return rejected(failure)
    tell(sentenceFor(failure), button)
  }

  function tell(text: Said, ...more: readonly HTMLElement[]): void {
    place.replaceChildren(made('p', 'hint', text), ...more)
    announce(text)
  }
}
