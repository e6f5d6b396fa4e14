// Notice under one or more laws: the laws, the statements they require, and a contact. Never her name.

import { LAWS, missingIn, SLA_PROFILES, STATEMENTS } from '../../src/domain/cases/sla.js'
import { api, type GivenNotice, type KeptNotice } from '../api.js'
import { announce, onClick, one, setText } from '../dom.js'
import { say, sayDate } from '../messages.js'
import { goTo, staying } from '../steps.js'
import { type Asking, untilAnswered } from './case-requests.js'

export function notices({ access, lost, look }: Asking): { readonly draw: (isOpen: boolean) => Promise<void> } {
  const form = one('notice-form', HTMLFormElement)
  /** Counts requests: an older answer may arrive after a newer one. */
  let asked = 0
  form.addEventListener('change', () => showWhatIsNeeded(form))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void give()
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
      const wanted = ++asked
      const answer = await untilAnswered({
        buttons: [],
        ask: () => api.notice(own),
        isWanted: () => access() === own && wanted === asked,
        isReading: true,
      })
      if (answer !== undefined && 'value' in answer) drawKept(form, answer.value.notice)
    },
  }

  async function give(): Promise<void> {
    const own = access()
    if (own === undefined) return
    const notice = chosenIn(form)
    const missing = missingIn({ ...notice, contactOrgId: notice.contact })
    if (notice.laws.length === 0) return setText('notice-error', say('run.notice.noLaw'))
    if (missing.some((each) => each !== 'contact')) return setText('notice-error', say('run.notice.statements'))
    if (missing.length > 0) return setText('notice-error', say('run.notice.contact'))
    setText('notice-error', '')
    const answer = await untilAnswered({
      buttons: [one('notice-go', HTMLButtonElement)],
      errorId: 'notice-error',
      ask: () => api.giveNotice(own, notice),
      isWanted: staying(),
    })
    if (answer === undefined) return look() // it may have been given
    if ('value' in answer) {
      asked++
      drawKept(form, answer.value)
      announce(say('run.notice.done'))
      return goTo('view')
    }
    const { failure } = answer
    // Everything else was checked above, so the server does not know the contact's name.
    if (failure.kind === 'rejected' && failure.code === 'notice-incomplete')
      return setText('notice-error', say('run.notice.unknown'))
    lost(failure, 'notice-error')
  }
}

/** Only with the statements that the chosen laws require, so that she declares no more than needed. */
function chosenIn(form: HTMLFormElement): GivenNotice {
  const data = new FormData(form)
  const laws = LAWS.filter((law) => data.getAll('law').includes(law))
  const needed = missingIn({ laws, statements: [], actingAs: 'self', contactOrgId: undefined })
  const statements = STATEMENTS.filter((each) => needed.includes(each) && data.getAll('statement').includes(each))
  const contact = one('notice-contact', HTMLInputElement).value.trim()
  const actingAs = data.get('acting') === 'representative' ? 'representative' : 'self'
  return { laws, statements, actingAs, ...(needed.includes('contact') && contact !== '' && { contact }) }
}

function showWhatIsNeeded(form: HTMLFormElement): void {
  const { laws } = chosenIn(form)
  const needed = missingIn({ laws, statements: [], actingAs: 'self', contactOrgId: undefined })
  one('statements', HTMLElement).hidden = laws.length === 0
  one('contact-field', HTMLElement).hidden = !needed.includes('contact')
  for (const box of form.querySelectorAll<HTMLInputElement>('[name="statement"]')) {
    const isNeeded = needed.some((each) => each === box.value)
    if (box.parentElement !== null) box.parentElement.hidden = !isNeeded
  }
}

function drawKept(form: HTMLFormElement, notice: KeptNotice | null): void {
  const names = notice?.laws.filter((law) => Object.hasOwn(SLA_PROFILES, law)).map((law) => nameOf(form, law)) ?? []
  const date = notice === null ? '' : sayDate(notice.givenAt)
  setText('notice-given', notice === null ? '' : say('run.notice.given', { date, laws: names.join('; ') }))
}

function nameOf(form: HTMLFormElement, law: string): string {
  return form.querySelector(`[value="${law}"] + span`)?.textContent ?? law
}
