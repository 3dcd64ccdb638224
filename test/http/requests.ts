import type { FastifyInstance, LightMyRequestResponse } from 'fastify'

/** A valid body of `POST /orders`, with these members instead. */
export const orderBody = (changes: object = {}): Record<string, unknown> => ({
  customerId: 'customer-1',
  lines: [{ sku: 'book', quantity: 1 }],
  paymentToken: 'tok_visa',
  shippingAddress: { name: 'Ada', street: '1 High Street', city: 'London', postalCode: 'N1', country: 'GB' },
  ...changes
})

export type Json = { [member: string]: Json } & { readonly [index: number]: Json } & { length: number }

/** The answer's body, looked at without types. */
export const jsonOf = (response: LightMyRequestResponse): Json => response.json<Json>()

export const post = (
  http: FastifyInstance,
  url: string,
  payload: object | string,
  headers: Record<string, string> = {}
): Promise<LightMyRequestResponse> =>
  http.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } })

export const get = (
  http: FastifyInstance,
  url: string,
  headers: Record<string, string> = {}
): Promise<LightMyRequestResponse> => http.inject({ method: 'GET', url, headers })

export const put = (http: FastifyInstance, url: string, payload: object): Promise<LightMyRequestResponse> =>
  http.inject({ method: 'PUT', url, payload })
