// The form of a takedown notice: which laws it invokes, the declarations they require, and an NGO as contact. Never the submitter's name.

import { LAWS, type Law, missingIn, SLA_PROFILES, STATEMENTS } from '../../src/domain/cases/sla.js'
import { api, type NoticeRequest, type StoredNotice } from '../api.js'
import { announce, made, onClick, one, setText } from '../dom.js'
import { given } from '../given.js'
import { say, sayDate } from '../messages.js'
import { goTo, stillOnStep } from '../steps.js'
import { type CaseContext, requestUntilAnswered } from './case-requests.js'

export function createNoticeForm({ access, onFailure, refresh }: CaseContext): {
  readonly draw: (isOpen: boolean) => Promise<void>
} {
  const form = one('notice-form', HTMLFormElement)
  const contacts = one('notice-contact', HTMLSelectElement)
  for (const name of given.noticeContacts) contacts.append(made('option', '', name)) // its value is its text
  /** Number of the latest request. Answers to older ones are ignored, since they may arrive later. */
  let latestRequest = 0
  form.addEventListener('change', () => {
    setText('notice-error', '')
    showWhatIsNeeded(form)
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })
  onClick('notice-open', () => {
    form.reset()
    setText('notice-error', '')
    showWhatIsNeeded(form)
    goTo('notice')
  })
  onClick('notice-no', () => goTo('view'))

  return {
    async draw(isOpen) {
      const own = access()
      one('notice', HTMLElement).hidden = !isOpen
      if (!isOpen || own === undefined) return
      const request = ++latestRequest
      const answer = await requestUntilAnswered({
        buttons: [],
        send: () => api.notice(own),
        isWanted: () => access() === own && request === latestRequest,
        isReadOnly: true,
      })
      if (answer !== undefined && 'value' in answer) showStored(form, answer.value.notice)
    },
  }

  async function submit(): Promise<void> {
    const own = access()
    if (own === undefined) return
    const notice = readForm(form)
    const missing = missingIn({ ...notice, contactOrgId: notice.contact })
    if (notice.laws.length === 0) return setText('notice-error', say('run.notice.noLaw'))
    if (missing.some((each) => each !== 'contact')) return setText('notice-error', say('run.notice.statements'))
    if (missing.length > 0) return setText('notice-error', say('run.notice.contact'))
    setText('notice-error', '')
    const answer = await requestUntilAnswered({
      buttons: [one('notice-go', HTMLButtonElement)],
      errorId: 'notice-error',
      send: () => api.submitNotice(own, notice),
      isWanted: stillOnStep(),
    })
    if (answer === undefined) return refresh() // the server may have stored it
    if ('value' in answer) {
      latestRequest++
      showStored(form, answer.value)
      announce(say('run.notice.done'))
      goTo('view')
      return one('notice-given', HTMLElement).scrollIntoView({ block: 'center' }) // or nothing on the screen says that it was given
    }
    const { failure } = answer
    // The laws and declarations were checked above, so what is wrong is the contact: the organisation that the operator lists has no key any more.
    if (failure.kind === 'rejected' && failure.code === 'notice-incomplete')
      return setText('notice-error', say('run.notice.unknown'))
    onFailure(failure, 'notice-error')
  }
}

/** Leaves out declarations that the chosen laws do not require, even if they are ticked. */
function readForm(form: HTMLFormElement): NoticeRequest {
  const data = new FormData(form)
  const laws = LAWS.filter((law) => data.getAll('law').includes(law))
  const needed = requiredBy(laws)
  const statements = STATEMENTS.filter((each) => needed.includes(each) && data.getAll('statement').includes(each))
  const contact = one('notice-contact', HTMLSelectElement).value
  const actingAs = data.get('acting') === 'representative' ? 'representative' : 'self'
  return { laws, statements, actingAs, ...(needed.includes('contact') && contact !== '' && { contact }) }
}

function showWhatIsNeeded(form: HTMLFormElement): void {
  const { laws } = readForm(form)
  const needed = requiredBy(laws)
  one('statements', HTMLElement).hidden = laws.length === 0
  const isOffered = given.noticeContacts.length > 0
  one('contact-field', HTMLElement).hidden = !needed.includes('contact') || !isOffered
  one('contact-none', HTMLElement).hidden = !needed.includes('contact') || isOffered
  for (const box of form.querySelectorAll<HTMLInputElement>('[name="statement"]')) {
    const isNeeded = needed.some((each) => each === box.value)
    if (box.parentElement !== null) box.parentElement.hidden = !isNeeded
  }
}

function showStored(form: HTMLFormElement, notice: StoredNotice | null): void {
  const known = notice?.laws.filter((law) => Object.hasOwn(SLA_PROFILES, law)) ?? []
  const laws = () => known.map((law) => labelOf(form, law)).join('; ')
  setText('notice-given', notice === null ? '' : say('run.notice.given', { date: sayDate(notice.givenAt), laws }))
}

function labelOf(form: HTMLFormElement, law: string): string {
  return form.querySelector(`[value="${law}"] + span`)?.textContent ?? law
}

/** @returns the declarations that these laws require, and `contact` if they require one. */
function requiredBy(laws: readonly Law[]): ReturnType<typeof missingIn> {
  return missingIn({ laws, statements: [], actingAs: 'self', contactOrgId: undefined })
}
