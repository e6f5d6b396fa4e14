// The number and the PIN: shown, printed, saved as a file if she wants to. Kept nowhere by the page.

import { onClick, setText } from './dom.js'
import { say } from './messages.js'
import { save } from './save.js'

interface NumberAndPin {
  readonly caseNumber: string
  readonly pin: string
}

export function keepNumber({ caseNumber, pin }: NumberAndPin): void {
  setText('number', caseNumber)
  setText('pin', pin)
  onClick('print', () => print())
  onClick('save', () => {
    const text = say('run.saveFile', { number: caseNumber, pin, address: `${location.origin}/case` })
    save(new Blob([text], { type: 'text/plain' }), 'txt')
  })
}
