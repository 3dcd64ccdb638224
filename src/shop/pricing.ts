import { didYouMean, type ErrorCode } from '../base/index.ts'
import { asked, quoted, type RouteDeps, type Violation } from '../http/index.ts'
import { stock } from './inventory/index.ts'
import type { Selling } from './order/index.ts'

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
  /** There are none yet. */
  readonly voucher?: null
}

export type Priced = {
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly priceCents: number }[]
  readonly totalCents: number
}

export type NotPriced = { readonly code: ErrorCode; readonly detail: string; readonly errors: readonly Violation[] }

/**
 * Each line at the price of now, and their total. Every unknown SKU is named, the first with the known one that it
 * looks like; but while what is sold may not all be known yet, nothing is called unknown, which would be believed for
 * good.
 */
export const priced = async (
  deps: RouteDeps,
  selling: Selling,
  lines: OrderRequest['lines']
): Promise<Priced | NotPriced> => {
  const prices = await asked(
    deps,
    async () => (await Promise.all(lines.map(({ sku }) => deps.view.row(stock, sku)))).map((row) => row?.priceCents),
    () => lines.map(({ sku }) => selling.prices?.price(sku))
  )
  const unknown = lines.map((line, i) => ({ line, i })).filter(({ i }) => prices[i] === undefined)
  if (unknown.length > 0) return unknownSkus(deps, selling, unknown)
  const pricedLines = lines.map((line, i) => ({ ...line, priceCents: prices[i]! }))
  const totalCents = pricedLines.reduce((total, line) => total + line.quantity * line.priceCents, 0)
  if (Number.isSafeInteger(totalCents)) return { lines: pricedLines, totalCents }
  const detail = `the total is beyond ${Number.MAX_SAFE_INTEGER} cents, the greatest amount; expected fewer goods`
  return { code: 'PARCOMOLO_HTTP_TOTAL_TOO_LARGE', detail, errors: [] }
}

type UnknownLine = { readonly line: { readonly sku: string }; readonly i: number }

const unknownSkus = async (deps: RouteDeps, selling: Selling, unknown: readonly UnknownLine[]): Promise<NotPriced> => {
  const known = await knownSkus(deps, selling)
  if (known === undefined) return notKnownYet(unknown[0]!.line.sku)
  // For the first only: to look for a name costs more than all the rest of a refusal.
  const errors = unknown.map(({ line, i }, nth) => {
    const advice = (nth === 0 && didYouMean(line.sku, known)) || "; '/stock' lists those that there are"
    return { path: `/lines/${i}/sku`, message: `unknown SKU ${quoted(line.sku)}${advice}` }
  })
  return { code: 'PARCOMOLO_HTTP_UNKNOWN_SKU', detail: errors[0]!.message, errors }
}

/** Undefined while there may be others. */
const knownSkus = async (deps: RouteDeps, { prices, isStocked }: Selling): Promise<readonly string[] | undefined> => {
  const known = await asked(
    deps,
    async () => (await deps.view.list(stock, {}, { limit: knownSkusMax })).rows.map(({ sku }) => sku),
    () => (prices?.hasAllPrices === true ? prices.skus().slice(0, knownSkusMax) : undefined)
  )
  return known === undefined || (await isStocked?.()) === false ? undefined : known
}

const notKnownYet = (sku: string): NotPriced => {
  const detail =
    `it is not known yet whether there is a SKU ${quoted(sku)}, as the inventory has not told all that it has; ` +
    'nothing was taken, so try again shortly'
  return { code: 'PARCOMOLO_HTTP_NOT_READY', detail, errors: [] }
}

/** Among how many the nearest is looked for. */
const knownSkusMax = 1_000
