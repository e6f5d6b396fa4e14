// Draws a report as a PDF to print, with the signed report attached as JSON.

import PDFDocument from 'pdfkit'
import { LANGUAGES, type Language, type LanguageTag } from '../../domain/languages.js'
import type { Report } from './report.js'
import { breakable, isolated, registerFonts, type Weight } from './report-font.js'
import { type ReportWords, reportWordsIn } from './report-words.js'

const MARGIN_PT = 56
const SIZES_PT = { title: 17, heading: 12, body: 9.5, small: 8 } as const
const GREY = '#555555'
/** Column widths, as fractions of the page width. */
const COLUMNS = { facts: [0.4, 0.6], images: [0.16, 0.13, 0.21, 0.23, 0.27], events: [0.32, 0.48, 0.2] } as const

/**
 * Draws a report as PDF. Fonts are embedded, so that it looks the same everywhere.
 *
 * Cost: a quarter of a second of uninterrupted processor time. Never call it in the thread that answers requests.
 */
export async function drawReport(report: Report, tag: LanguageTag): Promise<Buffer> {
  const language: Language | undefined = LANGUAGES.find((each) => each.tag === tag)
  if (language === undefined) throw new Error(`there is no language ${tag}`)
  const words = reportWordsIn(tag)
  const { say } = words
  const doc = new PDFDocument({
    size: 'A4',
    margin: MARGIN_PT,
    bufferPages: true,
    lang: tag,
    info: { Title: `${say('title')}: ${report.caseNumber}`, Creator: 'Tabir', CreationDate: new Date(report.madeAt) },
  })
  const chunks: Buffer[] = []
  doc.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((resolve, reject) => doc.once('end', resolve).once('error', reject))
  registerFonts(doc, language)
  const sheet = { doc, language }

  doc.font('bold').fontSize(SIZES_PT.title)
  write(sheet, say('title'))
  doc.moveDown(0.5).font('regular').fontSize(SIZES_PT.body).fillColor(GREY)
  write(sheet, say('intro'))
  doc.fillColor('black')
  table(sheet, COLUMNS.facts, undefined, facts(report, words))
  heading(sheet, say('registered'))
  write(sheet, countsOf(report, words))
  if (report.images.some(({ tier }) => tier === 'self-reported')) write(sheet, say('tierText'))
  if (report.images.length > 0) table(sheet, COLUMNS.images, imageHead(words), imageRows(report, words))
  else write(sheet, say('noImages'))
  heading(sheet, say('timeLine'))
  table(sheet, COLUMNS.events, [say('time'), say('event'), say('count')], eventRows(report, words))
  if (report.receipt !== null) {
    heading(sheet, say('receipt'))
    write(sheet, say('receiptText'))
  }
  heading(sheet, say('signature'))
  write(sheet, say('signatureText'))
  doc.moveDown(0.5).fontSize(SIZES_PT.small).fillColor(GREY)
  for (const line of [`keyId ${report.keyId}`, `signature ${report.signature}`]) write(sheet, `\u2066${line}\u2069`)
  doc.fillColor('black')

  const attached = Buffer.from(`${JSON.stringify(report, null, 2)}\n`)
  doc.file(attached, { name: 'report.json', type: 'application/json', creationDate: new Date(report.madeAt) })
  footers(sheet, `${report.caseNumber}   ${say('page')}`)
  doc.end()
  await ended
  return Buffer.concat(chunks)
}

interface Sheet {
  readonly doc: PDFKit.PDFDocument
  readonly language: Language
}

function write({ doc, language }: Sheet, text: string): void {
  doc.text(lined(text, language), { align: startOf(language) })
}

function lined(text: string, language: Language): string {
  return breakable(isolated(text, language), language)
}

function startOf({ direction }: Language): 'left' | 'right' {
  return direction === 'rtl' ? 'right' : 'left'
}

function countsOf({ images, hashes }: Report, { count }: ReportWords): string {
  const videos = images.filter(({ durationS }) => durationS !== undefined).length
  return `${count('images', images.length - videos)}; ${count('videos', videos)}; ${count('hashes', hashes)}`
}

function facts(report: Report, { say }: ReportWords): string[][] {
  const { caseNumber, state, openedAt, expiresAt, endedAt, madeAt, consentOn, complaintNoted } = report
  return [
    [say('caseNumber'), caseNumber],
    [say('state'), say(`state.${state}`)],
    [say('openedAt'), moment(openedAt)],
    endedAt === null ? [say('expiresAt'), moment(expiresAt)] : [say('endedAt'), moment(endedAt)],
    ...(consentOn === null ? [] : [[say('consent'), consentOn]]),
    [say('complaint'), complaintNoted ? say('yes') : say('no')],
    [say('madeAt'), moment(madeAt)],
  ]
}

function imageHead({ say }: ReportWords): string[] {
  return ['reference', 'kind', 'time', 'category', 'tier'].map(say)
}

function imageRows({ images }: Report, { say }: ReportWords): string[][] {
  return images.map(({ reference, registeredAt, category, tier, recognition, durationS }) => [
    reference,
    durationS === undefined ? say('image') : `${say('video')} ${minutes(durationS)}`,
    moment(registeredAt),
    category === null ? say('noCategory') : say(`category.${category}`),
    recognition === 'full' ? say(`tier.${tier}`) : `${say(`tier.${tier}`)}; ${say(`recognition.${recognition}`)}`,
  ])
}

function eventRows({ events }: Report, words: ReportWords): string[][] {
  return events.map((event) => {
    const kind = words.say(`event.${event.kind}`)
    return [
      moment(event.at),
      'changedLater' in event ? `${kind} (${words.say('changedLater')})` : kind,
      countIn(event, words),
    ]
  })
}

function countIn({ images, platforms, attempts }: Report['events'][number], { count }: ReportWords): string {
  if (images !== null) return count('imagesOrVideos', images)
  return platforms !== null ? count('platforms', platforms) : String(attempts ?? '')
}

function heading(sheet: Sheet, text: string): void {
  const { doc } = sheet
  doc.x = MARGIN_PT
  doc.moveDown(1).font('bold').fontSize(SIZES_PT.heading)
  write(sheet, text)
  doc.moveDown(0.3)
  doc.font('regular').fontSize(SIZES_PT.body)
}

function table(
  { doc, language }: Sheet,
  parts: readonly number[],
  head: string[] | undefined,
  rows: readonly string[][],
): void {
  doc.moveDown(0.5)
  const widthPt = doc.page.width - 2 * MARGIN_PT
  const draw = (row: readonly string[], font: Weight) => {
    doc.font(font).fontSize(SIZES_PT.body)
    const cells = row.map((cell) => lined(cell, language))
    const widths = parts.map((part) => part * widthPt)
    const width = (i: number) => (widths[i] ?? 0) - 6
    const sized = (cell: string, i: number) => doc.fontSize(sizeFor(doc.fontSize(SIZES_PT.body), cell, width(i)))
    const heightPt = Math.max(...cells.map((cell, i) => sized(cell, i).heightOfString(cell, { width: width(i) }))) + 3
    if (doc.y + heightPt > doc.page.height - MARGIN_PT - 20) {
      doc.addPage()
      if (head !== undefined) draw(head, 'bold') // repeats the column names on the new page
      doc.font(font)
    }
    const top = doc.y
    let startPt = 0
    for (const [i, cell] of cells.entries()) {
      const leftPt = language.direction === 'rtl' ? doc.page.width - MARGIN_PT - startPt - width(i) : MARGIN_PT + startPt
      sized(cell, i).text(cell, leftPt, top, { width: width(i), align: startOf(language) })
      startPt += widths[i] ?? 0
    }
    doc.y = top + heightPt
    doc.x = MARGIN_PT
  }
  if (head !== undefined) draw(head, 'bold')
  for (const row of rows) draw(row, 'regular')
}

/** A word that is wider than its column would be broken between letters, and in many scripts that makes other letters of them. */
function sizeFor(doc: PDFKit.PDFDocument, cell: string, widthPt: number): number {
  const words = cell.match(/[^\s\u200B\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}]+/gu) ?? []
  const widestPt = Math.max(0, ...words.map((word) => doc.widthOfString(word)))
  return SIZES_PT.body * Math.min(1, widthPt / widestPt)
}

function footers({ doc, language }: Sheet, text: string): void {
  const { start, count } = doc.bufferedPageRange()
  for (let i = 0; i < count; i++) {
    doc.switchToPage(start + i)
    doc.page.margins.bottom = 0 // text within the margin would start another page
    doc.font('regular').fontSize(SIZES_PT.small).fillColor(GREY)
    const topPt = doc.page.height - MARGIN_PT + 14
    doc.text(isolated(`${text} ${i + 1} / ${count}`, language), MARGIN_PT, topPt, { lineBreak: false })
  }
}

function minutes(durationS: number): string {
  return `${Math.floor(durationS / 60)}:${String(durationS % 60).padStart(2, '0')}`
}

function moment(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}`
}
