/** Where the REST interface is; it may move. */
export type Shop = { readonly url: string }

export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

export type OrderView = {
  readonly orderId: string
  readonly status: string
  readonly totalCents: number
  readonly stock: { readonly status: string }
  readonly payment: { readonly status: string }
  readonly shipping: { readonly status: string }
  readonly saga: { readonly status: string; readonly revision: string } | null
  readonly timeline: readonly { readonly type: string; readonly at: string }[]
}

export type StockView = {
  readonly sku: string
  readonly onHand: number
  readonly reserved: number
  readonly available: number
}

export const requestBody = (paymentToken: string, sku = 'book', quantity = 1): string =>
  JSON.stringify({
    customerId: 'ada',
    lines: [{ sku, quantity }],
    paymentToken,
    shippingAddress: { name: 'Ada', street: '12 Main St', city: 'London', postalCode: 'N1', country: 'GB' }
  })

export const post = async (shop: Shop, path: string, body: string, key?: string): Promise<Answer> => {
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) }
  const response = await fetch(shop.url + path, { method: 'POST', headers, body })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

export const get = async <T>(shop: Shop, path: string): Promise<T> => (await (await fetch(shop.url + path)).json()) as T

/** All pages of a list. */
export const getAll = async <T>(shop: Shop, path: string): Promise<T[]> => {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const query = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: { items: T[]; nextCursor: string | null } = await get(shop, `${path}?limit=100${query}`)
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return items
}

/** Places an order and waits for its end. */
export const order = async (shop: Shop, body: string): Promise<OrderView> => {
  const { body: placed } = await post(shop, '/orders', body)
  return get(shop, `/orders/${String(placed['orderId'])}?wait=30s`)
}
