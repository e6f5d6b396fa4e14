// How the console writes names, numbers and times. In English, with the reader's own time zone.

const numbers = new Intl.NumberFormat('en')
const percents = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' })

export function sayNumber(n: number): string {
  return numbers.format(n)
}

/** @param part of `whole`. 0 of 0 is shown as a dash. */
export function sayShare(part: number, whole: number): string {
  return whole === 0 ? '–' : percents.format(part / whole)
}

/** Allows a line break only between day and time. */
export function sayMoment(instant: string | null): string {
  if (instant === null) return '–'
  return moments.format(new Date(instant)).replaceAll(' ', '\u00a0').replace(',\u00a0', ', ')
}

/** `not-the-person-shown` → `not the person shown`. */
export function sayName(name: string | null): string {
  return name === null ? 'not said' : name.replaceAll('-', ' ')
}
