// The figures of all rows: a line for each format, every wrong check, and a summary.

import { answerText, FIGURE_OF } from './judge.mjs'

/** @param rows `{ file, kind, expect, seen, wrong }`; a file that was made from one of the folder has `isMade`. */
export function summaryOf(rows, { skipsPage }) {
  const summary = { files: 0, wrong: 0, registerWrong: 0, matchWrong: 0, bitsWrong: 0, pageWrong: 0 }
  for (const { wrong, isMade } of rows) {
    if (!isMade) summary.files++
    if (wrong.length > 0) summary.wrong++
    for (const figure of new Set(wrong.map(({ check }) => FIGURE_OF[check]))) summary[figure]++
  }
  return skipsPage ? { ...summary, pageWrong: null } : summary
}

/** @returns for each kind how many were tried, accepted by both routes, have the right hash, and how many of them the page agrees about. */
export function formatsOf(rows) {
  const formats = {}
  for (const { kind, expect, seen, wrong } of rows) {
    formats[kind] ??= { tried: 0, accepted: 0, hashes: 0, hashRight: 0, pages: 0, pageAgrees: 0 }
    const format = formats[kind]
    const isRight = (figure) => wrong.every(({ check }) => FIGURE_OF[check] !== figure)
    format.tried++
    if ((seen.register === undefined || seen.register.status === 201) && seen.match.status === 200) format.accepted++
    if (expect.pdq !== undefined) format.hashes++
    if (expect.pdq !== undefined && isRight('bitsWrong')) format.hashRight++
    if (seen.page !== undefined) format.pages++
    if (seen.page !== undefined && isRight('pageWrong')) format.pageAgrees++
  }
  return formats
}

/** A row as JSON: the answers, and which of them are wrong. */
export function shownRow({ file, kind, seen, wrong }) {
  const { register, match, asking, page } = seen
  return {
    file,
    kind,
    register: register && answerText(register),
    match: answerText(match),
    pdq: match.pdq,
    asking: asking && (asking.found ?? (asking.status === 200 ? 'not found' : answerText(asking))),
    page: page && (page.failed ?? page.outcome),
    pagePdq: page?.pdq,
    wrong,
  }
}

export function report(rows) {
  const formats = Object.entries(formatsOf(rows)).map(([kind, format]) => [
    kind,
    format.tried,
    format.accepted,
    part(format.hashRight, format.hashes),
    part(format.pageAgrees, format.pages),
  ])
  const wrong = rows.flatMap((row) =>
    row.wrong.map(({ check, expected, actual }) => [row.file, check, `expected ${expected}`, `actual ${actual}`]),
  )
  return [
    ...columns([['format', 'tried', 'accepted', 'hash right', 'page agrees'], ...formats]),
    '',
    ...(wrong.length === 0 ? ['no row is wrong'] : columns(wrong)),
    '',
  ].join('\n')
}

function part(right, all) {
  return all === 0 ? '' : `${right} of ${all}`
}

function columns(rows) {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => String(row[k]).length)))
  return rows.map((row) =>
    row
      .map((cell, k) => String(cell).padEnd(widths[k]))
      .join('  ')
      .trimEnd(),
  )
}
