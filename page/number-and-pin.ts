// The case number and the PIN: shown, and on request copied, saved as a file or printed. The page itself stores neither.

import { newKey } from '../src/domain/random-key.js'
import type { CaseTimes } from './api.js'
import { announce, onClick, setText } from './dom.js'
import { secretsAreShown } from './leaving.js'
import { say, sayDate } from './messages.js'
import { save } from './save.js'

export interface NumberAndPin {
  readonly caseNumber: string
  /** null: the recovery code alone opens the case. */
  readonly pin: string | null
  readonly recoveryCode: string
  readonly times: CaseTimes
  /** From when on PIN and code open the case; null: now. */
  readonly effectiveAt: string | null
}

export function showNumber(opened: NumberAndPin): void {
  const { expiresAt, remindAt } = opened.times
  setText('ends', say('run.ends', { date: sayDate(expiresAt), remind: sayDate(remindAt) }))
  setText('number', opened.caseNumber)
  setText('pin', opened.pin ?? '')
  setText('recovery-code', inGroups(opened.recoveryCode))
  secretsAreShown(true)
  offerToKeep(() => opened)
}

/** @param shown what is shown when a button is pressed. */
export function offerToKeep(shown: () => NumberAndPin): void {
  setText('address', addressOfCase())
  onClick('print', () => print())
  onClick('save', () => save(new Blob([noteOf(shown())], { type: 'text/plain' }), 'txt'))
  onClick('calendar', () => save(new Blob([reminderAt(shown().times)], { type: 'text/calendar' }), 'ics'))
  onClick('copy', () => void copy())

  async function copy(): Promise<void> {
    const text = say((await isCopied(noteOf(shown()))) ? 'run.copied' : 'run.notCopied')
    setText('kept', text)
    announce(text)
  }
}

/** Sixteen digits as they are on a bank card. */
export function inGroups(recoveryCode: string): string {
  return recoveryCode.replaceAll(/\d{4}(?=\d)/g, '$& ')
}

function noteOf({ caseNumber, pin, recoveryCode, times, effectiveAt }: NumberAndPin): string {
  const code = inGroups(recoveryCode)
  const dates = { date: sayDate(times.expiresAt), remind: sayDate(times.remindAt) }
  const note = say('run.saveFile', { number: caseNumber, pin: pin ?? '–', code, address: addressOfCase(), ...dates })()
  return effectiveAt === null ? note : `${note}${say('run.case.newPinFrom', { date: sayDate(effectiveAt) })()}\n`
}

/** An entry of a calendar for the day of the reminder. It says nothing of what it is about, because others may see the calendar. */
function reminderAt({ remindAt }: CaseTimes): string {
  const day = remindAt.slice(0, 10).replaceAll('-', '')
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//note//EN',
    'BEGIN:VEVENT',
    `UID:${day}-${newKey()}`,
    `DTSTAMP:${day}T000000Z`,
    `DTSTART;VALUE=DATE:${day}`,
    `SUMMARY:${say('run.reminder')()}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ]
  return `${lines.join('\r\n')}\r\n`
}

function addressOfCase(): string {
  return new URL('case', location.href).href
}

async function isCopied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return isCopiedBySelecting(text)
  }
}

/** Without TLS, pages have no clipboard API, but can copy selected text. */
function isCopiedBySelecting(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'unseen'
  document.body.append(area)
  area.select()
  const isDone = document.execCommand('copy')
  area.remove()
  document.getElementById('copy')?.focus()
  return isDone
}
