// The organisation that opened the case and may still read it, and the button that ends this.

import { api, type CaseView } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { say, sayDate } from '../messages.js'
import { type CaseContext, requestUntilAnswered } from './case-requests.js'

export function createReader({ access, onFailure, refresh }: CaseContext): { readonly draw: (view: CaseView) => void } {
  onClick('reader-end', () => void end())
  return {
    draw({ assisted }) {
      const since = assisted?.readsSince ?? null
      one('reader', HTMLElement).hidden = since === null
      if (since === null) return setText('reader-who', '')
      const name = assisted?.organisation ?? say('run.reader.unnamed')
      setText('reader-who', say('run.reader.who', { name, date: sayDate(since) }))
    },
  }

  async function end(): Promise<void> {
    const own = access()
    if (own === undefined) return
    const answer = await requestUntilAnswered({
      buttons: [one('reader-end', HTMLButtonElement)],
      errorId: 'reader-error',
      send: () => api.endReading(own),
      isWanted: () => access() === own,
    })
    if (answer === undefined) return
    if ('failure' in answer) return onFailure(answer.failure, 'reader-error')
    announce(say('run.reader.ended'))
    await refresh()
  }
}
