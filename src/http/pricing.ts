import { type ErrorCode, nearest } from '../base/index.ts'
import type { ViewQuery } from '../view/index.ts'
import { quoted, type Violation } from './problem.ts'

/** The body of `POST /orders`, once it has passed its schema. */
export type OrderRequest = {
  readonly customerId: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly paymentToken: string
  readonly shippingAddress: {
    readonly name: string
    readonly street: string
    readonly city: string
    readonly postalCode: string
    readonly country: string
  }
  readonly voucher?: string | null
}

export type Priced = {
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly priceCents: number }[]
  readonly totalCents: number
}

export type NotPriced = { readonly code: ErrorCode; readonly detail: string; readonly errors: readonly Violation[] }

/**
 * Each line at the price of now, and their total. Every unknown SKU is named, with the known one that it looks like.
 */
export const priced = async (lines: OrderRequest['lines'], view: ViewQuery): Promise<Priced | NotPriced> => {
  const rows = await Promise.all(lines.map((line) => view.stock(line.sku)))
  const unknown = lines.map((line, i) => ({ line, i })).filter(({ i }) => rows[i] === undefined)
  if (unknown.length > 0) return unknownSkus(unknown, view)
  const pricedLines = lines.map((line, i) => ({ ...line, priceCents: rows[i]!.priceCents }))
  const totalCents = pricedLines.reduce((total, line) => total + line.quantity * line.priceCents, 0)
  if (Number.isSafeInteger(totalCents)) return { lines: pricedLines, totalCents }
  const detail = `the total is beyond ${Number.MAX_SAFE_INTEGER} cents, the greatest amount; expected fewer goods`
  return { code: 'PARCOMOLO_HTTP_TOTAL_TOO_LARGE', detail, errors: [] }
}

type UnknownLine = { readonly line: { readonly sku: string }; readonly i: number }

const unknownSkus = async (unknown: readonly UnknownLine[], view: ViewQuery): Promise<NotPriced> => {
  const { rows } = await view.allStock({ limit: knownSkusMax })
  const known = rows.map((row) => row.sku)
  const errors = unknown.map(({ line, i }) => ({ path: `/lines/${i}/sku`, message: unknownSku(line.sku, known) }))
  return { code: 'PARCOMOLO_HTTP_UNKNOWN_SKU', detail: errors[0]!.message, errors }
}

const unknownSku = (sku: string, known: readonly string[]): string => {
  const found = nearest(sku, known)
  const advice = found === undefined ? "'/stock' lists those that there are" : `did you mean '${found}'?`
  return `unknown SKU ${quoted(sku)}; ${advice}`
}

/** Among how many the nearest is looked for. */
const knownSkusMax = 1_000
