// Draws a report as a PDF to print, with the signed report attached as JSON.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import PDFDocument from 'pdfkit'
import { counted, REPORT_WORDS, type ReportLanguage, type ReportWords } from '../../domain/cases/report-words.js'
import type { Report } from './report.js'

const MARGIN_PT = 56
const SIZES_PT = { title: 17, heading: 12, body: 9.5, small: 8 } as const
const GREY = '#555555'
/** Column widths, as fractions of the page width. */
const COLUMNS = { facts: [0.4, 0.6], images: [0.17, 0.17, 0.23, 0.22, 0.21], events: [0.32, 0.48, 0.2] } as const

/**
 * Draws a report as PDF. Fonts are embedded, so that it looks the same everywhere.
 *
 * Cost: a quarter of a second of uninterrupted processor time. Never call it in the thread that answers requests.
 */
export async function drawReport(report: Report, language: ReportLanguage): Promise<Buffer> {
  const words = REPORT_WORDS[language]
  const doc = new PDFDocument({
    size: 'A4',
    margin: MARGIN_PT,
    bufferPages: true,
    lang: language,
    info: { Title: `${words.title}: ${report.caseNumber}`, Creator: 'Tabir', CreationDate: new Date(report.madeAt) },
  })
  const chunks: Buffer[] = []
  doc.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((resolve, reject) => doc.once('end', resolve).once('error', reject))
  doc.registerFont('regular', fontFile('400')).registerFont('bold', fontFile('700'))

  doc.font('bold').fontSize(SIZES_PT.title).text(words.title)
  doc.moveDown(0.5).font('regular').fontSize(SIZES_PT.body).fillColor(GREY).text(words.intro).fillColor('black')
  table(doc, COLUMNS.facts, undefined, facts(report, words))
  heading(doc, words.registered)
  const videos = report.images.filter(({ durationS }) => durationS !== undefined).length
  const pictures = counted(report.images.length - videos, words.images)
  doc.text(`${pictures}, ${counted(videos, words.videos)}; ${counted(report.hashes, words.hashes)}.`)
  if (report.images.some(({ tier }) => tier === 'self-reported')) doc.text(words.tierText)
  if (report.images.length > 0) table(doc, COLUMNS.images, imageHead(words), imageRows(report, words))
  else doc.text(words.noImages)
  heading(doc, words.timeLine)
  table(doc, COLUMNS.events, [words.time, words.event, words.count], eventRows(report, words))
  if (report.receipt !== null) {
    heading(doc, words.receipt)
    doc.text(words.receiptText)
  }
  heading(doc, words.signature)
  doc.text(words.signatureText).moveDown(0.5).fontSize(SIZES_PT.small).fillColor(GREY)
  doc.text(`keyId ${report.keyId}`).text(`signature ${report.signature}`).fillColor('black')

  const attached = Buffer.from(`${JSON.stringify(report, null, 2)}\n`)
  doc.file(attached, { name: 'report.json', type: 'application/json', creationDate: new Date(report.madeAt) })
  footers(doc, `${report.caseNumber}   ${words.page}`)
  doc.end()
  await ended
  return Buffer.concat(chunks)
}

type Doc = PDFKit.PDFDocument

function facts(report: Report, words: ReportWords): string[][] {
  const { caseNumber, state, openedAt, expiresAt, endedAt, madeAt, consentOn, complaintNoted } = report
  return [
    [words.caseNumber, caseNumber],
    [words.state, words.states[state]],
    [words.openedAt, moment(openedAt)],
    endedAt === null ? [words.expiresAt, moment(expiresAt)] : [words.endedAt, moment(endedAt)],
    ...(consentOn === null ? [] : [[words.consent, consentOn]]),
    [words.complaint, complaintNoted ? words.yes : words.no],
    [words.madeAt, moment(madeAt)],
  ]
}

function imageHead(words: ReportWords): string[] {
  return [words.reference, words.kind, words.time, words.category, words.tier]
}

function imageRows({ images }: Report, words: ReportWords): string[][] {
  return images.map(({ reference, registeredAt, category, tier, recognition, durationS }) => [
    reference,
    durationS === undefined ? words.image : `${words.video} ${minutes(durationS)}`,
    moment(registeredAt),
    category === null ? words.noCategory : words.categories[category],
    recognition === 'full' ? words.tiers[tier] : `${words.tiers[tier]}; ${words.recognitions[recognition]}`,
  ])
}

function eventRows({ events }: Report, words: ReportWords): string[][] {
  return events.map((event) => {
    const kind = words.events[event.kind]
    return [moment(event.at), 'changedLater' in event ? `${kind} (${words.changedLater})` : kind, countIn(event, words)]
  })
}

function countIn({ images, platforms, attempts }: Report['events'][number], words: ReportWords): string {
  if (images !== null) return counted(images, words.imagesOrVideos)
  return platforms !== null ? counted(platforms, words.platforms) : String(attempts ?? '')
}

function heading(doc: Doc, text: string): void {
  doc.x = MARGIN_PT
  doc.moveDown(1).font('bold').fontSize(SIZES_PT.heading).text(text).moveDown(0.3)
  doc.font('regular').fontSize(SIZES_PT.body)
}

function table(doc: Doc, parts: readonly number[], head: string[] | undefined, rows: readonly string[][]): void {
  doc.moveDown(0.5)
  const widthPt = doc.page.width - 2 * MARGIN_PT
  const draw = (cells: readonly string[], font: 'regular' | 'bold') => {
    doc.font(font).fontSize(SIZES_PT.body)
    const widths = parts.map((part) => part * widthPt)
    const heightPt = Math.max(...cells.map((cell, i) => doc.heightOfString(cell, { width: (widths[i] ?? 0) - 6 }))) + 3
    if (doc.y + heightPt > doc.page.height - MARGIN_PT - 20) {
      doc.addPage()
      if (head !== undefined) draw(head, 'bold') // repeats the column names on the new page
      doc.font(font)
    }
    const top = doc.y
    let left = MARGIN_PT
    for (const [i, cell] of cells.entries()) {
      doc.text(cell, left, top, { width: (widths[i] ?? 0) - 6 })
      left += widths[i] ?? 0
    }
    doc.y = top + heightPt
    doc.x = MARGIN_PT
  }
  if (head !== undefined) draw(head, 'bold')
  for (const row of rows) draw(row, 'regular')
}

function footers(doc: Doc, text: string): void {
  const { start, count } = doc.bufferedPageRange()
  for (let i = 0; i < count; i++) {
    doc.switchToPage(start + i)
    doc.page.margins.bottom = 0 // text within the margin would start another page
    doc.font('regular').fontSize(SIZES_PT.small).fillColor(GREY)
    const topPt = doc.page.height - MARGIN_PT + 14
    doc.text(`${text} ${i + 1} / ${count}`, MARGIN_PT, topPt, { lineBreak: false })
  }
}

function minutes(durationS: number): string {
  return `${Math.floor(durationS / 60)}:${String(durationS % 60).padStart(2, '0')}`
}

function moment(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}`
}

/** Noto Sans, SIL Open Font Licence: Latin, which is all that English and Malay need. */
function fontFile(weight: '400' | '700'): Buffer {
  const path = require.resolve(`@fontsource/noto-sans/files/noto-sans-latin-${weight}-normal.woff`)
  return readFileSync(path)
}
const require = createRequire(import.meta.url)
