// The number and the PIN: shown, printed, saved as a file if she wants to. Kept nowhere by the page.

import { onClick, setText } from './dom.js'
import { say } from './messages.js'

interface NumberAndPin {
  readonly caseNumber: string
  readonly pin: string
}

export function keepNumber({ caseNumber, pin }: NumberAndPin): void {
  setText('number', caseNumber)
  setText('pin', pin)
  onClick('print', () => print())
  onClick('save', () => save(say('run.saveFile', { number: caseNumber, pin, address: `${location.origin}/case` })))
}

/** Under a name that tells nothing. */
function save(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'note.txt'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1000)
}
