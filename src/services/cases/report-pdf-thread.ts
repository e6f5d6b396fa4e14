// Entry point of the thread that draws one report and exits.

import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { REPORT_LANGUAGES } from '../../domain/cases/report-words.js'
import { Report } from './report.js'
import { drawReport } from './report-drawing.js'

const { report, language } = z.object({ report: Report, language: z.enum(REPORT_LANGUAGES) }).parse(workerData)
parentPort?.postMessage(await drawReport(report, language))
